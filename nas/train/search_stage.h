#pragma once
#include <vector>

#include "twofour/nas/search/solver.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

/// The search problem of a network: for each layer its legal options, each with latency and sensitivity.
struct SearchProblem {
  std::vector<std::vector<Option>> options;        ///< by layer
  std::vector<std::vector<emu::Latency>> latency;  ///< by layer and option
  CostTable table;  ///< the same in the order of `options`; cost: loss that the option alone adds

  std::vector<Option> options_of(const Solution& solution) const;
  double cost(std::size_t layer, Option option) const;
  const emu::Latency& latency_of(std::size_t layer, Option option) const;
  /// Sum of the layers' latencies in us, and of their costs.
  double latency_us(const std::vector<Option>& assignment) const;
  double cost(const std::vector<Option>& assignment) const;
};

std::vector<std::vector<Option>> all_legal_options(const Network& network);

SearchProblem make_problem(const Network& network, const Trainer::Sensitivity& sensitivity, int batch,
                           const isa::Machine& machine);

}  // namespace twofour::nas
