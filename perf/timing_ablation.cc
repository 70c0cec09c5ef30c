#include "timing_ablation.h"

#include <cmath>
#include <cstdio>
#include <functional>

#include "timing_peers.h"

namespace twofour::perf {
namespace {

using emu::Measurement;
using emu::TimingConstants;

void print_errors(const char* label, const std::vector<Measurement>& rows,
                  const std::function<double(const emu::GemmProblem&)>& predict) {
  std::array<double, 5> sum{}, count{};
  for (const auto& row : rows) {
    const double error = std::abs(predict(row.problem) / row.microseconds - 1), us = row.microseconds;
    const std::array in{us < 10, us >= 10 && us <= 100, us > 100, row.problem.m <= 16, true};
    for (std::size_t i = 0; i < in.size(); ++i)
      if (in[i]) sum[i] += error, ++count[i];
  }
  std::printf("    %-36s", label);
  for (std::size_t i = 0; i < sum.size(); ++i) std::printf(" %9.2f", 100 * sum[i] / count[i]);
  std::printf("\n");
}

void print_heading(const char* title) {
  std::printf("  %s\n    mean |error|, %%%22s    < 10 us 10-100 us  > 100 us   M <= 16       all\n", title,
              "");
}

/// A mechanism and how to take it out.
struct Ablation {
  const char* name;
  void (*change)(isa::Machine&, TimingConstants&);
};

constexpr double none = 1e-9, unlimited = 1e9;
constexpr Ablation ablations[] = {
    {"no tensor-pipe stretch", [](isa::Machine& m, TimingConstants&) { m.mma_stretch = 1; }},
    {"no power limit", [](isa::Machine& m, TimingConstants&) { m.sustained_mhz = m.boost_mhz; }},
    {"power limit at once", [](isa::Machine&, TimingConstants& c) { c.throttle_us = none; }},
    {"shared memory without limit",
     [](isa::Machine& m, TimingConstants&) { m.smem_bytes_per_clk = unlimited; }},
    {"L2 without limit",
     [](isa::Machine& m, TimingConstants&) { m.l2_read_gbs = m.l2_bytes_per_clk_sm = unlimited; }},
    {"L2 at its streaming bandwidth", [](isa::Machine&, TimingConstants& c) { c.l2_efficiency = 1; }},
    {"no latencies of a k-chunk",
     [](isa::Machine& m, TimingConstants&) { m.copy_latency = m.smem_latency = m.dram_latency = none; }},
    {"SM resources overlap perfectly", [](isa::Machine&, TimingConstants& c) { c.sm_overlap = 100; }},
    {"SM and DRAM overlap perfectly", [](isa::Machine&, TimingConstants& c) { c.chip_overlap = 100; }},
    {"no epilogue", [](isa::Machine&, TimingConstants& c) { c.store_bytes_per_clk = unlimited; }},
    {"DRAM at its streaming bandwidth", [](isa::Machine&, TimingConstants& c) { c.dram_efficiency = 1; }},
    {"DRAM streams at once", [](isa::Machine&, TimingConstants& c) { c.dram_ramp_cycles = none; }},
    {"nothing stays in L2", [](isa::Machine&, TimingConstants& c) { c.resident_mib = none; }},
    {"split-k's second kernel is free", [](isa::Machine&, TimingConstants& c) { c.reduction_share = none; }},
    {"no steps of a matrix-vector kernel",
     [](isa::Machine&, TimingConstants& c) { c.gemv_step_cycles = none; }},
    {"no launch", [](isa::Machine& m, TimingConstants&) { m.launch_graph_us = none; }},
    {"no cold start", [](isa::Machine& m, TimingConstants&) { m.cold_start_cycles = none; }},
    {"no layer profiler", [](isa::Machine&, TimingConstants& c) { c.layer_us = c.layer_gemm_us = 0; }},
    {"its DRAM as in a graph",
     [](isa::Machine&, TimingConstants& c) { c.layer_dram_efficiency = c.dram_efficiency; }},
};

}  // namespace

void print_peers(const std::vector<Measurement>& rows, const std::vector<Measurement>& seen,
                 const isa::Machine& machine) {
  if (rows.empty() || seen.size() < 5) return;
  print_heading("other predictors, held-out rows");
  print_errors("this model", rows, [&](const auto& p) { return emu::gemm_latency(p, machine).microseconds; });
  for (const auto& peer : {roofline(machine), nearest_neighbours(seen), boosted_trees(seen)})
    print_errors(peer->name(), rows, [&](const auto& p) { return peer->predict(p); });
}

void print_ablation(const std::vector<Measurement>& rows, const isa::Machine& machine) {
  if (rows.empty()) return;
  print_heading("without each mechanism, held-out rows, not refitted");
  for (const auto& ablation : ablations) {
    auto changed = machine;
    auto constants = emu::fitted_constants;
    ablation.change(changed, constants);
    print_errors(ablation.name, rows,
                 [&](const auto& p) { return emu::gemm_latency(p, changed, constants).microseconds; });
  }
}

}  // namespace twofour::perf
