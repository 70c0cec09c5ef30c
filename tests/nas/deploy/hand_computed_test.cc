// Layers small enough to work out by hand; both routes must give these words.
#include <gtest/gtest.h>

#include "deployed_networks.h"

namespace twofour::nas {
namespace {

constexpr std::int32_t one = 1 << stream_fraction_bits;

using Run = std::vector<LayerResult> (*)(const DeployedNetwork&, const std::vector<std::int32_t>&, int);

class HandComputed : public testing::TestWithParam<Run> {
 protected:
  /// Runs a network of one layer; returns its result.
  LayerResult run(const Layer& layer, const DeployedLayer& deployed, const std::vector<std::int32_t>& images,
                  int batch = 1) {
    return GetParam()({{"one", {layer}}, {deployed}}, images, batch)[0];
  }

  static std::vector<std::int64_t> integers(const emu::PackedMatrix& m) {
    std::vector<std::int64_t> values;
    for (std::int64_t r = 0; r < m.rows(); ++r)
      for (std::int64_t c = 0; c < m.cols(); ++c) values.push_back(m.integer(r, c));
    return values;
  }
};

INSTANTIATE_TEST_SUITE_P(Routes, HandComputed, testing::Values(&run_emulated, &run_reference),
                         [](const auto& p) { return p.index == 0 ? "emulated" : "reference"; });

using Words = std::vector<std::int32_t>;
using Values = std::vector<std::int64_t>;

TEST_P(HandComputed, Int8ConvolutionWithBorderBiasAndRelu) {
  Layer layer = point_layer(1, 1);
  layer.shape = {.height = 2, .width = 2, .kernel_h = 3, .kernel_w = 3, .pad = 1};
  layer.activation = Activation::relu;
  DeployedLayer d = deployed_layer(Option::int8, layer, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  d.output_scale = {{1, 1}};
  d.bias = {-30};
  const LayerResult r = run(layer, d, {1 * one, 2 * one, 3 * one, 4 * one});
  // Top left: 5*1 + 6*2 + 8*3 + 9*4 = 77, and so on around; halves round up: 77/2 -> 39; 37/2 -> 19 - 30 < 0
  // -> 0.
  EXPECT_EQ(integers(r.accumulators), (Values{77, 67, 47, 37}));
  EXPECT_EQ(r.output, (Words{9, 4, 0, 0}));
}

TEST_P(HandComputed, StrideTakesEverySecondPixel) {
  Layer layer = point_layer(1, 2);
  layer.shape.height = layer.shape.width = 3;
  layer.shape.stride = 2;
  const DeployedLayer d = deployed_layer(Option::int8, layer, {1, -10});
  Words image;
  for (int i = 1; i <= 9; ++i) image.push_back(i * one);
  EXPECT_EQ(run(layer, d, image).output, (Words{1, -10, 3, -30, 7, -70, 9, -90}));
}

TEST_P(HandComputed, ActivationsRoundAndClampToTheLevels) {
  Layer layer = point_layer(1, 1);
  const std::vector<std::pair<Option, Words>> want{{Option::int8, {0, 0, 1, 3, 15, 16, 255, 255}},
                                                   {Option::int4, {0, 0, 1, 3, 15, 15, 15, 15}},
                                                   {Option::int1, {0, 0, 1, 1, 1, 1, 1, 1}}};
  const Words words{-5 * one, one / 2 - 1, one / 2, 3 * one - 1, 15 * one, 16 * one, 255 * one, INT32_MAX};
  for (const auto& [option, outputs] : want)
    EXPECT_EQ(run(layer, deployed_layer(option, layer, {1}), words, 8).output, outputs) << name(option);
}

TEST_P(HandComputed, Int4UsesBothNibbles) {
  const Layer layer = point_layer(3, 2);
  const LayerResult r =
      run(layer, deployed_layer(Option::int4, layer, {-7, 7, 1, 2, -1, 5}), {15 * one, 1 * one, 2 * one});
  // -105 + 7 + 2; 30 - 1 + 10
  EXPECT_EQ(integers(r.accumulators), (Values{-96, 39}));
}

TEST_P(HandComputed, Int1IsPlusAndMinusOne) {
  const Layer layer = point_layer(4, 3);
  // Bits: + - + +, - - - -, + + + -.
  const LayerResult r = run(layer, deployed_layer(Option::int1, layer, {1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0}),
                            {one, one, 0, one});
  EXPECT_EQ(integers(r.accumulators), (Values{1, -3, 1}));
  EXPECT_EQ(r.accumulators.cols(), 3);
}

TEST_P(HandComputed, Int8SparseFindsItsColumns) {
  const Layer layer = point_layer(16, 8);
  std::vector<std::int64_t> w(16 * 8, 0);
  for (std::size_t o = 0; o < 8; ++o) {
    w[o * 16 + 2 * o] = std::int64_t(o) + 1;
    w[o * 16 + 2 * o + 1] = -1;
  }
  Words image;
  for (int c = 0; c < 16; ++c) image.push_back((c + 1) * one);
  // Row o: (o+1)(2o+1) - (2o+2) = 2o^2 + o - 1.
  EXPECT_EQ(run(layer, deployed_layer(Option::int8_sparse, layer, w), image).output,
            (Words{-1, 2, 9, 20, 35, 54, 77, 104}));
}

TEST_P(HandComputed, Int4SparseKeepsPairs) {
  const Layer layer = point_layer(16, 8);
  std::vector<std::int64_t> w(16 * 8, 0);
  for (std::size_t o = 0; o < 8; ++o) {
    w[o * 16 + 4] = 3;
    w[o * 16 + 5] = -2;
    w[o * 16 + 6] = std::int64_t(o);
    w[o * 16 + 15] = 7;
  }
  Words image(16, one);
  image[15] = 2 * one;
  EXPECT_EQ(run(layer, deployed_layer(Option::int4_sparse, layer, w), image).output,
            (Words{15, 16, 17, 18, 19, 20, 21, 22}));
}

// f16 words.
constexpr std::int64_t h_one = 0x3c00, h_quarter = 0x3400, h_three_quarters = 0x3a00, h_4096 = 0x6c00;

TEST_P(HandComputed, Fp16ActivationsRoundToNearestEven) {
  const Layer layer = point_layer(1, 1);
  const DeployedLayer d = deployed_layer(Option::fp16, layer, {h_one});
  // 2049 and 2051 lie between two f16 numbers; 2^-16 is subnormal and exact.
  const LayerResult r = run(layer, d, {2049 * one, 2051 * one, -2049 * one, 1, INT32_MIN}, 5);
  EXPECT_EQ(r.output, (Words{2048, 2052, -2048, 0, -32768}));
  const std::vector<std::uint32_t> f32{0x45000000, 0x45004000, 0xc5000000, 0x37800000, 0xc7000000};
  for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(r.accumulators.bits(i, 0), f32[std::size_t(i)]) << i;
}

TEST_P(HandComputed, Fp16ScalesInDouble) {
  const Layer layer = point_layer(1, 1);
  DeployedLayer d = deployed_layer(Option::fp16, layer, {h_three_quarters});
  d.float_scale = {65536.0 / 3};
  d.bias = {10};
  EXPECT_EQ(run(layer, d, {2 * one}).output, (Words{32778}));  // 1.5 * 65536 / 3 + 10
  d.float_scale = {1e30};
  EXPECT_EQ(run(layer, d, {2 * one}).output, (Words{INT32_MAX}));
  d.float_scale = {-1e300};
  EXPECT_EQ(run(layer, d, {2 * one}).output, (Words{INT32_MIN}));
}

TEST_P(HandComputed, Fp16TruncatesBelowTheWindow) {
  // 2^24 + 0.75 + 0.75 in one block: each 0.75 lies below 2^(24-24) and goes; IEEE arithmetic would give 2^24
  // + 2.
  const Layer layer = point_layer(3, 1);
  const LayerResult r =
      run(layer, deployed_layer(Option::fp16, layer, {h_4096, h_three_quarters, h_three_quarters}),
          {4096 * one, one, one});
  EXPECT_EQ(r.accumulators.bits(0, 0), 0x4b800000u);
}

TEST_P(HandComputed, Fp16BlocksAreEightKeptProducts) {
  // Columns 0, 1, 4, 5 give 0.25 each, column 8 gives 2^23. Dense: the first block makes 1.0, the second 2^23
  // + 1. Sparse: one block of 16 columns, in which 0.25 lies below 2^(23-24): 2^23.
  const Layer layer = point_layer(16, 8);
  std::vector<std::int64_t> w(16 * 8, 0);
  for (std::size_t o = 0; o < 8; ++o) {
    for (const std::size_t c : {0, 1, 4, 5}) w[o * 16 + c] = h_quarter;
    w[o * 16 + 8] = h_4096;
  }
  Words image(16, one);
  image[8] = 2048 * one;
  EXPECT_EQ(run(layer, deployed_layer(Option::fp16, layer, w), image).accumulators.bits(0, 7), 0x4b000001u);
  EXPECT_EQ(run(layer, deployed_layer(Option::fp16_sparse, layer, w), image).accumulators.bits(0, 7),
            0x4b000000u);
}

TEST_P(HandComputed, ResidualsAddAndOutputsSaturate) {
  Layer layer = point_layer(1, 1);
  layer.residual = 0;
  DeployedLayer d = deployed_layer(Option::int8, layer, {2});
  EXPECT_EQ(run(layer, d, {3 * one, -3 * one}, 2).output, (Words{3 * one + 6, -3 * one}));
  d.bias = {INT32_MAX};
  EXPECT_EQ(run(layer, d, {3 * one, -3 * one}, 2).output, (Words{INT32_MAX, INT32_MAX - 3 * one}));
  d.bias = {INT32_MIN};
  EXPECT_EQ(run(layer, d, {-3 * one}).output, (Words{INT32_MIN}));
  layer.activation = Activation::relu;
  EXPECT_EQ(run(layer, d, {-3 * one}).output, (Words{0}));
}

TEST_P(HandComputed, PoolRoundsHalfUpAlsoBelowZero) {
  // A first layer passes the image on (fp16, exact); the second averages it.
  Layer pass = point_layer(1, 1), pool = point_layer(1, 1);
  pass.shape.height = pass.shape.width = 2;
  pool.input = 1;
  pool.pool.kind = PoolKind::global_average;
  DeployedNetwork net{
      {"pool", {pass, pool}},
      {deployed_layer(Option::fp16, pass, {h_one}), deployed_layer(Option::fp16, pool, {h_one})}};
  for (DeployedLayer& d : net.layers) d.float_scale = {65536};
  // Sums 11, -10, -5, 6: (11+2)/4 = 3, (-10+2)/4 = -2, floor(-3/4) = -1, 8/4 = 2.
  const Words images{1, 2, 3, 5, -1, -2, -3, -4, -1, -1, -1, -2, 3, 3, 0, 0};
  EXPECT_EQ(GetParam()(net, images, 4)[1].output, (Words{3, -2, -1, 2}));
}

}  // namespace
}  // namespace twofour::nas
