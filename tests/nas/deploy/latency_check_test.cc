#include "twofour/nas/deploy/latency_check.h"

#include <gtest/gtest.h>

#include <numeric>

#include "../square_layer.h"
#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_workload.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

// Shapes by hand.
TEST(NetworkWorkload, NodesOfABlock) {
  Layer stem = square_layer("stem", 8, 3, 16, 3, 0), block = square_layer("block", 4, 16, 16, 3, 1),
        proj = square_layer("proj", 4, 16, 16, 1, 1), fc = square_layer("fc", 1, 16, 10, 1, 3);
  block.pool = proj.pool = {PoolKind::max, 3, 2, 1};
  block.groups = 16;
  proj.residual = 2;
  proj.activation = Activation::relu6;
  fc.activation = Activation::none;
  fc.pool.kind = PoolKind::global_average;
  const Workload w = workload_of({"n", {stem, block, proj, fc}}, 5);
  std::vector<std::string> names, ops;
  for (const Node& n : w.nodes) {
    names.push_back(n.name);
    ops.push_back(n.op);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"stem", "stem.act", "block.pool", "block", "block.act", "proj",
                                             "proj.add", "proj.act", "fc.pool", "fc"}));
  EXPECT_EQ(ops, (std::vector<std::string>{"Conv", "Relu", "MaxPool", "Conv", "Relu", "Conv", "Add", "Clip",
                                           "GlobalAveragePool", "Conv"}));
  EXPECT_EQ(convolution_nodes(w), (std::vector<int>{0, 3, 5, 9}));
  EXPECT_EQ(w.nodes[2].elements_in, 5 * 8 * 8 * 16);
  EXPECT_EQ(w.nodes[2].elements_out, 5 * 4 * 4 * 16);
  EXPECT_EQ(w.nodes[5].inputs, (std::vector<int>{2}));  // the same pool
  EXPECT_EQ(w.nodes[6].inputs, (std::vector<int>{5, 4}));
  EXPECT_EQ(w.nodes[8].inputs, (std::vector<int>{7}));
  EXPECT_EQ(w.nodes[0].weights, 3 * 3 * 3 * 16 + 16);
  EXPECT_EQ(w.nodes[3].weights, 3 * 3 * 16 + 16);
  EXPECT_EQ(macs(w), 5 * (8 * 8 * 27 * 16 + 4 * 4 * 9 * 16 + 4 * 4 * 16 * 16 + 16 * 10));
  EXPECT_THROW(workload_of({"n", {fc}}, 1), Error);
  EXPECT_THROW(workload_of({"n", {}}, 1), Error);
}

NetworkLatency uniform(const Network& network, Option option, std::int64_t batch, bool with_forms) {
  const Workload w = workload_of(network, batch);
  NetworkOptions o{.type = info(option).weight, .advise = false};
  if (with_forms) o.forms = node_forms(network, std::vector(network.layers.size(), option), w, a100);
  return network_latency(w, o, a100);
}

TEST(NetworkForms, OfOneTypeAreTheNetworkOfThatType) {
  const Network network = resnet_small(2, 32, 1, 28);
  for (const Option o : {Option::fp16, Option::int8, Option::tf32})
    for (const std::int64_t batch : {1, 256}) {
      const auto plain = uniform(network, o, batch, false), forms = uniform(network, o, batch, true);
      EXPECT_EQ(plain.microseconds, forms.microseconds) << name(o);
      EXPECT_EQ(plain.kernels.size(), forms.kernels.size());
      EXPECT_NEAR(plain.peak_fraction, forms.peak_fraction, 1e-12);
    }
}

const KernelLatency& find(const NetworkLatency& network, std::string_view ops, std::size_t skip = 0) {
  for (const auto& k : network.kernels)
    if (k.ops == ops && skip-- == 0) return k;
  throw Error("no such kernel");
}

