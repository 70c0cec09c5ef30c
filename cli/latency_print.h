#pragma once
#include <nlohmann/json.hpp>

#include "twofour/emu/timing/arbitrary_latency.h"

namespace twofour::cli {

/// A latency of the model as text, the answer first, and the same as JSON fields. Of a convolution the
/// problem is its implicit GEMM.
void print_latency(const emu::GemmProblem& problem, const emu::Latency& latency, const isa::Machine& machine);
nlohmann::ordered_json latency_json(const emu::GemmProblem& problem, const emu::Latency& latency,
                                    const isa::Machine& machine);

/// A w_p a_q product: the problem is the product itself; the single-bit GEMM it runs as is printed too.
void print_bit_latency(const emu::GemmProblem& problem, const emu::BitWork& work, const emu::Latency& latency,
                       const isa::Machine& machine);
nlohmann::ordered_json bit_latency_json(const emu::GemmProblem& problem, const emu::BitWork& work,
                                        const emu::Latency& latency, const isa::Machine& machine);

}  // namespace twofour::cli
