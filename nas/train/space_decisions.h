#pragma once
#include "twofour/nas/space/space.h"
#include "twofour/nas/train/search_decisions.h"

namespace twofour::nas {

/// The decisions of a space for gumbel_search(), in the same order. The supernet is largest_network(space).
std::vector<SupernetDecision> supernet_decisions(const Space& space);

}  // namespace twofour::nas
