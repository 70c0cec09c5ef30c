#include "twofour/nas/deploy/stream_ops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "twofour/emu/numerics/block.h"

namespace twofour::nas {
namespace {

constexpr std::int64_t six = std::int64_t(6) << stream_fraction_bits;

StreamTensor averaged(const StreamTensor& x, std::int64_t batch) {
  const std::int64_t pixels = x.height * x.width;
  StreamTensor out{1, 1, x.channels, {}};
  for (std::int64_t i = 0; i < batch * x.channels; ++i) {
    std::int64_t sum = pixels / 2;
    for (std::int64_t p = 0; p < pixels; ++p)
      sum += x.words[std::size_t((i / x.channels * pixels + p) * x.channels + i % x.channels)];
    const std::int64_t remainder = ((sum % pixels) + pixels) % pixels;
    out.words.push_back(std::int32_t((sum - remainder) / pixels));
  }
  return out;
}

/// The largest word of one channel in the window of output pixel (p, q).
std::int32_t largest(const Pool& pool, const StreamTensor& x, std::int64_t image, std::int64_t p,
                     std::int64_t q, std::int64_t channel) {
  std::int32_t most = INT32_MIN;
  const std::int64_t top = p * pool.stride - pool.pad, left = q * pool.stride - pool.pad;
  for (std::int64_t row = std::max<std::int64_t>(top, 0); row < std::min(top + pool.kernel, x.height); ++row)
    for (std::int64_t column = std::max<std::int64_t>(left, 0);
         column < std::min(left + pool.kernel, x.width); ++column)
      most = std::max(
          most, x.words[std::size_t(((image * x.height + row) * x.width + column) * x.channels + channel)]);
  return most;
}

StreamTensor max_pooled(const Pool& pool, const StreamTensor& x, std::int64_t batch) {
  const auto side = [&](std::int64_t size) { return (size + 2 * pool.pad - pool.kernel) / pool.stride + 1; };
  StreamTensor out{side(x.height), side(x.width), x.channels, {}};
  for (std::int64_t image = 0; image < batch; ++image)
    for (std::int64_t p = 0; p < out.height; ++p)
      for (std::int64_t q = 0; q < out.width; ++q)
        for (std::int64_t c = 0; c < out.channels; ++c) out.words.push_back(largest(pool, x, image, p, q, c));
  return out;
}

std::uint64_t half_word(std::int32_t word) {
  return emu::encode(emu::float_format(isa::ElementType::f16), isa::Rounding::nearest_even, word < 0,
                     std::uint64_t(std::abs(std::int64_t(word))), -stream_fraction_bits);
}

std::int64_t scaled(const DeployedLayer& layer, std::uint32_t accumulator, std::size_t channel) {
  if (info(layer.option).accumulator == isa::ElementType::s32)
    return layer.output_scale[channel].apply(static_cast<std::int32_t>(accumulator));
  const double value = double(std::bit_cast<float>(accumulator)) * layer.float_scale[channel];
  return std::llrint(std::clamp(value, -0x1p40, 0x1p40));
}

}  // namespace

StreamTensor pooled(const Pool& pool, const StreamTensor& x, std::int64_t batch) {
  switch (pool.kind) {
    case PoolKind::none: break;
    case PoolKind::max: return max_pooled(pool, x, batch);
    case PoolKind::global_average: return averaged(x, batch);
  }
  return x;
}

emu::PackedMatrix quantised(const DeployedLayer& layer, const StreamTensor& x, std::int64_t columns) {
  const OptionInfo& option = info(layer.option);
  emu::PackedMatrix q(option.activation, std::int64_t(x.words.size()) / x.channels, columns);
  const std::int64_t levels = activation_levels(layer.option);
  for (std::int64_t row = 0; row < q.rows(); ++row)
    for (std::int64_t c = 0; c < x.channels; ++c) {
      const std::int32_t word = x.words[std::size_t(row * x.channels + c)];
      if (option.activation == isa::ElementType::f16)
        q.set_bits(row, c, half_word(word));
      else
        q.set_integer(row, c, std::clamp<std::int64_t>(layer.input_scale.apply(word), 0, levels));
    }
  return q;
}

std::vector<std::int32_t> finished(const DeployedLayer& layer, Activation activation,
                                   const emu::PackedMatrix& accumulators,
                                   const std::vector<std::int32_t>* residual) {
  std::vector<std::int32_t> out;
  out.reserve(std::size_t(accumulators.rows() * accumulators.cols()));
  for (std::int64_t row = 0; row < accumulators.rows(); ++row)
    for (std::int64_t c = 0; c < accumulators.cols(); ++c) {
      std::int64_t y = scaled(layer, accumulators.row_as<std::uint32_t>(row)[c], std::size_t(c)) +
                       layer.bias[std::size_t(c)];
      if (residual) y += (*residual)[out.size()];
      if (activation != Activation::none) y = std::max<std::int64_t>(y, 0);
      if (activation == Activation::relu6) y = std::min(y, six);
      out.push_back(std::int32_t(std::clamp<std::int64_t>(y, INT32_MIN, INT32_MAX)));
    }
  return out;
}

}  // namespace twofour::nas
