#include "twofour/nas/deploy/qdq_layer.h"

#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

double real(const FixedScale& s) {
  return std::ldexp(double(s.multiplier), -s.shift);
}

/// The weight of the o x i x r x s order in a row whose order is r, s, i.
class Order {
 public:
  Order(const emu::ConvShape& s, std::int64_t channels) : s_(s), channels_(channels) {}

  template <class Visit>
  void each(Visit visit) const {
    for (std::int64_t o = 0; o < s_.out_channels; ++o)
      for (std::int64_t i = 0; i < channels_; ++i)
        for (std::int64_t tap = 0; tap < s_.kernel_h * s_.kernel_w; ++tap) visit(o, tap * channels_ + i);
  }

 private:
  const emu::ConvShape& s_;
  std::int64_t channels_;
};

std::int64_t weight(const DeployedLayer& d, std::int64_t row, std::int64_t column) {
  const std::int64_t w = d.weights.integer(row, column);
  return d.weights.type() == isa::ElementType::b1 ? 2 * w - 1 : w;
}

}  // namespace

QdqLayer qdq_layer(const Layer& layer, const DeployedLayer& d) {
  QdqLayer q;
  q.is_float = isa::is_float(info(d.option).weight);
  q.group_channels = layer.shape.in_channels / layer.groups;
  const Order order(layer.shape, q.group_channels);
  for (const std::int32_t b : d.bias) q.bias.push_back(float(std::ldexp(double(b), -stream_fraction_bits)));
  if (q.is_float) {
    for (const double s : d.float_scale) q.scale.push_back(float(std::ldexp(s, -stream_fraction_bits)));
    order.each([&](std::int64_t row, std::int64_t column) {
      q.halves.push_back(std::uint16_t(d.weights.bits(row, column)));
    });
    return q;
  }
  if (d.input_scale.multiplier <= 0)
    fail("layer '{}': an input scale of {}; ONNX takes positive ones", layer.name, real(d.input_scale));
  const double step = std::ldexp(1 / real(d.input_scale), -stream_fraction_bits);
  q.levels = activation_levels(d.option);
  q.input_step = float(step);
  for (const FixedScale& s : d.output_scale) {
    const double scale = std::abs(std::ldexp(real(s), -stream_fraction_bits)) / step;
    q.scale.push_back(s.multiplier == 0 ? 1 : float(scale));
  }
  order.each([&](std::int64_t row, std::int64_t column) {
    const std::int32_t m = d.output_scale[std::size_t(row)].multiplier;
    q.codes.push_back(std::int8_t(weight(d, row, column) * (m > 0 ? 1 : m < 0 ? -1 : 0)));
  });
  return q;
}

}  // namespace twofour::nas
