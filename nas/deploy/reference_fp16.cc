#include <algorithm>
#include <bit>
#include <cstdlib>

#include "twofour/nas/deploy/reference_half.h"
#include "twofour/nas/deploy/reference_layer.h"

namespace twofour::nas {
namespace {

constexpr int fraction_bits = 24;    ///< kept below the largest exponent of a block
constexpr int zero_exponent = -132;  ///< of a zero sum

/// Running f32 sums of all output channels of one pixel, as significand * 2^(exponent - 23) with 24-bit
/// significands.
struct Sums {
  std::vector<std::int64_t> significand, window;
  std::vector<std::int32_t> exponent, largest;
};

/// magnitude >> shift, 0 for large shifts, with the sign of the value.
inline std::int64_t shift_magnitude(std::int64_t value, int shift) {
  const std::int64_t magnitude = (value < 0 ? -value : value) >> std::min(shift, 63);
  return value < 0 ? -magnitude : magnitude;
}

class Fp16Reference final : public ReferenceLayer {
 public:
  Fp16Reference(const emu::ConvShape& shape, const DeployedLayer& layer)
      : shape_(shape), layer_(layer), block_columns_(info(layer.option).sparse ? 16 : 8) {
    for (std::int64_t k = 0; k < shape.gemm_k(); ++k)
      for (std::int64_t oc = 0; oc < shape.out_channels; ++oc) {
        const Half w = half_from_word(packed_element(layer.weights.row(oc), k, 16));
        weight_significand_.push_back(w.significand);
        weight_exponent_.push_back(w.exponent);
      }
  }

  void convolve(const std::int32_t* input, std::uint32_t* accumulators) const override {
    std::vector<Half> image;
    for (std::int64_t i = 0; i < shape_.height * shape_.width * shape_.in_channels; ++i)
      image.push_back(half_from_stream(input[i]));
    const std::size_t channels = std::size_t(shape_.out_channels);
    Sums sums;
    for (std::int64_t p = 0; p < shape_.out_height(); ++p)
      for (std::int64_t q = 0; q < shape_.out_width(); ++q, accumulators += channels) {
        sums.significand.assign(channels, 0);
        sums.exponent.assign(channels, zero_exponent);
        sum_pixel(image, p, q, sums);
        for (std::size_t oc = 0; oc < channels; ++oc)
          accumulators[oc] = word(sums.significand[oc], sums.exponent[oc]);
      }
  }

  std::int64_t scaled(std::uint32_t accumulator, std::size_t channel) const override {
    return scaled_float(accumulator, layer_.float_scale[channel]);
  }

 private:
  /// One activation that is not zero (a zero adds nothing to a block), and its column of the weights.
  struct Term {
    Half x;
    std::int64_t k;
  };

  /// Walks the columns r, s, c; outside the image activations are zero but take their place in the blocks.
  void sum_pixel(const std::vector<Half>& image, std::int64_t p, std::int64_t q, Sums& sums) const {
    std::vector<Term> block;
    std::int64_t k = 0;
    for (std::int64_t r = 0; r < shape_.kernel_h; ++r)
      for (std::int64_t s = 0; s < shape_.kernel_w; ++s) {
        const std::int64_t y = p * shape_.stride + r - shape_.pad, x = q * shape_.stride + s - shape_.pad;
        const bool inside = y >= 0 && y < shape_.height && x >= 0 && x < shape_.width;
        for (std::int64_t c = 0; c < shape_.in_channels; ++c, ++k) {
          if (k % block_columns_ == 0) add_block(block, sums);
          if (!inside) continue;
          const Half h = image[std::size_t((y * shape_.width + x) * shape_.in_channels + c)];
          if (h.significand != 0) block.push_back({h, k});
        }
      }
    add_block(block, sums);
  }

  /// One block for every output channel; empties the block.
  void add_block(std::vector<Term>& block, Sums& sums) const {
    const std::size_t channels = sums.exponent.size();
    sums.largest = sums.exponent;
    for (const Term& t : block) {
      const std::size_t row = std::size_t(t.k) * channels;
      for (std::size_t oc = 0; oc < channels; ++oc)
        sums.largest[oc] = std::max(sums.largest[oc], t.x.exponent + weight_exponent_[row + oc]);
    }
    // In units of 2^(largest - 24): an accumulator has 23 fraction bits, a product 20.
    sums.window.resize(channels);
    for (std::size_t oc = 0; oc < channels; ++oc)
      sums.window[oc] =
          shift_magnitude(sums.significand[oc] << (fraction_bits - 23), sums.largest[oc] - sums.exponent[oc]);
    for (const Term& t : block) {
      const std::size_t row = std::size_t(t.k) * channels;
      for (std::size_t oc = 0; oc < channels; ++oc) {
        const std::int64_t product = std::int64_t(t.x.significand) * weight_significand_[row + oc];
        sums.window[oc] += shift_magnitude(product * (1 << (fraction_bits - 20)),
                                           sums.largest[oc] - t.x.exponent - weight_exponent_[row + oc]);
      }
    }
    for (std::size_t oc = 0; oc < channels; ++oc) normalise(sums, oc);
    block.clear();
  }

  /// The window's sum as a truncated f32.
  static void normalise(Sums& sums, std::size_t oc) {
    const std::int64_t sum = sums.window[oc];
    if (sum == 0) {
      sums.significand[oc] = 0;
      sums.exponent[oc] = zero_exponent;
      return;
    }
    const std::uint64_t magnitude = std::uint64_t(std::abs(sum));
    const int top = int(std::bit_width(magnitude)) - 1;
    const auto significand = std::int64_t(top > 23 ? magnitude >> (top - 23) : magnitude << (23 - top));
    sums.significand[oc] = sum < 0 ? -significand : significand;
    sums.exponent[oc] = sums.largest[oc] - fraction_bits + top;
  }

  /// f32 word. Sums of f16 products are multiples of 2^-48 below 2^60: always normal numbers.
  static std::uint32_t word(std::int64_t significand, int exponent) {
    if (significand == 0) return 0;
    return (significand < 0 ? 1u << 31 : 0u) | std::uint32_t(exponent + 127) << 23 |
           (std::uint32_t(std::abs(significand)) & 0x7fffffu);
  }

  const emu::ConvShape& shape_;
  const DeployedLayer& layer_;
  std::int64_t block_columns_;
  std::vector<std::int32_t> weight_significand_, weight_exponent_;  ///< K x out_channels
};

}  // namespace

std::unique_ptr<ReferenceLayer> fp16_reference(const emu::ConvShape& shape, const DeployedLayer& layer) {
  return std::make_unique<Fp16Reference>(shape, layer);
}

}  // namespace twofour::nas
