#include <algorithm>

#include "twofour/nas/deploy/reference_layer.h"

namespace twofour::nas {
namespace {

/// Dot product of 16-bit words; compilers turn it into multiply-add-pairs instructions.
inline std::int32_t dot(const std::int16_t* x, const std::int16_t* w, std::int64_t n) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += std::int32_t(x[i]) * std::int32_t(w[i]);
  return sum;
}

class IntegerReference final : public ReferenceLayer {
 public:
  IntegerReference(const emu::ConvShape& shape, const DeployedLayer& layer)
      : shape_(shape), layer_(layer), levels_(activation_levels(layer.option)) {
    const int bits = isa::bits(layer.weights.type());
    for (std::int64_t oc = 0; oc < shape.out_channels; ++oc)
      for (std::int64_t k = 0; k < shape.gemm_k(); ++k)
        weights_.push_back(weight(packed_element(layer.weights.row(oc), k, bits), bits));
  }

  void convolve(const std::int32_t* input, std::uint32_t* accumulators) const override {
    const std::vector<std::int16_t> image = quantise_with_border(input);
    const std::int64_t width = shape_.width + 2 * shape_.pad, row = shape_.kernel_w * shape_.in_channels;
    for (std::int64_t p = 0; p < shape_.out_height(); ++p)
      for (std::int64_t q = 0; q < shape_.out_width(); ++q) {
        const std::int16_t* corner =
            &image[std::size_t((p * width + q) * shape_.stride * shape_.in_channels)];
        const std::int16_t* w = weights_.data();
        for (std::int64_t oc = 0; oc < shape_.out_channels; ++oc) {
          std::int32_t sum = 0;
          for (std::int64_t r = 0; r < shape_.kernel_h; ++r, w += row)
            sum += dot(corner + r * width * shape_.in_channels, w, row);
          *accumulators++ = static_cast<std::uint32_t>(sum);
        }
      }
  }

  std::int64_t scaled(std::uint32_t accumulator, std::size_t channel) const override {
    return round_shift(static_cast<std::int32_t>(accumulator), layer_.output_scale[channel]);
  }

 private:
  static std::int16_t weight(std::uint32_t raw, int bits) {
    if (bits == 1) return raw ? 1 : -1;
    const int sign = 1 << (bits - 1);
    return static_cast<std::int16_t>((int(raw) ^ sign) - sign);
  }

  /// Quantised words of the image with its border of zeros.
  std::vector<std::int16_t> quantise_with_border(const std::int32_t* input) const {
    const std::int64_t c = shape_.in_channels, width = shape_.width + 2 * shape_.pad;
    std::vector<std::int16_t> image(std::size_t((shape_.height + 2 * shape_.pad) * width * c));
    for (std::int64_t y = 0; y < shape_.height; ++y) {
      std::int16_t* to = &image[std::size_t(((y + shape_.pad) * width + shape_.pad) * c)];
      for (std::int64_t i = 0; i < shape_.width * c; ++i) {
        const std::int64_t word = round_shift(*input++, layer_.input_scale);
        to[i] = static_cast<std::int16_t>(std::min<std::int64_t>(std::max<std::int64_t>(word, 0), levels_));
      }
    }
    return image;
  }

  const emu::ConvShape& shape_;
  const DeployedLayer& layer_;
  int levels_;
  std::vector<std::int16_t> weights_;  ///< out_channels x r x s x c
};

}  // namespace

std::unique_ptr<ReferenceLayer> integer_reference(const emu::ConvShape& shape, const DeployedLayer& layer) {
  return std::make_unique<IntegerReference>(shape, layer);
}

}  // namespace twofour::nas
