#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "twofour/isa/machine.h"
#include "twofour/nas/timing/network_latency.h"

namespace twofour::cli {

/// The answer in one line, what it rests on, and a line a kernel. `item` is what a batch counts: "images".
std::string network_text(const nas::NetworkLatency& network, const nas::NetworkOptions& options,
                         std::string_view item, const isa::Machine& machine);

/// The same and all numbers behind it.
nlohmann::ordered_json network_json(const nas::NetworkLatency& network, const nas::NetworkOptions& options,
                                    std::string_view item, const isa::Machine& machine);

}  // namespace twofour::cli
