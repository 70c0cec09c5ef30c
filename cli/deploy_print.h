#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "twofour/nas/deploy/kernel_network.h"
#include "twofour/nas/deploy/latency_check.h"

namespace twofour::cli {

/// A deployed network's check, as `deploy check` prints it.
std::string kernel_check_text(const nas::DeployedNetwork& net, const nas::KernelNetwork& kernels,
                              const nas::KernelCheck& check, int images);
nlohmann::ordered_json kernel_check_json(const nas::DeployedNetwork& net, const nas::KernelNetwork& kernels,
                                         const nas::KernelCheck& check, int images);
std::string fast_check_text(const nas::DeployedNetwork& net, const nas::Comparison& comparison, int images);
nlohmann::ordered_json fast_check_json(const nas::DeployedNetwork& net, const nas::Comparison& comparison,
                                       int images);

/// What the search added up against the whole network, as `deploy latency` prints it.
std::string latency_check_text(const nas::LatencyCheck& check);
nlohmann::ordered_json latency_check_json(const nas::LatencyCheck& check);

}  // namespace twofour::cli
