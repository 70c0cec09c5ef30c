#pragma once
// The convolutions of the independent reference. They share no arithmetic with emu/: operands are read from
// the packed bytes here, sums run over plain arrays in direct loops.
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// One layer's convolution of one image.
class ReferenceLayer {
 public:
  ReferenceLayer() = default;
  ReferenceLayer(const ReferenceLayer&) = delete;
  ReferenceLayer& operator=(const ReferenceLayer&) = delete;
  virtual ~ReferenceLayer() = default;

  /// input: height x width x in_channels stream words. accumulators: P x Q x out_channels raw words (s32 or
  /// f32).
  virtual void convolve(const std::int32_t* input, std::uint32_t* accumulators) const = 0;
  /// An accumulator times the layer's output scale, as a stream word that is not yet saturated.
  virtual std::int64_t scaled(std::uint32_t accumulator, std::size_t channel) const = 0;
};

/// Integer options. Sums are exact: check_network proves that 32 bits are wide enough.
std::unique_ptr<ReferenceLayer> integer_reference(const emu::ConvShape& shape, const DeployedLayer& layer);
/// fp16 options, by the block rule of the A100: blocks of 8 products and the accumulator, truncated to 24
/// bits below the largest exponent, summed exactly, truncated to f32. Sparse: a block spans 16 columns, whose
/// 8 kept products it sums.
std::unique_ptr<ReferenceLayer> fp16_reference(const emu::ConvShape& shape, const DeployedLayer& layer);

/// Depthwise layers of either type; their rule is in integer_network.h.
std::unique_ptr<ReferenceLayer> depthwise_reference(const emu::ConvShape& shape, const DeployedLayer& layer);

/// Height x width x channels stream words of one image after a pool; the rule is in integer_network.h.
std::vector<std::int32_t> reference_pool(const std::int32_t* words, std::int64_t height, std::int64_t width,
                                         std::int64_t channels, const Pool& pool);

/// x * multiplier / 2^shift, half up.
inline std::int64_t round_shift(std::int64_t x, const FixedScale& s) {
  const std::int64_t product = x * s.multiplier, half = product >> (s.shift - 1);
  return (half >> 1) + (half & 1);
}

/// An f32 accumulator times a scale, kept within 2^40.
inline std::int64_t scaled_float(std::uint32_t accumulator, double scale) {
  const double value = static_cast<double>(std::bit_cast<float>(accumulator)) * scale;
  if (value >= 0x1p40) return std::int64_t(1) << 40;
  if (value <= -0x1p40) return -(std::int64_t(1) << 40);
  return std::llrint(value);
}

/// The lowest `bits` bits at element `index` of a packed row, little end first; bits divides or is a multiple
/// of 8.
inline std::uint32_t packed_element(std::span<const std::byte> row, std::int64_t index, int bits) {
  const std::size_t byte = std::size_t(index * bits / 8);
  if (bits < 8) return std::to_integer<std::uint32_t>(row[byte]) >> (index * bits % 8) & ((1u << bits) - 1);
  std::uint32_t word = 0;
  for (int i = 0; i < bits / 8; ++i)
    word |= std::to_integer<std::uint32_t>(row[byte + std::size_t(i)]) << (8 * i);
  return word;
}

}  // namespace twofour::nas
