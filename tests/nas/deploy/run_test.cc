// Emulated Tensor Cores against the independent reference, and what each of them refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "deployed_networks.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

Network odd_network() {
  const auto layer = [](std::string name, emu::ConvShape shape, int input, int residual, bool relu,
                        bool pool) {
    return Layer{.name = std::move(name),
                 .shape = shape,
                 .input = input,
                 .residual = residual,
                 .activation = relu ? Activation::relu : Activation::none,
                 .pool = {.kind = pool ? PoolKind::global_average : PoolKind::none}};
  };
  // Channels that fill no vector, kernels of 5 and 1x3, a stride of 2 without a border, two residuals.
  return {"odd",
          {layer("a",
                 {.height = 13,
                  .width = 9,
                  .in_channels = 3,
                  .out_channels = 7,
                  .kernel_h = 5,
                  .kernel_w = 5,
                  .pad = 2},
                 0, -1, true, false),
           layer("b",
                 {.height = 13,
                  .width = 9,
                  .in_channels = 7,
                  .out_channels = 7,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .pad = 1},
                 1, 1, false, false),
           layer("c",
                 {.height = 13,
                  .width = 9,
                  .in_channels = 7,
                  .out_channels = 33,
                  .kernel_h = 1,
                  .kernel_w = 3,
                  .stride = 2},
                 2, -1, true, false),
           layer("d", {.height = 7, .width = 4, .in_channels = 33, .out_channels = 33}, 3, 3, true, false),
           layer("e", {.in_channels = 33, .out_channels = 5}, 4, -1, false, true)}};
}

std::string text(const Comparison& c) {
  std::string out = fmt::format("{} of {} words differ; by layer:", c.differing, c.compared);
  for (const std::int64_t d : c.differing_per_layer) out += fmt::format(" {}", d);
  return out;
}

void expect_equal(const DeployedNetwork& net, int batch, std::mt19937& random) {
  const auto images = random_images(net.network, batch, random);
  const auto emulated = run_emulated(net, images, batch);
  const Comparison c = compare(emulated, run_reference(net, images, batch));
  EXPECT_EQ(c.differing, 0) << text(c);
  EXPECT_GT(c.compared, 0);
  // The comparison is of live signals: no layer is all zeros.
  for (std::size_t i = 0; i < emulated.size(); ++i)
    EXPECT_GT(std::ranges::count_if(emulated[i].output, [](std::int32_t x) { return x != 0; }),
              std::ssize(emulated[i].output) / 20)
        << "layer " << i;
}

class EveryOption : public testing::TestWithParam<Option> {};
INSTANTIATE_TEST_SUITE_P(
    Options, EveryOption, testing::ValuesIn([] {
      std::vector<Option> all;
      for (const Option o : default_menu) all.push_back(o);
      for (const auto& [p, q] : {std::pair(1, 8), {2, 1}, {2, 2}, {3, 5}, {4, 4}, {8, 8}})
        all.push_back(arbitrary_precision(p, q));
      return all;
    }()),
    [](const auto& p) { return "option" + std::to_string(int(p.param)); });

TEST_P(EveryOption, EmulatedEqualsReferenceOnAResnet) {
  std::mt19937 random(11);
  const Network network = resnet_small(1, 16, 2, 20);
  std::vector<Option> options(network.layers.size(), GetParam());
  options.front() = options.back() = Option::int8;
  expect_equal(random_deployed(network, options, random), 3, random);
}

TEST(Deploy, EmulatedEqualsReferenceOnOddShapes) {
  std::mt19937 random(12);
  const Network network = odd_network();
  for (const Option o : default_menu) {
    if (info(o).sparse) continue;  // sparse layers take whole groups of channels
    SCOPED_TRACE(name(o));
    expect_equal(random_deployed(network, std::vector<Option>(network.layers.size(), o), random), 2, random);
  }
}

TEST(Deploy, EmulatedEqualsReferenceForAllBitPlanes) {
  std::mt19937 random(18);
  const Network network = odd_network();
  for (int p = 1; p <= 8; ++p)
    for (int q = 1; q <= 8; ++q) {
      SCOPED_TRACE(name(arbitrary_precision(p, q)));
      expect_equal(random_deployed(network, {network.layers.size(), arbitrary_precision(p, q)}, random), 1,
                   random);
    }
}

TEST(Deploy, BitPlanesEqualTheNativeTypes) {
  std::mt19937 random(19);
  const Network network = odd_network();
  for (const auto& [native, planes] :
       {std::pair(Option::int8, arbitrary_precision(8, 8)), {Option::int4, arbitrary_precision(4, 4)}}) {
    const DeployedNetwork net = random_deployed(network, {network.layers.size(), native}, random);
    DeployedNetwork serial = net;
    for (DeployedLayer& l : serial.layers) {
      l.option = planes;
      emu::PackedMatrix bytes(stored_weights(planes), l.weights.rows(), l.weights.cols());
      for (std::int64_t r = 0; r < bytes.rows(); ++r)
        for (std::int64_t c = 0; c < bytes.cols(); ++c) bytes.set_integer(r, c, l.weights.integer(r, c));
      l.weights = bytes;
    }
    const auto images = random_images(network, 2, random);
    const Comparison c = compare(run_emulated(serial, images, 2), run_emulated(net, images, 2));
    EXPECT_EQ(c.differing, 0) << text(c);
  }
}

