#include "twofour/emu/timing/gemm_latency.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "twofour/emu/timing/kernel_time.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr std::array<std::string_view, 4> launch_names{"graph", "stream", "kernel", "as-measured"};

/// How the libraries that were measured choose kernels, read off the measurements: their files do not name
/// them. Float rows look like cuBLAS (split-k, a matrix-vector kernel at one column); 8-bit rows grow
/// linearly with k and do not split it, and stream up to four columns.
struct Library {
  bool splits_k;      ///< has kernels that share one output tile's k among CTAs
  double gemv_width;  ///< columns up to which it streams the large operand instead of tiling
};

Library library_of(const GemmProblem& problem) {
  const bool is_float = isa::is_float(problem.type);
  const double gemv_width = problem.sparse ? 0 : is_float ? 1 : isa::bits(problem.type) == 8 ? 4 : 0;
  return {is_float, gemv_width};
}

constexpr std::array<int, 11> splits{2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32};
constexpr double least_iterations = 2;  // k-chunks of a CTA of split-k; the rule of Stream-K

double launch_us(const GemmProblem& problem, bool gemv, const isa::Machine& machine,
                 const TimingConstants& constants) {
  switch (problem.launch) {
    case Launch::graph: return machine.launch_graph_us;
    case Launch::stream: return machine.launch_stream_us;
    case Launch::kernel: return 0;
    case Launch::as_measured: break;
  }
  if (isa::is_float(problem.type)) return machine.launch_graph_us;
  return machine.launch_graph_us + constants.layer_us + (gemv ? 0 : constants.layer_gemm_us);
}

/// The kernel that adds the partial sums of split-k: its launch, its start, and the sums through L2.
double reduction_us(const GemmProblem& problem, const GemmWork& work, int split, const isa::Machine& machine,
                    const TimingConstants& constants) {
  if (split == 1) return 0;
  const double launch = problem.launch == Launch::kernel ? 0 : machine.launch_graph_us;
  const double bytes = 2 * split * work.m * work.n * work.batch * sizeof(float);
  return launch + machine.cold_start_cycles / machine.boost_mhz +
         bytes / (machine.l2_read_gbs * constants.l2_efficiency * 1e3);
}

TimingFidelity fidelity_of(ElementType type, bool sparse) {
  const bool kernels_measured = type == ElementType::f16 || type == ElementType::bf16 || isa::bits(type) == 8;
  if (kernels_measured && !sparse) return TimingFidelity::measured;
  return isa::bits(type) <= 4 ? TimingFidelity::estimated : TimingFidelity::derived;
}

Bound largest(const KernelTime& time, const Latency& latency, const GemmWork& work, double overhead_cycles) {
  const double kernel = std::max({time.sm_cycles, time.dram_cycles, work.sustained_cycles});
  if (overhead_cycles > kernel) return Bound::launch;
  if (time.dram_cycles >= kernel) return Bound::dram;
  if (latency.gemv) return Bound::latency;
  if (work.sustained_cycles >= kernel) return Bound::tensor_pipe;
  if (2 * time.epilogue_cycles > time.sm_cycles) return Bound::dram;
  const auto& c = latency.iteration;
  const double most = std::max({c.tensor_pipe, c.shared_memory, c.l2, c.latency});
  if (most == c.tensor_pipe) return Bound::tensor_pipe;
  if (most == c.shared_memory) return Bound::shared_memory;
  return most == c.l2 ? Bound::l2 : Bound::latency;
}

/// One candidate kernel as an answer: times in microseconds, its bound, its share of the peak.
void finish(Latency& latency, const KernelTime& time, const GemmProblem& problem, const GemmWork& work,
            const isa::Machine& machine, const TimingConstants& constants) {
  const double reduction = reduction_us(problem, work, std::max(latency.split_k, 1), machine, constants);
  const double cold_start = machine.cold_start_cycles / machine.boost_mhz;
  latency.launch_us = launch_us(problem, latency.gemv, machine, constants) + cold_start + reduction;
  latency.microseconds = time.cycles / machine.boost_mhz + latency.launch_us;
  latency.cycles = time.cycles + machine.cold_start_cycles;
  latency.bound = largest(time, latency, work, latency.launch_us * machine.boost_mhz);
}