TEST(NetworkForms, ATensorIsStoredForItsWidestReaderAndConvertedForOthers) {
  // a -> b (int8) and c (fp16): a's result is stored in 16 bits, b reads a copy.
  Network n{"fork",
            {square_layer("a", 16, 32, 32, 3, 0), square_layer("b", 16, 32, 32, 3, 1),
             square_layer("c", 16, 32, 32, 3, 1), square_layer("d", 16, 32, 32, 3, 2)}};
  n.layers[3].residual = 3;
  const Workload w = workload_of(n, 8);
  NetworkOptions o{.type = isa::ElementType::f16, .advise = false};
  o.forms = node_forms(n, {Option::int4, Option::int8, Option::fp16, Option::int8}, w, a100);
  const NetworkLatency latency = network_latency(w, o, a100);
  const double elements = 8 * 16 * 16 * 32;
  std::vector<std::string> ops;
  for (const auto& k : latency.kernels) ops.push_back(k.ops);
  EXPECT_EQ(ops, (std::vector<std::string>{"Reformat", "Conv+Relu", "Reformat", "Conv+Relu", "Conv+Relu",
                                           "Conv+Add+Relu"}));
  EXPECT_EQ(find(latency, "Reformat", 0).type, isa::ElementType::s4);  // the image
  EXPECT_EQ(find(latency, "Reformat", 1).type, isa::ElementType::s8);
  EXPECT_DOUBLE_EQ(find(latency, "Reformat", 1).bytes, elements * 3);  // 2 bytes read, 1 written
  EXPECT_TRUE(find(latency, "Reformat", 1).reads_l2);
  EXPECT_EQ(latency.kernels[1].output_bits, 16);
  EXPECT_EQ(latency.kernels[3].output_bits, 8);
  EXPECT_EQ(latency.kernels[4].output_bits, 8);  // read by d's epilogue alone
  EXPECT_DOUBLE_EQ(latency.kernels[5].residual_bytes, elements);
  const double weights = 32 * 32 * 9 + 32;
  EXPECT_DOUBLE_EQ(latency.kernels[3].bytes, elements * 2 + weights);
}

TEST(NetworkForms, SparseIsTakenFasterOrNotAndRefusedWhereIllegal) {
  const Network n{"one", {square_layer("a", 8, 16, 16, 1, 0), square_layer("b", 8, 16, 12, 1, 1)}};
  const Workload w = workload_of(n, 1);
  NetworkOptions o{.type = isa::ElementType::s8, .advise = false};
  o.forms[0] = {isa::ElementType::s8, true, 0, {}};
  EXPECT_TRUE(network_latency(w, o, a100).kernels[1].sparse);
  o.forms[convolution_nodes(w)[1]] = {isa::ElementType::s8, true, 0, {}};
  EXPECT_THROW(network_latency(w, o, a100), Error);  // 12 filters
  o.forms = {{1, {}}};
  EXPECT_THROW(network_latency(w, o, a100), Error);  // the ReLU heads no kernel
}

double sum(const std::vector<LatencyStep>& steps) {
  return std::accumulate(steps.begin(), steps.end(), 0.0, [](double s, const auto& x) { return s + x.us; });
}

TEST(LatencyCheck, StepsAndExtrasExplainEveryMicrosecond) {
  const Network network = resnet_small(1, 64, 1, 28);
  std::vector<Option> mixed(network.layers.size(), Option::int8);
  mixed[2] = Option::fp16_sparse, mixed[3] = Option::int4, mixed[5] = Option::int1,
  mixed[6] = Option::int8_sparse;
  for (const std::int64_t batch : {1, 64, 1024}) {
    const LatencyCheck check = check_latency(network, mixed, batch, a100);
    double alone = 0, whole = 0;
    for (std::size_t i = 0; i < check.layers.size(); ++i) {
      const LayerLatencyCheck& l = check.layers[i];
      EXPECT_EQ(l.alone_us, layer_latency(network.layers[i], mixed[i], int(batch), a100).microseconds);
      EXPECT_NEAR(l.alone_us + sum(l.steps), l.network_us, 1e-4) << l.name;
      EXPECT_NEAR(sum(l.extras), l.extra_us, 1e-9);
      alone += l.alone_us;
      whole += l.network_us + l.extra_us;
    }
    EXPECT_NEAR(check.searched_us, alone, 1e-9);
    EXPECT_NEAR(check.network_us, whole, 1e-6);
    EXPECT_NEAR(check.searched_us + sum(check.totals), check.network_us, 1e-3);
    EXPECT_LT(check.low_us, check.network_us);
    EXPECT_GT(check.high_us, check.network_us);
    EXPECT_EQ(check.layers.front().extras.front().reason, "image to int8");
    EXPECT_EQ(check.layers.back().extras.back().reason, "pool");
    const bool close = check.verdict.find("is within") != std::string::npos;
    EXPECT_EQ(close, std::abs(check.difference()) <= 0.1) << check.verdict;
  }
}

TEST(LatencyCheck, OptionsMustFitTheNetwork) {
  const Network network = resnet_small(1, 16, 1, 8);
  EXPECT_THROW(check_latency(network, {Option::int8}, 1, a100), Error);
}

}  // namespace
}  // namespace twofour::nas