TEST(Deploy, BitPlanesAreRefusedOutOfRange) {
  const Layer layer = point_layer(2, 1);
  for (const auto& [p, legal, illegal] : {std::tuple(2, -1, -2), {3, 3, 4}, {8, -127, -128}}) {
    const Option o = arbitrary_precision(p, 2);
    const auto net = [&](std::int64_t w) {
      return DeployedNetwork{{"n", {layer}}, {deployed_layer(o, layer, {w, 0})}};
    };
    EXPECT_EQ(run_emulated(net(legal), {65536 * 2, 0}, 1)[0].accumulators.integer(0, 0), 2 * legal);
    EXPECT_THROW(run_emulated(net(illegal), {0, 0}, 1), Error) << p;
    EXPECT_THROW(run_reference(net(illegal), {0, 0}, 1), Error) << p;
  }
  // 128 * 255 * 65794 > 2^31 - 1 >= 128 * 255 * 65793.
  for (const auto& [k, legal] : {std::pair(65793, true), {65794, false}}) {
    const Layer wide = point_layer(k, 1);
    const DeployedNetwork net{
        {"n", {wide}},
        {deployed_layer(arbitrary_precision(8, 8), wide, std::vector<std::int64_t>(std::size_t(k), -127))}};
    const std::vector<std::int32_t> image(std::size_t(k), INT32_MAX);
    if (!legal) {
      EXPECT_THROW(run_reference(net, image, 1), Error);
      continue;
    }
    EXPECT_EQ(run_emulated(net, image, 1)[0].accumulators.integer(0, 0), std::int64_t(-127) * 255 * k);
  }
}

TEST(Deploy, EmulatedEqualsReferenceOnMixedNetworks) {
  std::mt19937 random(13);
  const Network network = resnet_small(2, 16, 1, 12);
  for (int i = 0; i < 12; ++i) {
    std::vector<Option> options;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const std::vector<Option> legal = legal_options(network, l);
      options.push_back(legal[random() % legal.size()]);
    }
    SCOPED_TRACE(i);
    expect_equal(random_deployed(network, options, random), 1 + i % 3, random);
  }
}

TEST(Deploy, CompareCatchesEveryBrokenPart) {
  std::mt19937 random(14);
  const Network network = resnet_small(1, 16, 2, 12);
  std::vector<Option> options(network.layers.size(), Option::int8);
  options[2] = Option::fp16;
  options[3] = Option::int1;
  options[4] = Option::int4_sparse;
  const DeployedNetwork net = random_deployed(network, options, random);
  const auto images = random_images(network, 2, random);
  const auto emulated = run_emulated(net, images, 2);
  const std::size_t with_residual = 2;
  ASSERT_GE(network.layers[with_residual].residual, 0);
  const std::vector<std::pair<std::size_t, std::function<void(DeployedNetwork&)>>> breaks{
      {1,
       [](auto& n) {
         n.layers[1].weights.set_integer(3, 7, n.layers[1].weights.integer(3, 7) > 0 ? -1 : 1);
       }},
      {2, [](auto& n) { n.layers[2].weights.set_bits(0, 0, n.layers[2].weights.bits(0, 0) ^ 0x8000); }},
      {3, [](auto& n) { n.layers[3].weights.set_bits(5, 9, n.layers[3].weights.bits(5, 9) ^ 1); }},
      {0, [](auto& n) { n.layers[0].bias[0] += 1; }},
      {1, [](auto& n) { n.layers[1].output_scale[2].shift -= 1; }},
      {1, [](auto& n) { n.layers[1].input_scale.multiplier /= 2; }},
      {2, [](auto& n) { n.layers[2].float_scale[1] *= 1.5; }},
      {with_residual, [&](auto& n) { n.network.layers[with_residual].residual = -1; }},
      {5, [](auto& n) {
         Activation& a = n.network.layers[5].activation;
         a = a == Activation::relu ? Activation::none : Activation::relu;
       }}};
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    DeployedNetwork broken = net;
    breaks[i].second(broken);
    const Comparison c = compare(emulated, run_reference(broken, images, 2));
    EXPECT_GT(c.differing, 0) << "break " << i;
    for (std::size_t l = 0; l < c.differing_per_layer.size(); ++l) {
      if (l < breaks[i].first) {
        EXPECT_EQ(c.differing_per_layer[l], 0) << "break " << i << ", layer " << l;
      }
      if (l == breaks[i].first) {
        EXPECT_GT(c.differing_per_layer[l], 0) << "break " << i;
      }
    }
  }
}