Latency fastest_tile(const GemmProblem& problem, const GemmWork& work, const isa::Machine& machine,
                     const TimingConstants& constants) {
  Latency best;
  best.microseconds = std::numeric_limits<double>::infinity();
  const auto consider = [&](const Tile& tile, const Occupancy& o, int split) {
    const double hopeless = lower_bound(work, tile, o, split, machine) + machine.cold_start_cycles;
    if (hopeless > best.microseconds * machine.boost_mhz) return;
    Latency candidate;
    const auto time = tiled_kernel(work, tile, o, split, machine, constants, candidate);
    finish(candidate, time, problem, work, machine, constants);
    if (candidate.microseconds < best.microseconds) best = candidate;
  };
  for (const auto& tile : tiles(problem.sparse)) {
    const auto o = occupancy(work, tile, machine);
    if (o.ctas_per_sm < 1) continue;
    consider(tile, o, 1);
    if (!library_of(problem).splits_k) continue;
    const double ctas = work.m / tile.m * work.n / tile.n * work.batch,
                 chunks = work.k / tile.k(problem.type);
    for (const int split : splits)
      if (chunks >= least_iterations * split && ctas * split <= 8 * machine.sms) consider(tile, o, split);
  }
  if (best.microseconds == std::numeric_limits<double>::infinity())
    fail("machine {}: no tile of {} fits its shared memory and registers", machine.name,
         isa::name(problem.type));
  return best;
}

void check(const GemmProblem& p) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  for (const auto& [field, size] : {std::pair("m", p.m), {"n", p.n}, {"k", p.k}, {"batch", p.batch}})
    if (size < 1 || size > most) fail("GEMM: {} is {}; it must lie between 1 and 2^40", field, size);
  if (p.output_bits < 1 || p.output_bits > 64)
    fail("GEMM: output_bits is {}; it must lie between 1 and 64", p.output_bits);
}

Latency latency_of(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine,
                   const TimingConstants& constants) {
  const auto work = describe(problem, context, machine);
  Latency latency;
  if (std::min(work.m, work.n) <= library_of(problem).gemv_width) {
    latency.gemv = true;
    finish(latency, gemv_kernel(work, machine, constants), problem, work, machine, constants);
  } else {
    latency = fastest_tile(problem, work, machine, constants);
  }
  latency.tensor_floor_us = work.ideal_cycles / machine.boost_mhz;
  latency.dram_floor_us =
      ((work.a_bytes + work.b_bytes) * work.batch + work.epilogue_dram_bytes) / (machine.dram_read_gbs * 1e3);
  latency.peak_fraction = latency.tensor_floor_us / latency.microseconds;
  latency.fidelity = fidelity_of(problem.type, problem.sparse);
  return latency;
}

}  // namespace

std::string_view name(Launch launch) {
  return launch_names[static_cast<std::size_t>(launch)];
}

Launch parse_launch(std::string_view wanted) {
  for (std::size_t i = 0; i < launch_names.size(); ++i)
    if (launch_names[i] == wanted) return static_cast<Launch>(i);
  fail("unknown launch '{}'; known: graph, stream, kernel, as-measured", wanted);
}

int default_output_bits(ElementType type) {
  return type == ElementType::tf32 ? 32 : 16;
}

std::string_view name(Bound bound) {
  switch (bound) {
    case Bound::tensor_pipe: return "tensor-pipe";
    case Bound::shared_memory: return "shared-memory";
    case Bound::l2: return "L2";
    case Bound::dram: return "DRAM";
    case Bound::latency: return "latency";
    case Bound::launch: return "launch";
  }
  return "";
}

std::string_view name(TimingFidelity fidelity) {
  switch (fidelity) {
    case TimingFidelity::measured: return "measured";
    case TimingFidelity::derived: return "derived";
    case TimingFidelity::estimated: return "estimated";
  }
  return "";
}

Latency gemm_latency(const GemmProblem& problem, const isa::Machine& machine,
                     const TimingConstants& constants) {
  return gemm_latency(problem, KernelContext{}, machine, constants);
}

Latency gemm_latency(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine,
                     const TimingConstants& constants) {
  check(problem);
  return latency_of(problem, context, machine, constants);
}

}  // namespace twofour::emu
