// Networks with max pools, pooled residuals, ReLU6 and depthwise layers: file, kernels, latency.
#include <gtest/gtest.h>

#include <numeric>

#include "deployed_networks.h"
#include "twofour/nas/deploy/export_json.h"
#include "twofour/nas/deploy/kernel_network.h"
#include "twofour/nas/deploy/latency_check.h"
#include "twofour/nas/graph/network_zoo.h"

namespace twofour::nas {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

/// A legal option for every layer, now this, now that.
std::vector<Option> some_options(const Network& network, std::mt19937& random) {
  std::vector<Option> options;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto legal = legal_options(network, i);
    options.push_back(legal[random() % legal.size()]);
  }
  return options;
}

class ZooKernels : public testing::TestWithParam<const char*> {
 protected:
  std::mt19937 random{81};
  Network network = network_by_name(GetParam(), 32, 3, 10);
  std::vector<Option> options = some_options(network, random);
};
INSTANTIATE_TEST_SUITE_P(Networks, ZooKernels,
                         testing::Values("resnet18-w16", "vgg11-w16-gap", "mobilenetv2-w8"),
                         [](const auto& p) { return "network" + std::to_string(p.index); });

TEST_P(ZooKernels, KernelsEqualTheReferenceBehindTheFile) {
  const DeployedNetwork net =
      parse_deployed(deployed_json(random_deployed(network, options, random)), "net.json");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    EXPECT_EQ(net.network.layers[i].pool, network.layers[i].pool);
    EXPECT_EQ(net.network.layers[i].pool.pixels, network.layers[i].pool.pixels);
    EXPECT_EQ(net.network.layers[i].residual_pool, network.layers[i].residual_pool);
    EXPECT_EQ(net.network.layers[i].groups, network.layers[i].groups);
  }
  const KernelNetwork kernels = lower(net, 1, a100);
  const KernelCheck check = run_kernels(net, kernels, random_images(network, 1, random), 1);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    EXPECT_EQ(check.layers[i].differing, 0) << network.layers[i].name;
    const bool planes = is_bit_serial(options[i]) && options[i] != Option::int1;
    EXPECT_EQ(kernels.layers[i].lowered(), !network.layers[i].depthwise() && !planes)
        << network.layers[i].name;
  }
}

TEST_P(ZooKernels, StepsExplainTheLatency) {
  const LatencyCheck check = check_latency(network, options, 64, a100);
  for (const LayerLatencyCheck& l : check.layers) {
    const double steps = std::accumulate(l.steps.begin(), l.steps.end(), 0.0,
                                         [](double s, const LatencyStep& x) { return s + x.us; });
    EXPECT_NEAR(l.alone_us + steps, l.network_us, 1e-4) << l.name;
  }
}

}  // namespace
}  // namespace twofour::nas
