#pragma once
#include <nlohmann/json.hpp>

#include "twofour/emu/matrix/verify.h"
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::cli {

/// A product that `twofour gemm` made.
struct GemmRun {
  const isa::Instruction& instruction;
  emu::PackedMatrix d;
  emu::Verification verification;
  emu::Latency latency;
  std::int64_t m, n, k;
  double seconds;
};

/// Result, check, fidelity, latency and file, a line each; `peak`: what the latency is a part of.
void print_lines(const GemmRun& run, const isa::Machine& machine, const char* peak);
/// The same as a JSON document; the fields of `form` stand behind m, n and k.
void print_document(const GemmRun& run, const isa::Machine& machine, const nlohmann::ordered_json& form);

}  // namespace twofour::cli
