#pragma once
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// A layer of a network with an option: the one that it takes, or another that it may take.
struct NetworkTableRow {
  std::string layer;
  Option option = Option::int8;
  bool chosen = false;
  emu::Latency latency;  ///< layer_latency
};

/// Every layer with the option that it takes and all others of the default menu that are legal for it, in the
/// order of the menu; a chosen option of another menu comes last. Throws Error unless there is an option a
/// layer.
std::vector<NetworkTableRow> network_table(const Network& network, const std::vector<Option>& chosen,
                                           std::int64_t batch, const isa::Machine& machine);

/// layer,option,chosen,latency_us,low_us,high_us,bound,fidelity; chosen is 1 or 0. Latencies have a tenth of
/// a nanosecond.
std::string network_csv(const std::vector<NetworkTableRow>& rows);

}  // namespace twofour::nas
