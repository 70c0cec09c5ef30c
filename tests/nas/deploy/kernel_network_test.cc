// Networks lowered to emulated kernels, against the independent reference.
#include "twofour/nas/deploy/kernel_network.h"

#include <gtest/gtest.h>

#include "deployed_networks.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/stream_ops.h"

namespace twofour::nas {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

/// Several int1 products have no kernel.
bool has_kernel(Option o) {
  return !is_bit_serial(o) || o == Option::int1;
}

/// Outputs of all layers, and accumulators, equal the reference; every layer that can be is lowered.
void expect_exact(const DeployedNetwork& net, std::int64_t schedule_batch, int images, std::mt19937& random) {
  const KernelNetwork kernels = lower(net, schedule_batch, a100);
  const auto words = random_images(net.network, images, random);
  const KernelCheck check = run_kernels(net, kernels, words, images, true);
  ASSERT_EQ(check.layers.size(), net.layers.size());
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const emu::ConvShape& s = net.network.layers[i].shape;
    EXPECT_EQ(kernels.layers[i].lowered(), has_kernel(net.layers[i].option)) << net.network.layers[i].name;
    EXPECT_EQ(check.layers[i].differing, 0) << net.network.layers[i].name;
    EXPECT_EQ(check.layers[i].outputs, images * s.gemm_m() * s.gemm_n());
    EXPECT_EQ(check.layers[i].accumulators, check.layers[i].outputs);
    EXPECT_EQ(check.layers[i].instructions > 0, has_kernel(net.layers[i].option));
  }
}

std::vector<Option> all_but_edges(const Network& network, Option option) {
  std::vector<Option> options(network.layers.size(), option);
  options.front() = options.back() = Option::int8;
  return options;
}

class EveryKernel : public testing::TestWithParam<Option> {};
INSTANTIATE_TEST_SUITE_P(Options, EveryKernel, testing::ValuesIn(default_menu),
                         [](const auto& p) { return "option" + std::to_string(int(p.param)); });

TEST_P(EveryKernel, AResnetEqualsTheReference) {
  std::mt19937 random(41);
  const Network network = resnet_small(1, 16, 2, 12);
  const DeployedNetwork net = random_deployed(network, all_but_edges(network, GetParam()), random);
  for (const std::int64_t schedule_batch : {1, 256}) expect_exact(net, schedule_batch, 2, random);
}

TEST(KernelNetwork, MixedNetworksEqualTheReference) {
  std::mt19937 random(42);
  const Network network = resnet_small(1, 16, 1, 8);
  for (int i = 0; i < 3; ++i) {
    std::vector<Option> options;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const std::vector<Option> legal = legal_options(network, l);
      options.push_back(legal[random() % legal.size()]);
    }
    expect_exact(random_deployed(network, options, random), 64, 1, random);
  }
}

/// A kernel of 5, a rectangle, channels of no whole copy.
TEST(KernelNetwork, OddShapesEqualTheReference) {
  std::mt19937 random(43);
  Layer a = point_layer(3, 7), b = point_layer(7, 33), c = point_layer(33, 5);
  a.name = "a", b.name = "b", c.name = "c";
  a.shape.height = b.shape.height = 9, a.shape.width = b.shape.width = 6;
  a.shape.kernel_h = a.shape.kernel_w = 5, a.shape.pad = 2;
  a.activation = Activation::relu;
  b.shape.kernel_w = 3, b.shape.stride = 2, b.input = 1;
  c.input = 2, c.pool.kind = PoolKind::global_average;
  for (const Option o : default_menu) {
    if (info(o).sparse) continue;
    SCOPED_TRACE(name(o));
    expect_exact(random_deployed({"odd", {a, b, c}}, {o, o, o}, random), 1, 2, random);
  }
}

TEST(KernelNetwork, SchedulesAreTheModelsOrSayWhyNot) {
  std::mt19937 random(44);
  const Network network = resnet_small(1, 64, 1, 28);
  for (const Option o : default_menu)
    for (const std::int64_t batch : {1, 1024}) {
      const auto lowered = lower(random_deployed(network, all_but_edges(network, o), random), batch, a100);
      for (const LoweredLayer& l : lowered.layers) {
        if (!has_kernel(l.option)) continue;
        const bool same = l.schedule.tile == l.latency.schedule.tile &&
                          l.schedule.decomposition == l.latency.schedule.decomposition &&
                          l.schedule.splits == l.latency.schedule.splits;
        EXPECT_EQ(l.schedule_note.empty(), same) << l.name << " " << name(o) << ": " << l.schedule_note;
        if (isa::is_float(info(l.option).weight)) {
          EXPECT_EQ(l.schedule.decomposition, emu::Decomposition::data_parallel) << l.name;
        }
        EXPECT_NO_THROW(emu::plan_kernel(l.kernel.problem_of(1), l.schedule)) << l.name;
      }
    }
}

