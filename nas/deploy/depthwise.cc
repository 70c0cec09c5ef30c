#include "twofour/nas/deploy/depthwise.h"

#include <cmath>

#include "twofour/emu/numerics/half.h"

namespace twofour::nas {
namespace {

using emu::ConvShape;
using emu::PackedMatrix;

/// The operands of one tap: row and column of both matrices.
struct Tap {
  std::int64_t weight, pixel, channel;
};

/// Calls add(accumulator, tap) for the taps inside the image, in order; T is the accumulator's type.
template <class T, class Add>
PackedMatrix direct_loop(const ConvShape& shape, isa::ElementType type, const Add& add) {
  const std::int64_t height = shape.out_height(), width = shape.out_width(), channels = shape.out_channels;
  PackedMatrix out(type, shape.batch * height * width, channels);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < out.rows(); ++row) {
    const std::int64_t image = row / (height * width), p = row / width % height, q = row % width;
    for (std::int64_t c = 0; c < channels; ++c) {
      T sum = 0;
      for (std::int64_t r = 0; r < shape.kernel_h; ++r)
        for (std::int64_t s = 0; s < shape.kernel_w; ++s) {
          const std::int64_t y = p * shape.stride + r - shape.pad, x = q * shape.stride + s - shape.pad;
          if (y < 0 || y >= shape.height || x < 0 || x >= shape.width) continue;
          sum = add(sum, Tap{r * shape.kernel_w + s, (image * shape.height + y) * shape.width + x, c});
        }
      out.template row_as<T>(row)[c] = sum;
    }
  }
  return out;
}

}  // namespace

PackedMatrix depthwise_conv2d(const ConvShape& shape, const PackedMatrix& weights,
                              const PackedMatrix& activations) {
  if (weights.type() == isa::ElementType::f16)
    return direct_loop<float>(shape, isa::ElementType::f32, [&](float sum, const Tap& t) {
      return std::fma(emu::half_to_float(std::uint32_t(weights.bits(t.channel, t.weight))),
                      emu::half_to_float(std::uint32_t(activations.bits(t.pixel, t.channel))), sum);
    });
  return direct_loop<std::int32_t>(shape, isa::ElementType::s32, [&](std::int32_t sum, const Tap& t) {
    return sum + std::int32_t(weights.integer(t.channel, t.weight)) *
                     std::int32_t(activations.integer(t.pixel, t.channel));
  });
}

}  // namespace twofour::nas
