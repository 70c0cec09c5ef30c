#include <algorithm>

#include "twofour/nas/deploy/reference_half.h"
#include "twofour/nas/deploy/reference_layer.h"

namespace twofour::nas {
namespace {

__extension__ typedef __int128 Int128;

/// Adds every tap of a channel's image to the outputs that it belongs to.
class DepthwiseInteger final : public ReferenceLayer {
 public:
  DepthwiseInteger(const emu::ConvShape& shape, const DeployedLayer& layer) : shape_(shape), layer_(layer) {}

  void convolve(const std::int32_t* input, std::uint32_t* accumulators) const override {
    const std::int64_t channels = shape_.in_channels, pixels = shape_.height * shape_.width;
    std::vector<std::int64_t> sums(std::size_t(shape_.out_height() * shape_.out_width() * channels));
    for (std::int64_t i = 0; i < pixels * channels; ++i) {
      const std::int64_t q =
          std::min<std::int64_t>(std::max<std::int64_t>(round_shift(input[i], layer_.input_scale), 0), 255);
      scatter(i / channels, i % channels, q, sums);
    }
    for (const std::int64_t sum : sums) *accumulators++ = static_cast<std::uint32_t>(sum);
  }

  std::int64_t scaled(std::uint32_t accumulator, std::size_t channel) const override {
    return round_shift(static_cast<std::int32_t>(accumulator), layer_.output_scale[channel]);
  }

 private:
  void scatter(std::int64_t pixel, std::int64_t channel, std::int64_t q,
               std::vector<std::int64_t>& sums) const {
    const std::int64_t y = pixel / shape_.width + shape_.pad, x = pixel % shape_.width + shape_.pad;
    for (std::int64_t k = 0; k < shape_.kernel_h * shape_.kernel_w; ++k) {
      const std::int64_t dy = y - k / shape_.kernel_w, dx = x - k % shape_.kernel_w;
      if (dy < 0 || dx < 0 || dy % shape_.stride != 0 || dx % shape_.stride != 0) continue;
      const std::int64_t row = dy / shape_.stride, column = dx / shape_.stride;
      if (row >= shape_.out_height() || column >= shape_.out_width()) continue;
      const auto w = static_cast<std::int8_t>(packed_element(layer_.weights.row(channel), k, 8));
      sums[std::size_t((row * shape_.out_width() + column) * shape_.in_channels + channel)] += q * w;
    }
  }

  const emu::ConvShape& shape_;
  const DeployedLayer& layer_;
};

/// f32 sums as multiples of 2^-48, of which every product of two halves is one: added exactly, then rounded
/// to 24 bits.
class DepthwiseHalf final : public ReferenceLayer {
 public:
  DepthwiseHalf(const emu::ConvShape& shape, const DeployedLayer& layer) : shape_(shape), layer_(layer) {}

  void convolve(const std::int32_t* input, std::uint32_t* accumulators) const override {
    for (std::int64_t p = 0; p < shape_.out_height(); ++p)
      for (std::int64_t q = 0; q < shape_.out_width(); ++q)
        for (std::int64_t c = 0; c < shape_.in_channels; ++c) *accumulators++ = word(chain(input, p, q, c));
  }

  std::int64_t scaled(std::uint32_t accumulator, std::size_t channel) const override {
    return scaled_float(accumulator, layer_.float_scale[channel]);
  }

 private:
  Int128 chain(const std::int32_t* input, std::int64_t p, std::int64_t q, std::int64_t c) const {
    Int128 sum = 0;
    for (std::int64_t k = 0; k < shape_.kernel_h * shape_.kernel_w; ++k) {
      const std::int64_t y = p * shape_.stride + k / shape_.kernel_w - shape_.pad,
                         x = q * shape_.stride + k % shape_.kernel_w - shape_.pad;
      if (y < 0 || y >= shape_.height || x < 0 || x >= shape_.width) continue;
      const Half a = half_from_word(packed_element(layer_.weights.row(c), k, 16)),
                 b = half_from_stream(input[(y * shape_.width + x) * shape_.in_channels + c]);
      if (a.significand == 0 || b.significand == 0) continue;
      // significands weigh 2^(exponent - 10)
      sum = rounded(sum +
                    Int128(a.significand) * b.significand * (Int128(1) << (a.exponent + b.exponent + 28)));
    }
    return sum;
  }

  static int width(Int128 magnitude) {
    int bits = 0;
    for (; magnitude != 0; magnitude >>= 1) ++bits;
    return bits;
  }

  /// To 24 significant bits, ties to even.
  static Int128 rounded(Int128 value) {
    const Int128 magnitude = value < 0 ? -value : value;
    const int drop = std::max(width(magnitude) - 24, 0);
    if (drop == 0) return value;
    const Int128 unit = Int128(1) << drop, rest = magnitude % unit;
    Int128 kept = magnitude / unit;
    if (2 * rest > unit || (2 * rest == unit && kept % 2 == 1)) ++kept;
    return (value < 0 ? -kept : kept) * unit;
  }

  static std::uint32_t word(Int128 value) {
    if (value == 0) return 0;
    const Int128 magnitude = value < 0 ? -value : value;
    const int bits = width(magnitude);  // the first weighs 2^(bits - 49)
    const auto significand =
        static_cast<std::uint32_t>(bits > 24 ? magnitude >> (bits - 24) : magnitude << (24 - bits));
    return (value < 0 ? 1u << 31 : 0u) | std::uint32_t(bits - 49 + 127) << 23 | (significand & 0x7fffffu);
  }

  const emu::ConvShape& shape_;
  const DeployedLayer& layer_;
};

}  // namespace

std::unique_ptr<ReferenceLayer> depthwise_reference(const emu::ConvShape& shape, const DeployedLayer& layer) {
  if (layer.option == Option::int8) return std::make_unique<DepthwiseInteger>(shape, layer);
  return std::make_unique<DepthwiseHalf>(shape, layer);
}

}  // namespace twofour::nas
