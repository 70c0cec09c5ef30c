#include "twofour/emu/timing/attention_latency.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/timing/error_band.h"
#include "twofour/emu/timing/kernel_time.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

// CUDA C++ programming guide, throughput table, compute capability 8.0: exponentials, and conversions between
// integers and floats, share one unit.
constexpr double special_per_clk = 16;
constexpr double operations_a_score = 6;  // scale, maximum, subtract, sum, normalise, pack

/// One exponential; integer products besides convert scores to float and weights back.
double special_a_score(isa::ElementType type) {
  return isa::is_float(type) ? 1 : 3;
}

/// SM cycles of one CTA by phase.
struct Phases {
  double load, tensor, special, cores;
  double sum() const { return load + tensor + special + cores; }
  double longest() const { return std::max({load, tensor, special, cores}); }
};

Phases phases_of(const AttentionProblem& p, const GemmWork& work, const isa::Machine& machine) {
  const double scores = static_cast<double>(p.rows) * static_cast<double>(p.keys);
  const double bytes = p.l2_bytes / static_cast<double>(p.heads);
  Phases phases{};
  phases.load = machine.dram_latency + bytes / machine.l2_bytes_per_clk_sm;
  phases.tensor =
      2 * scores * static_cast<double>(p.width) / work.mma_fma * work.mma_interval / machine.sub_cores_per_sm;
  phases.special = special_a_score(p.type) * scores / special_per_clk;
  phases.cores = operations_a_score * scores / machine.fp32_lanes;
  return phases;
}

double smem_bytes(const AttentionProblem& p) {
  return static_cast<double>((p.rows + 2 * p.keys) * p.width) * isa::bits(p.type) / 8;
}

}  // namespace

bool attention_fits(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  return std::max(rows, keys) <= 512 && width <= 64;
}

Latency attention_latency(const AttentionProblem& p, const isa::Machine& machine,
                          const TimingConstants& constants) {
  GemmProblem gemm;
  gemm.m = p.keys;
  gemm.n = p.rows;
  gemm.k = 2 * p.width;
  gemm.batch = p.heads;
  gemm.type = p.type;
  const auto work = describe(gemm, {}, machine);
  const double smem = std::min(smem_bytes(p), machine.smem_per_cta);
  const double resident = std::max(1.0, std::floor(machine.smem_per_sm / smem));
  const double ctas = static_cast<double>(p.heads), per_sm = std::ceil(ctas / machine.sms);
  const auto phases = phases_of(p, work, machine);
  const double rounds = std::ceil(per_sm / resident);
  const double sm = std::max(rounds * phases.sum(), per_sm * phases.longest());
  const double dram =
      p.dram_bytes / (machine.bytes_per_clk(machine.dram_read_gbs) * constants.dram_efficiency);
  const double overlap = constants.chip_overlap;
  const double cycles = std::pow(std::pow(sm, overlap) + std::pow(dram, overlap), 1 / overlap);

  Latency latency;
  latency.launch_us = (p.launch == Launch::kernel ? 0 : machine.launch_graph_us) +
                      machine.cold_start_cycles / machine.boost_mhz;
  latency.cycles = cycles + machine.cold_start_cycles;
  latency.microseconds = cycles / machine.boost_mhz + latency.launch_us;
  latency.ctas = ctas;
  latency.ctas_per_sm = static_cast<int>(resident);
  latency.waves = ctas / (machine.sms * resident);
  latency.tensor_floor_us = work.ideal_cycles / machine.boost_mhz;
  latency.dram_floor_us = p.dram_bytes / (machine.dram_read_gbs * 1e3);
  latency.peak_fraction = latency.tensor_floor_us / latency.microseconds;
  latency.fidelity = TimingFidelity::derived;
  if (latency.launch_us * machine.boost_mhz > cycles)
    latency.bound = Bound::launch;
  else if (dram > sm)
    latency.bound = Bound::dram;
  else if (rounds * phases.sum() > per_sm * phases.longest())
    latency.bound = Bound::latency;
  else if (phases.longest() == phases.tensor)
    latency.bound = Bound::tensor_pipe;
  else
    latency.bound = phases.longest() == phases.load ? Bound::l2 : Bound::cuda_cores;
  add_band(latency, gemm, machine);
  return latency;
}

}  // namespace twofour::emu