TEST(Deploy, CompareCountsWordsAndRefusesOtherRuns) {
  std::mt19937 random(15);
  const Layer layer = point_layer(2, 3);
  const DeployedNetwork net{{"n", {layer}}, {deployed_layer(Option::int8, layer, {1, 2, 3, 4, 5, 6})}};
  const auto a = run_emulated(net, {65536, 65536, 0, 65536}, 2);
  auto b = a;
  b[0].output[1] += 1;
  b[0].accumulators.set_integer(1, 2, 77);
  const Comparison c = compare(a, b);
  EXPECT_EQ(c.compared, 12);
  EXPECT_EQ(c.differing, 2);
  EXPECT_EQ(c.differing_per_layer, (std::vector<std::int64_t>{2}));
  EXPECT_THROW(compare(a, {}), Error);
  EXPECT_THROW(compare(a, run_emulated(net, {0, 0}, 1)), Error);
}

TEST(Deploy, RefusesInconsistentNetworks) {
  std::mt19937 random(16);
  const Network network = resnet_small(1, 16, 2, 12);
  std::vector<Option> options(network.layers.size(), Option::int8);
  options[1] = Option::int8_sparse;
  options[2] = Option::fp16;
  options[3] = Option::int4;
  const DeployedNetwork net = random_deployed(network, options, random);
  const std::vector<std::pair<std::string, std::function<void(DeployedNetwork&)>>> breaks{
      {"layers, 7 of them", [](auto& n) { n.layers.resize(7); }},
      {"reads tensor 1", [](auto& n) { n.network.layers[1].shape.in_channels = 32; }},
      {"reads tensor 1", [](auto& n) { n.network.layers[1].shape.height += 1; }},
      {"its input is tensor 9", [](auto& n) { n.network.layers[1].input = 9; }},
      {"its residual is tensor 3", [](auto& n) { n.network.layers[2].residual = 3; }},
      {"adds residual tensor 0", [](auto& n) { n.network.layers[2].residual = 0; }},
      {"illegal shape", [](auto& n) { n.network.layers[0].shape.stride = 0; }},
      {"weights of type", [](auto& n) { n.layers[0].option = Option::int4; }},
      {"groups of its weights are not sparse",
       [](auto& n) {
         for (int c = 0; c < 4; ++c) n.layers[1].weights.set_integer(0, c, 1);
       }},
      {"weights of 16 x 144",
       [](auto& n) { n.layers[3].weights = emu::PackedMatrix(isa::ElementType::s4, 16, 144); }},
      {"weight -8", [](auto& n) { n.layers[3].weights.set_integer(0, 0, -8); }},
      {"weight -128", [](auto& n) { n.layers[0].weights.set_integer(0, 0, -128); }},
      {"infinite or NaN", [](auto& n) { n.layers[2].weights.set_bits(0, 0, 0x7c00); }},
      {"float scales", [](auto& n) { n.layers[2].float_scale.pop_back(); }},
      {"float scale of", [](auto& n) { n.layers[2].float_scale[0] = HUGE_VAL; }},
      {"output scales", [](auto& n) { n.layers[0].output_scale.pop_back(); }},
      {"biases", [](auto& n) { n.layers[0].bias.clear(); }},
      {"fixed-point shift of 63", [](auto& n) { n.layers[0].input_scale.shift = 63; }}};
  const std::vector<std::int32_t> images(12 * 12, 0);
  EXPECT_NO_THROW(run_reference(net, images, 1));
  for (const auto& [words, change] : breaks) {
    DeployedNetwork broken = net;
    change(broken);
    for (const auto run : {&run_emulated, &run_reference}) {
      try {
        run(broken, images, 1);
        ADD_FAILURE() << "accepted: " << words;
      } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find(words), std::string::npos)
            << "wanted " << words << ", got " << e.what();
      }
    }
  }
  EXPECT_THROW(run_emulated(net, images, 2), Error);
  EXPECT_THROW(run_reference(net, images, 0), Error);
}

TEST(Deploy, RefusesSumsThatLeave32Bits) {
  // 127 * 255 * 66312 > 2^31 - 1 >= 127 * 255 * 66311.
  for (const auto& [k, legal] : {std::pair(66311, true), {66312, false}}) {
    const Layer layer = point_layer(k, 1);
    const DeployedNetwork net{
        {"n", {layer}},
        {deployed_layer(Option::int8, layer, std::vector<std::int64_t>(std::size_t(k), 127))}};
    const std::vector<std::int32_t> image(std::size_t(k), INT32_MAX);
    if (!legal) {
      EXPECT_THROW(run_reference(net, image, 1), Error);
      continue;
    }
    EXPECT_EQ(run_reference(net, image, 1)[0].accumulators.integer(0, 0), std::int64_t(127) * 255 * k);
    EXPECT_EQ(run_emulated(net, image, 1)[0].accumulators.integer(0, 0), std::int64_t(127) * 255 * k);
  }
}

}  // namespace
}  // namespace twofour::nas
