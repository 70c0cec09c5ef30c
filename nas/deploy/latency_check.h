#pragma once
#include <string>
#include <vector>

#include "twofour/nas/graph/network.h"
#include "twofour/nas/timing/network_latency.h"

namespace twofour::nas {

/// A part of a difference in us, and where it comes from.
struct LatencyStep {
  std::string reason;  ///< "residual read", "image to int8", "pool"
  double us = 0;
};

/// One layer as the search counted it and as it runs in the network.
struct LayerLatencyCheck {
  std::string name;
  Option option = Option::int8;
  double alone_us = 0;             ///< layer_latency: alone, as a graph node
  double network_us = 0;           ///< its kernel in the network
  double extra_us = 0;             ///< kernels in front of it that the sum may not have: conversions, pools
  std::vector<LatencyStep> steps;  ///< from alone_us to network_us
  std::vector<LatencyStep> extras;
  std::string note;  ///< why network_us is layer_latency's
};

struct LatencyCheck {
  std::string network, machine;
  std::int64_t batch = 1;
  double searched_us = 0;  ///< sum of alone_us
  double network_us = 0;   ///< of the whole network: sum of network_us and extra_us
  double low_us = 0, high_us = 0;
  std::vector<LayerLatencyCheck> layers;
  std::vector<LatencyStep> totals;  ///< of steps and extras by reason, the largest first
  std::string verdict;              ///< one sentence

  /// (network_us - searched_us) / searched_us.
  double difference() const { return network_us / searched_us - 1; }
};

/// What the search believed, the sum of the layers' latencies with these options, against the latency of the
/// whole network in those types: fused epilogues, what stays in L2, residuals read, conversions between types
/// and of the image, pools. Tensors are stored in the type of their widest reader, as engines do; the stream
/// words of the deployed integers would be 32 bits. Layers of several int1 products have no network form:
/// layer_latency stands for them, and their note says so. Throws Error as layer_latency.
LatencyCheck check_latency(const Network& network, const std::vector<Option>& options, std::int64_t batch,
                           const isa::Machine& machine);

/// The form of every kernel of workload_of(network, batch) that these options give.
std::map<int, NodeForm> node_forms(const Network& network, const std::vector<Option>& options,
                                   const Workload& workload, const isa::Machine& machine);

}  // namespace twofour::nas
