#include "twofour/emu/timing/conv_latency.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

std::int64_t windows(const ConvSide& s) {
  return (s.size + s.padding - s.dilation * (s.kernel - 1) - 1) / s.stride + 1;
}

/// Rows (or columns) of the tensor that some window touches.
std::int64_t touched(const ConvSide& s) {
  return std::min(s.size, windows(s) * s.kernel);
}

void check(const ConvShape2d& shape) {
  const auto& h = shape.height;
  const auto& w = shape.width;
  for (const auto& [field, size] : {std::pair("batch", shape.batch),
                                    {"height", h.size},
                                    {"width", w.size},
                                    {"channels", shape.channels},
                                    {"filters", shape.filters},
                                    {"kernel_h", h.kernel},
                                    {"kernel_w", w.kernel},
                                    {"stride", std::min(h.stride, w.stride)},
                                    {"dilation", std::min(h.dilation, w.dilation)},
                                    {"padding", std::min(h.padding, w.padding) + 1}})
    if (size < 1 || size > (1 << 24)) fail("convolution: {} is out of range", field);
  for (const auto* s : {&h, &w})
    if (s->size + s->padding <= s->dilation * (s->kernel - 1))
      fail("convolution: the kernel {} x {} is larger than the padded input", h.kernel, w.kernel);
}

std::int64_t padded_channels(std::int64_t channels, isa::ElementType type) {
  const std::int64_t vector = 128 / isa::bits(type);
  if (channels > vector) return (channels + vector - 1) / vector * vector;
  for (const std::int64_t few : {1, 2, 4, 8})
    if (channels <= few) return few;
  return vector;
}

}  // namespace

ImplicitGemm implicit_gemm(const ConvShape2d& shape, isa::ElementType type) {
  check(shape);
  const auto channels = padded_channels(shape.channels, type);
  ImplicitGemm result{};
  result.gemm.type = type;
  result.gemm.m = shape.filters;
  result.gemm.n = shape.batch * windows(shape.height) * windows(shape.width);
  result.gemm.k = shape.height.kernel * shape.width.kernel * channels;
  result.tensor_bytes = static_cast<double>(shape.batch) * static_cast<double>(touched(shape.height)) *
                        static_cast<double>(touched(shape.width)) * static_cast<double>(channels) *
                        isa::bits(type) / 8;
  return result;
}

Latency conv_latency(const ConvProblem& c, const isa::Machine& machine, const TimingConstants& constants) {
  const ConvSide height{c.height, c.kernel_h, c.stride, 1, 2 * c.padding};
  const ConvSide width{c.width, c.kernel_w, c.stride, 1, 2 * c.padding};
  auto [gemm, tensor_bytes] = implicit_gemm({c.batch, c.channels, c.filters, height, width}, c.type);
  gemm.sparse = c.sparse;
  gemm.output_bits = c.output_bits;
  gemm.launch = c.launch;
  return gemm_latency(gemm, {.b_bytes = tensor_bytes}, machine, constants);
}

}  // namespace twofour::emu
