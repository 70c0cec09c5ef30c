// Laws of the network latency, and numbers worked out by hand.
#include "twofour/nas/timing/network_latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "twofour/emu/timing/attention_latency.h"
#include "twofour/emu/timing/conv_latency.h"
#include "twofour/emu/timing/stream_latency.h"
#include "twofour/isa/error.h"
#include "twofour/nas/graph/workload_builder.h"
#include "twofour/nas/graph/workload_builtin.h"

namespace twofour::nas {
namespace {

using isa::ElementType;
const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

NetworkLatency time_of(std::string_view name, std::int64_t batch, const NetworkOptions& options = {}) {
  return network_latency(builtin_workload(name, {.batch = batch}), options, a100);
}

NetworkOptions with(ElementType type, bool sparse = false) {
  NetworkOptions options;
  options.type = type;
  options.sparse = sparse;
  return options;
}

const KernelLatency& find(const NetworkLatency& network, std::string_view name) {
  const auto at = std::find_if(network.kernels.begin(), network.kernels.end(),
                               [&](const KernelLatency& k) { return k.name == name; });
  if (at == network.kernels.end()) throw std::runtime_error("no kernel " + std::string(name));
  return *at;
}

const Advice& advice(const KernelLatency& k, std::string_view option) {
  const auto at =
      std::find_if(k.advice.begin(), k.advice.end(), [&](const Advice& a) { return a.option == option; });
  if (at == k.advice.end()) throw std::runtime_error("no advice " + std::string(option));
  return *at;
}

TEST(NetworkLatency, PartsAddUp) {
  for (const auto& known : builtin_workloads())
    for (const auto launch : {emu::Launch::graph, emu::Launch::stream, emu::Launch::as_measured}) {
      NetworkOptions options;
      options.launch = launch;
      const auto network = time_of(known.name, 2, options);
      double us = network.host_us, share = network.host_us / network.microseconds;
      std::int64_t macs = 0;
      for (const auto& k : network.kernels) {
        us += k.microseconds;
        share += k.share;
        macs += k.macs;
        EXPECT_GT(k.microseconds, 0) << k.name;
      }
      EXPECT_NEAR(us, network.microseconds, 1e-6 * us) << known.name;
      EXPECT_NEAR(share, 1, 1e-9) << known.name;
      EXPECT_EQ(macs, network.macs) << known.name;
      EXPECT_NEAR(network.items_per_second, 2e6 / network.microseconds, 1e-6) << known.name;
    }
}

TEST(NetworkLatency, NoFasterThanItsPeakOrItsLaunches) {
  for (const auto& known : builtin_workloads())
    for (const std::int64_t batch : {1, 64}) {
      const auto network = time_of(known.name, batch);
      EXPECT_LT(network.peak_fraction, 0.9) << known.name;
      EXPECT_GT(network.microseconds, network.launches * a100.launch_graph_us) << known.name;
    }
}

TEST(NetworkLatency, MoreImagesTakeLongerAndLessEach) {
  for (const auto type : {ElementType::f16, ElementType::s8}) {
    double before = 0, each = 1e9;
    for (const std::int64_t batch : {1, 4, 16, 64, 256}) {
      const double us = time_of("resnet50", batch, with(type)).microseconds;
      EXPECT_GT(us, before);
      EXPECT_LT(us / static_cast<double>(batch), each);
      before = us;
      each = us / static_cast<double>(batch);
    }
  }
}

TEST(NetworkLatency, FusionAndGraphsNeverCost) {
  for (const auto& known : builtin_workloads()) {
    NetworkOptions options;
    const double fused = time_of(known.name, 8, options).microseconds;
    options.launch = emu::Launch::stream;
    EXPECT_GE(time_of(known.name, 8, options).microseconds, fused) << known.name;
    options.launch = emu::Launch::kernel;
    EXPECT_LT(time_of(known.name, 8, options).microseconds, fused) << known.name;
    options.launch = emu::Launch::graph;
    options.fusion = false;
    EXPECT_GT(time_of(known.name, 8, options).microseconds, fused) << known.name;
  }
}

TEST(NetworkLatency, NarrowerTypesAreFasterOnLargeBatches) {
  const auto us = [](ElementType type, bool sparse) {
    return time_of("resnet50", 64, with(type, sparse)).microseconds;
  };
  EXPECT_GT(us(ElementType::tf32, false), us(ElementType::f16, false));
  EXPECT_GT(us(ElementType::f16, false), us(ElementType::s8, false));
  EXPECT_GT(us(ElementType::s8, false), us(ElementType::s4, false));
  EXPECT_GE(us(ElementType::f16, false), us(ElementType::f16, true));
  EXPECT_GE(us(ElementType::s8, false), us(ElementType::s8, true));
}

TEST(NetworkLatency, EdgeLayersStayDenseAndInt8) {
  const auto network = time_of("resnet50", 32, with(ElementType::s4, true));
  for (const auto* name : {"conv1", "fc"}) {
    EXPECT_EQ(find(network, name).type, ElementType::s8) << name;
    EXPECT_FALSE(find(network, name).sparse) << name;
  }
  EXPECT_EQ(find(network, "layer1.0.conv1").type, ElementType::s4);
  const auto sparse =
      std::count_if(network.kernels.begin(), network.kernels.end(), [](const auto& k) { return k.sparse; });
  EXPECT_GT(sparse, 10);
  const auto bert = time_of("bert-base", 8, with(ElementType::s4));
  EXPECT_EQ(find(bert, "layer0.attention.scores").type, ElementType::s8);
  EXPECT_EQ(find(bert, "layer0.attention.query").type,
            ElementType::s4);  // behind the embedding: no first layer
  EXPECT_EQ(find(bert, "pooler").type, ElementType::s8);
}

TEST(NetworkLatency, SaysWhyAnOptionPaysOrDoesNot) {
  const auto large = time_of("resnet50", 64, with(ElementType::f16));
  EXPECT_FALSE(advice(find(large, "conv1"), "2:4").legal);
  EXPECT_NE(advice(find(large, "conv1"), "2:4").reason.find("3 channels"), std::string::npos);
  EXPECT_TRUE(advice(find(large, "conv1"), "int8").legal);
  EXPECT_FALSE(advice(find(large, "fc"), "int4").legal);
  const auto& pays = advice(find(large, "layer3.1.conv2"), "int8");
  EXPECT_TRUE(pays.pays);
  EXPECT_GT(pays.gain, 1.3);
  EXPECT_NE(pays.reason.find("binds"), std::string::npos);
  const auto alone = time_of("resnet50", 1, with(ElementType::s8));
  const auto& none = advice(find(alone, "layer1.0.conv1"), "2:4");
  EXPECT_FALSE(none.pays);
  EXPECT_NE(none.reason.find("launch bound"), std::string::npos) << none.reason;
  EXPECT_TRUE(find(alone, "maxpool").advice.empty());
}

TEST(NetworkLatency, SparseIllegalNamesTheReason) {
  const auto node = [](std::int64_t channels, std::int64_t filters, std::int64_t groups) {
    WorkloadBuilder net("one", 1);
    Value in = net.image(8);
    in.channels = channels;
    net.convolution("c", in, {filters, 3, 1, 1, groups});
    return net.finish().nodes.front();
  };
  EXPECT_EQ(sparse_illegal(node(16, 8, 1), ElementType::f16), "");
  EXPECT_NE(sparse_illegal(node(8, 8, 1), ElementType::f16), "");
  EXPECT_NE(sparse_illegal(node(16, 12, 1), ElementType::f16), "");
  EXPECT_NE(sparse_illegal(node(16, 16, 16), ElementType::f16), "");
  EXPECT_NE(sparse_illegal(node(16, 8, 1), ElementType::b1), "");
}

/// Two 1x1 convolutions of 64 channels, one after the other.
NetworkLatency two_layers(std::int64_t batch, std::int64_t image) {
  WorkloadBuilder net("two", batch);
  auto x = net.image(image);
  x.channels = 64;
  net.convolution("b", net.convolution("a", x, {64, 1, 1, 0}), {64, 1, 1, 0});
  return network_latency(net.finish(), {}, a100);
}

TEST(NetworkLatency, ATensorThatFitsIsReadFromL2) {
  // 64 channels of 2 bytes: 64 * 56 * 56 * 64 * 2 = 25.7 MB fits 40 MiB; 256 images do not.
  const auto small = two_layers(64, 56), large = two_layers(256, 56);
  EXPECT_TRUE(find(small, "b").reads_l2);
  EXPECT_FALSE(find(large, "b").reads_l2);
  // DRAM: the result, and the tensor only if it does not fit. The weights (8 KiB) were read an inference ago.
  const double tensor = 256 * 56 * 56 * 64 * 2.0;
  EXPECT_NEAR(find(large, "b").latency.dram_floor_us, (2 * tensor + 8192) / (a100.dram_read_gbs * 1e3), 1e-6);
  EXPECT_NEAR(find(small, "b").latency.dram_floor_us * a100.dram_read_gbs * 1e3, tensor / 4 + 8192, 1);
}

TEST(NetworkLatency, WeightsOfASmallNetworkStayInL2) {
  // ResNet-18: 23 MB of weights and 5 MB of activations at one image; VGG-16: 277 MB of weights.
  EXPECT_TRUE(find(time_of("resnet18", 1), "fc").weights_in_l2);
  EXPECT_TRUE(find(time_of("resnet18", 1), "conv1").weights_in_l2);
  EXPECT_FALSE(find(time_of("vgg16", 1), "fc1").weights_in_l2);
}

TEST(NetworkLatency, AnImageIsConvertedAndWordsAreNot) {
  const auto images = time_of("resnet50", 3);
  EXPECT_EQ(images.kernels.front().name, "input");
  EXPECT_DOUBLE_EQ(images.kernels.front().bytes, 3 * 224 * 224 * 3 * (4.0 + 2.0));
  EXPECT_EQ(time_of("bert-base", 3).kernels.front().name, "embeddings");
}

TEST(NetworkLatency, SoftmaxReads16BitsInAnIntegerNetwork) {
  const double scores =
      12.0 * 513 * 513;  // too long for a fused attention; written for the next product in 8 bits
  WorkloadBuilder net("attention", 1);
  const auto x = net.layer_norm("x", net.tokens(513, 768));
  const auto weights = net.softmax("softmax", net.attention_product("scores", x, x, 12, 513, 513, 64));
  net.attention_product("context", weights, x, 12, 513, 64, 513);
  const auto workload = net.finish();
  EXPECT_DOUBLE_EQ(find(network_latency(workload, with(ElementType::s8), a100), "softmax").bytes, 3 * scores);
  EXPECT_DOUBLE_EQ(find(network_latency(workload, {}, a100), "softmax").bytes, 4 * scores);
}

TEST(NetworkLatency, TakesTheDenseKernelWhereItIsFaster) {
  const auto dense = time_of("mobilenetv2", 32, with(ElementType::s8)),
             sparse = time_of("mobilenetv2", 32, with(ElementType::s8, true));
  ASSERT_EQ(dense.kernels.size(), sparse.kernels.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < dense.kernels.size(); ++i) {
    EXPECT_LE(sparse.kernels[i].microseconds, (1 + 1e-9) * dense.kernels[i].microseconds)
        << dense.kernels[i].name;
    kept += sparse.kernels[i].note.find("dense kernel is faster") != std::string::npos;
  }
  EXPECT_GT(kept, 0u);
}

TEST(NetworkLatency, IsKnownNoBetterThanItsWorstProduct) {
  EXPECT_EQ(time_of("resnet50", 8).fidelity, emu::TimingFidelity::measured);
  EXPECT_EQ(time_of("resnet50", 8, with(ElementType::tf32)).fidelity, emu::TimingFidelity::derived);
  EXPECT_EQ(time_of("resnet50", 8, with(ElementType::s4)).fidelity, emu::TimingFidelity::estimated);
}

TEST(NetworkLatency, StreamsKernelsWaitForTheirLaunch) {
  // 100 tiny kernels: the host's launch period sets the pace in a stream, the device's in a graph.
  WorkloadBuilder net("tiny", 1);
  auto x = net.tokens(1, 16);
  for (int i = 0; i < 100; ++i) x = net.softmax(std::to_string(i), x);
  const auto workload = net.finish();
  auto slow = a100;
  slow.launch_stream_us = 20;
  NetworkOptions options;
  const double graph = network_latency(workload, options, slow).microseconds;
  options.launch = emu::Launch::stream;
  const double stream = network_latency(workload, options, slow).microseconds;
  EXPECT_LT(graph, 100 * 4);
  EXPECT_NEAR(stream, 100 * 20, 20);
}

TEST(NetworkLatency, AsMeasuredAddsTheHostCall) {
  NetworkOptions options;
  options.launch = emu::Launch::as_measured;
  const auto workload = builtin_workload("resnet50", {.batch = 8});
  const auto none = network_latency(workload, options, a100, {0});
  const auto some = network_latency(workload, options, a100, {100});
  EXPECT_NEAR(some.microseconds - none.microseconds, 100, 1e-6);
}

TEST(NetworkLatency, RefusesTypesAndNetworksThatItCannotTime) {
  EXPECT_THROW(parse_network_type("fp8"), Error);
  EXPECT_THROW(time_of("resnet50", 1, with(ElementType::f64)), Error);
  EXPECT_THROW(network_latency(Workload{}, {}, a100), Error);
  EXPECT_EQ(parse_network_type("int8"), ElementType::s8);
  EXPECT_EQ(parse_network_type("f16"), ElementType::f16);
}

TEST(AttentionLatency, ACtaAHead) {
  // 384 tokens: 147 KB of Q, K and V, so one CTA an SM; the scores' exponentials alone are 384^2 / 16 = 9,216
  // cycles, and both products 2 * 384^2 * 64 / 1024 = 18,432.
  emu::AttentionProblem p{.heads = 12, .rows = 384, .keys = 384};
  p.l2_bytes = 12 * 4.0 * 384 * 64 * 2;
  p.launch = emu::Launch::kernel;
  const auto one = emu::attention_latency(p, a100);
  EXPECT_EQ(one.ctas_per_sm, 1);
  EXPECT_GT(one.cycles, 9216 + 18432);
  EXPECT_LT(one.cycles, 2 * (9216 + 18432));
  const auto rounds = [&](std::int64_t heads) {
    p.heads = heads;
    p.l2_bytes = static_cast<double>(heads) * 4 * 384 * 64 * 2;
    return (emu::attention_latency(p, a100).cycles - a100.cold_start_cycles) /
           (one.cycles - a100.cold_start_cycles);
  };
  EXPECT_NEAR(rounds(108), 1, 1e-9);
  EXPECT_NEAR(rounds(109), 2, 1e-9);
  // 128 tokens: three CTAs share an SM and overlap.
  p = {.heads = 3 * 108, .rows = 128, .keys = 128};
  EXPECT_EQ(emu::attention_latency(p, a100).ctas_per_sm, 3);
  EXPECT_FALSE(emu::attention_fits(513, 513, 64));
  EXPECT_TRUE(emu::attention_fits(512, 512, 64));
}

TEST(StreamLatency, IsBytesOverBandwidth) {
  const double bytes = 1e9;
  const auto dram = emu::stream_latency({bytes, bytes, 0}, a100);
  EXPECT_EQ(dram.bound, emu::Bound::dram);
  EXPECT_GT(dram.microseconds, bytes / (a100.dram_read_gbs * emu::fitted_constants.dram_efficiency * 1e3));
  EXPECT_LT(dram.microseconds, 1.35 * bytes / (a100.dram_read_gbs * 1e3));
  EXPECT_EQ(emu::stream_latency({0, bytes, 0}, a100).bound, emu::Bound::l2);
  EXPECT_EQ(emu::stream_latency({1e3, 1e3, 0}, a100).bound, emu::Bound::launch);
  // 64 lanes of 108 SMs at 1410 MHz: 9.746e12 multiply-adds a second.
  EXPECT_NEAR(emu::stream_latency({0, 0, 9.74592e9}, a100).microseconds, 1000, 5);
  EXPECT_EQ(emu::stream_latency({0, 0, 9.74592e9}, a100).bound, emu::Bound::cuda_cores);
}

TEST(ImplicitGemm, PadsChannelsAndSkipsPixelsThatNoWindowTouches) {
  // conv1 of ResNet-50: 3 channels become 4; 7 * 7 * 4.
  const auto first = emu::implicit_gemm({2, 3, 64, {224, 7, 2, 1, 6}, {224, 7, 2, 1, 6}}, ElementType::f16);
  EXPECT_EQ(first.gemm.k, 196);
  EXPECT_EQ(first.gemm.n, 2 * 112 * 112);
  EXPECT_EQ(first.gemm.m, 64);
  EXPECT_DOUBLE_EQ(first.tensor_bytes, 2.0 * 224 * 224 * 4 * 2);
  // A 1x1 window of stride 2 touches a quarter.
  const auto strided = emu::implicit_gemm({1, 256, 512, {56, 1, 2, 1, 0}, {56, 1, 2, 1, 0}}, ElementType::s8);
  EXPECT_EQ(strided.gemm.n, 28 * 28);
  EXPECT_DOUBLE_EQ(strided.tensor_bytes, 28.0 * 28 * 256);
  // Dilation 2: a 3x3 window spans 5 pixels.
  EXPECT_EQ(emu::implicit_gemm({1, 64, 64, {9, 3, 1, 2, 0}, {9, 3, 1, 2, 0}}, ElementType::f16).gemm.n, 25);
}

TEST(KernelContext, OnlyReadsWaitForDram) {
  const emu::GemmProblem p{
      .m = 64, .n = 3136, .k = 64, .type = ElementType::f16, .launch = emu::Launch::kernel};
  const auto us = [&](bool in_l2) {
    return emu::gemm_latency(p, {.in_network = true, .a_in_l2 = in_l2, .b_in_l2 = in_l2}, a100).microseconds;
  };
  // 0.8 MB: half a microsecond of stream behind the ramp.
  EXPECT_GT(us(false) - us(true), 0.4 * emu::fitted_constants.dram_ramp_cycles / a100.boost_mhz);
}

TEST(KernelContext, NarrowResultsSaveTheirBytesAndNotTheEpilogue) {
  emu::GemmProblem p{.m = 256, .n = 100000, .k = 64, .type = ElementType::s8, .launch = emu::Launch::kernel};
  const double wide = emu::gemm_latency(p, {.b_in_l2 = true}, a100).microseconds;
  p.output_bits = 8;
  const double narrow = emu::gemm_latency(p, {.b_in_l2 = true}, a100).microseconds;
  EXPECT_LT(narrow, 0.95 * wide);
  EXPECT_GT(narrow, 0.6 * wide);
}

TEST(KernelContext, ResidualsAndResidentOperandsChangeDramBytes) {
  const emu::GemmProblem p{.m = 256, .n = 100000, .k = 64, .type = ElementType::f16};
  const auto floor_bytes = [&](const emu::KernelContext& c) {
    return emu::gemm_latency(p, c, a100).dram_floor_us * a100.dram_read_gbs * 1e3;
  };
  const double a = 256 * 64 * 2, b = 64 * 100000 * 2.0, d = 256 * 100000 * 2.0;
  EXPECT_NEAR(floor_bytes({}), a + b + d, 1);
  EXPECT_NEAR(floor_bytes({.a_in_l2 = true, .b_in_l2 = true}), d, 1);
  EXPECT_NEAR(floor_bytes({.residual_bits = 16}), a + b + 2 * d, 1);
  EXPECT_NEAR(floor_bytes({.residual_bits = 16, .residual_in_l2 = true}), a + b + d, 1);
  EXPECT_GT(emu::gemm_latency(p, {.residual_bits = 16}, a100).microseconds,
            emu::gemm_latency(p, {.residual_bits = 16, .residual_in_l2 = true}, a100).microseconds);
  EXPECT_GT(emu::gemm_latency(p, {.residual_bits = 16, .residual_in_l2 = true}, a100).microseconds,
            emu::gemm_latency(p, a100).microseconds);
}

}  // namespace
}  // namespace twofour::nas
