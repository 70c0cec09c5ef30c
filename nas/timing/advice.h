#pragma once
#include "twofour/nas/timing/network_latency.h"
#include "twofour/nas/timing/product_latency.h"

namespace twofour::nas {

/// Whether 2:4, int8 and int4 pay on a layer that takes `now` in the given form, and why. An option's type is
/// taken for the layer's tensors, too.
std::vector<Advice> advise(const Node& node, const ProductForm& form, const emu::Latency& now, bool edge,
                           const isa::Machine& machine);

/// 2:4 as it is refused for that reason.
Advice refuse_sparse(const std::string& why);

}  // namespace twofour::nas