TEST(KernelNetwork, WhatHasNoKernelSaysSoAndTakesTheOtherRoute) {
  std::mt19937 random(45);
  Layer layer = point_layer(16, 16);
  layer.groups = 16;
  const DeployedNetwork net = random_deployed({"n", {point_layer(16, 16)}}, {Option::int8}, random);
  const LayerKernel depthwise = layer_kernel(layer, net.layers[0]);
  EXPECT_EQ(depthwise.form, KernelForm::none);
  EXPECT_NE(depthwise.reason.find("depthwise"), std::string::npos);
  DeployedLayer serial = net.layers[0];
  serial.option = arbitrary_precision(2, 3);
  EXPECT_NE(layer_kernel(point_layer(16, 16), serial).reason.find("int1 products"), std::string::npos);

  layer.groups = 1;
  layer.activation = Activation::relu6;  // no fused epilogue clamps at 6
  EXPECT_EQ(layer_kernel(layer, net.layers[0]).form, KernelForm::accumulators);
  layer.activation = Activation::relu;
  EXPECT_EQ(layer_kernel(layer, net.layers[0]).form, KernelForm::fused);

  KernelNetwork kernels = lower(net, 1, a100);
  kernels.layers[0].kernel.form = KernelForm::none;
  const auto check = run_kernels(net, kernels, random_images(net.network, 3, random), 3);
  EXPECT_EQ(check.layers[0].instructions, 0);
  EXPECT_EQ(check.layers[0].outputs, 3 * 16);
  EXPECT_EQ(check.differing(), 0);
}

TEST(KernelNetwork, ABrokenKernelIsCaught) {
  std::mt19937 random(46);
  const Network network = resnet_small(1, 16, 2, 12);
  const DeployedNetwork net = random_deployed(network, all_but_edges(network, Option::int8_sparse), random);
  const auto images = random_images(network, 1, random);
  const KernelNetwork good = lower(net, 1, a100);
  const auto differing = [&](const auto& change) {
    KernelNetwork bad = good;
    change(bad.layers[2].kernel);
    return run_kernels(net, bad, images, 1).layers[2].differing;
  };
  EXPECT_EQ(differing([](LayerKernel&) {}), 0);
  EXPECT_GT(differing([](LayerKernel& k) { k.bias[3] += 1; }), 0);
  EXPECT_GT(differing([](LayerKernel& k) { k.scale[16 + 3] += 1; }), 0);
  EXPECT_GT(differing([](LayerKernel& k) { k.problem.epilogue.relu = false; }), 0);
  EXPECT_GT(differing([](LayerKernel& k) { k.problem.epilogue.residual = false; }), 0);
  EXPECT_GT(differing([](LayerKernel& k) {
              for (auto& code : k.sparse->codes) code = code == 0x4 ? 0x9 : 0x4;
            }),
            0);
}

TEST(KernelNetwork, SimulatedLatenciesAreOfTheModelsOrder) {
  std::mt19937 random(47);
  Layer layer = point_layer(64, 64);
  layer.shape.height = layer.shape.width = 14;
  layer.shape.kernel_h = layer.shape.kernel_w = 3, layer.shape.pad = 1;
  for (const Option o : {Option::int8, Option::fp16_sparse}) {
    const DeployedNetwork net = random_deployed({"n", {layer}}, {o}, random);
    KernelNetwork kernels = lower(net, 64, a100);
    simulate_layers(kernels, net, a100);
    ASSERT_TRUE(kernels.layers[0].simulated_us) << kernels.layers[0].simulated_note;
    EXPECT_GT(*kernels.layers[0].simulated_us, 0.5 * kernels.layers[0].latency.microseconds);
    EXPECT_LT(*kernels.layers[0].simulated_us, 2 * kernels.layers[0].latency.microseconds);
  }
}

// By hand from the rules in integer_network.h.
TEST(StreamOps, ActivationsClampByHand) {
  const Layer layer = point_layer(1, 3);
  const DeployedLayer d = deployed_layer(Option::int8, layer, {1, 1, 1});  // output scale 1
  emu::PackedMatrix sums(isa::ElementType::s32, 1, 3);
  sums.set_integer(0, 0, -5), sums.set_integer(0, 1, 7), sums.set_integer(0, 2, 6 * 65536 + 1);
  using Words = std::vector<std::int32_t>;
  EXPECT_EQ(finished(d, Activation::none, sums, nullptr), (Words{-5, 7, 393217}));
  EXPECT_EQ(finished(d, Activation::relu, sums, nullptr), (Words{0, 7, 393217}));
  EXPECT_EQ(finished(d, Activation::relu6, sums, nullptr), (Words{0, 7, 393216}));
  const Words residual{10, INT32_MAX, -1};
  EXPECT_EQ(finished(d, Activation::relu, sums, &residual), (Words{5, INT32_MAX, 393216}));
}

}  // namespace
}  // namespace twofour::nas
