#include "twofour/nas/deploy/qdq_layer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "deployed_networks.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

// By hand: input scale 2^-14 is a step of 2^14 / 2^16 = 1/4; an output scale of 3 / 2^2 stream words a unit
// of the accumulator is 0.75 / 65536, over the step 3 / 65536.
TEST(QdqLayer, ScalesByHand) {
  Layer layer = point_layer(2, 3);
  layer.shape.kernel_w = 2, layer.shape.width = 2;
  DeployedLayer d = deployed_layer(Option::int8, layer, {1, 2, 3, 4, 5, -6, 7, -8, 9, 10, 11, 12});
  d.input_scale = {1, 14};
  d.output_scale = {{3, 2}, {-3, 2}, {0, 1}};
  d.bias = {65536, -32768, 1};
  const QdqLayer q = qdq_layer(layer, d);
  EXPECT_EQ(q.input_step, 0.25f);
  EXPECT_EQ(q.levels, 255);
  EXPECT_EQ(q.scale, (std::vector<float>{3.f / 65536, 3.f / 65536, 1}));
  EXPECT_EQ(q.bias, (std::vector<float>{1, -0.5f, 1.f / 65536}));
  // Rows are s, c; ONNX's are c, s.
  EXPECT_EQ(q.codes, (std::vector<std::int8_t>{1, 3, 2, 4, -5, -7, 6, 8, 0, 0, 0, 0}));
}

TEST(QdqLayer, OneBitCodesAreSigns) {
  const Layer layer = point_layer(2, 1);
  const QdqLayer q = qdq_layer(layer, deployed_layer(Option::int1, layer, {1, 0}));
  EXPECT_EQ(q.codes, (std::vector<std::int8_t>{1, -1}));
  EXPECT_EQ(q.levels, 1);
}

TEST(QdqLayer, ArbitraryPrecisionsKeepTheirValues) {
  const Layer layer = point_layer(2, 1);
  DeployedLayer d = deployed_layer(Option::int8, layer, {-3, 2});
  d.option = arbitrary_precision(3, 2);
  EXPECT_EQ(qdq_layer(layer, d).codes, (std::vector<std::int8_t>{-3, 2}));
  EXPECT_EQ(qdq_layer(layer, d).levels, 3);
}

TEST(QdqLayer, AnInputScaleMustBePositive) {
  const Layer layer = point_layer(2, 1);
  DeployedLayer d = deployed_layer(Option::int8, layer, {1, 2});
  d.input_scale.multiplier = 0;
  EXPECT_THROW(qdq_layer(layer, d), Error);
}

double half(std::uint16_t word) {
  const int exponent = word >> 10 & 31, fraction = word & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return word & 0x8000 ? -magnitude : magnitude;
}

/// One output in real numbers, as the header says; x: the layer's input in real numbers, H x W x C.
double evaluate(const QdqLayer& q, const emu::ConvShape& s, const std::vector<double>& x, std::int64_t o,
                std::int64_t p, std::int64_t column) {
  double sum = 0;
  for (std::int64_t i = 0; i < s.in_channels; ++i)
    for (std::int64_t r = 0; r < s.kernel_h; ++r)
      for (std::int64_t c = 0; c < s.kernel_w; ++c) {
        const std::int64_t row = p * s.stride + r - s.pad, at = column * s.stride + c - s.pad;
        if (row < 0 || row >= s.height || at < 0 || at >= s.width) continue;
        const double value = x[std::size_t((row * s.width + at) * s.in_channels + i)];
        const std::size_t w = std::size_t(((o * s.in_channels + i) * s.kernel_h + r) * s.kernel_w + c);
        if (q.is_float)
          sum += half(q.halves[w]) * value;
        else
          sum += q.codes[w] * double(q.scale[std::size_t(o)]) * q.input_step *
                 std::clamp(std::floor(value / q.input_step + 0.5), 0.0, double(q.levels));
      }
  return (q.is_float ? sum * q.scale[std::size_t(o)] : sum) + q.bias[std::size_t(o)];
}

/// The real-valued layer against the independent integers. Inputs are whole steps, so that no rounding of
/// activations can differ; what remains are f32 scales and one stream word.
TEST(QdqLayer, RealNumbersMeanWhatTheIntegersCompute) {
  for (const Option option : default_menu) {
    std::mt19937 random(71);
    Layer layer = point_layer(16, 24);
    layer.shape.height = 5, layer.shape.width = 4;
    layer.shape.kernel_h = layer.shape.kernel_w = 3;
    layer.shape.pad = 1, layer.shape.stride = 2;
    DeployedNetwork net = random_deployed({"n", {layer}}, {option}, random);
    net.layers[0].input_scale = {1, 13};  // a step of 1/8
    net.layers[0].output_scale[3] = {0, 1};
    std::vector<std::int32_t> image;
    std::vector<double> x;
    for (int i = 0; i < 5 * 4 * 16; ++i) {
      image.push_back(std::int32_t(random() % 300) << 13);
      x.push_back(image.back() / 65536.0);
    }
    const LayerResult want = run_reference(net, image, 1)[0];
    const QdqLayer q = qdq_layer(layer, net.layers[0]);
    for (std::int64_t i = 0; i < std::ssize(want.output); ++i) {
      const std::int64_t o = i % 24, pixel = i / 24;
      const double expected = want.output[std::size_t(i)] / 65536.0;
      const double got = evaluate(q, layer.shape, x, o, pixel / 2, pixel % 2);
      const double most = (q.is_float ? 2e-3 : 1e-6) * (1 + std::abs(expected)) + 1.0 / 65536;
      ASSERT_NEAR(got, expected, most) << name(option) << " " << i;
    }
  }
}

}  // namespace
}  // namespace twofour::nas
