#include "twofour/emu/timing/gemm_latency.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "twofour/emu/timing/error_band.h"
#include "twofour/emu/timing/kernel_time.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr std::array<std::string_view, 4> launch_names{"graph", "stream", "kernel", "as-measured"};

/// How the libraries that were measured choose kernels, read off the measurements: their files do not name
/// them. Float rows look like cuBLAS (split-k, a matrix-vector kernel at one column); 8-bit rows grow
/// linearly with k and do not split it, stream up to four columns, and look like chunks of 128 bytes of k.
struct Library {
  bool splits_k;      ///< has kernels that share one output tile's k among CTAs
  double gemv_width;  ///< columns up to which it streams the large operand instead of tiling
  int least_k_bytes;  ///< of a tile
  /// It counts a last round that is not full as a full one when it compares tiles. The bf16 rows look so: 217
  /// to 324 tiles of 128 x 128 take as long as two waves of 256 x 128, though the smaller tiles would end
  /// sooner. The f16 rows, whose libraries are older, and the 8-bit rows do not.
  bool ranks_whole_rounds;
};

Library library_of(const GemmProblem& problem) {
  const bool is_float = isa::is_float(problem.type),
             dense_8_bit = !problem.sparse && isa::bits(problem.type) == 8;
  const double gemv_width = problem.sparse ? 0 : is_float ? 1 : dense_8_bit ? 4 : 0;
  return {is_float, gemv_width, dense_8_bit && !is_float ? 128 : 0,
          is_float && !problem.sparse && problem.launch == Launch::as_measured};
}

constexpr std::array<int, 11> splits{2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32};
constexpr double least_iterations = 2;  // k-chunks of a CTA of split-k; the rule of Stream-K
constexpr std::int64_t most_splits = 1 << 16;

/// The kernel that adds the partial sums of split-k: its launch and start, partly hidden behind the first
/// kernel's end, and the sums through L2.
double reduction_us(const GemmProblem& problem, const GemmWork& work, int split, const isa::Machine& machine,
                    const TimingConstants& constants) {
  if (split == 1) return 0;
  const double launch = problem.launch == Launch::kernel ? 0 : machine.launch_graph_us;
  const double bytes = 2 * split * work.m * work.n * work.batch * sizeof(float);
  return constants.reduction_share * (launch + machine.cold_start_cycles / machine.boost_mhz) +
         bytes / (machine.l2_read_gbs * constants.l2_efficiency * 1e3);
}

TimingFidelity fidelity_of(ElementType type, bool sparse, const isa::Machine& machine) {
  const bool kernels_measured = type == ElementType::f16 || type == ElementType::bf16 || isa::bits(type) == 8;
  const bool a100 = machine.compute_capability == 80;
  if (a100 && kernels_measured && !sparse) return TimingFidelity::measured;
  return isa::bits(type) <= 4 ? TimingFidelity::estimated : TimingFidelity::derived;
}

Bound largest(const KernelTime& time, const Latency& latency, const GemmWork& work, double overhead_cycles) {
  const double kernel = std::max({time.sm_cycles, time.dram_cycles, work.effective_cycles});
  if (overhead_cycles > kernel) return Bound::launch;
  if (time.dram_cycles >= kernel) return Bound::dram;
  if (latency.gemv) return Bound::latency;
  if (work.effective_cycles >= kernel) return Bound::tensor_pipe;
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
  const double reduction = reduction_us(problem, work, latency.schedule.splits, machine, constants);
  const double cold_start = machine.cold_start_cycles / machine.boost_mhz;
  latency.launch_us =
      launch_us(problem.launch, problem.type, latency.gemv, machine, constants) + cold_start + reduction;
  latency.microseconds = time.cycles / machine.boost_mhz + latency.launch_us;
  latency.cycles = time.cycles + machine.cold_start_cycles;
  latency.bound = largest(time, latency, work, latency.launch_us * machine.boost_mhz);
}

Latency time_schedule(const GemmProblem& problem, const GemmWork& work, const Schedule& schedule,
                      const Occupancy& o, const Grid& g, const isa::Machine& machine,
                      const TimingConstants& constants) {
  Latency latency;
  const auto time = tiled_kernel(work, schedule, o, g, machine, constants, latency);
  finish(latency, time, problem, work, machine, constants);
  return latency;
}

/// Libraries have kernels of fewer stages for chips of less shared memory than the 164 KiB of sm_80, whose
/// tiles the table lists, so that two CTAs share an SM (sm_75 has nothing but two stages).
bool shares_stages(const isa::Machine& machine) {
  return machine.smem_per_sm < 164 * 1024;
}

/// Sparse kernels, as cuSPARSELt's default algorithm picks them: whether it is the largest tile, without
/// split-k. Its CTAs give every SM one and their waves have least_share of their multiply-adds inside the
/// matrix. Read off the measured pairs, whose program asks for algorithm 0 without a search: 768 and 1024
/// rows of A take as long.
bool takes_largest(const GemmWork& work, const isa::Machine& machine) {
  constexpr double least_share = 0.55;  // the least that was measured is 0.585
  const Tile tile = largest_sparse_tile;
  const double waves = count_ctas(work, tile) / machine.sms;
  const double columns = tile.k(work.type), computed = tile.m * tile.n * machine.sms * std::ceil(waves) *
                                                       std::ceil(work.k / columns) * columns;
  const double share = work.m * work.n * work.batch * work.k / computed;
  return work.sparse && waves >= 1 && share >= least_share;
}

Latency fastest_schedule(const GemmProblem& problem, const GemmWork& work, const isa::Machine& machine,
                         const TimingConstants& constants) {
  Latency best;
  best.microseconds = std::numeric_limits<double>::infinity();
  const double overhead = launch_us(problem.launch, problem.type, false, machine, constants) +
                          machine.cold_start_cycles / machine.boost_mhz;
  const Library library = library_of(problem);
  const auto consider = [&](const Schedule& schedule, const Occupancy& o) {
    const auto real = grid(work, schedule, o, machine);
    const auto g = library.ranks_whole_rounds ? in_whole_rounds(real) : real;
    const double least = overhead + reduction_us(problem, work, schedule.splits, machine, constants) +
                         lower_bound(work, schedule, g, o, constants) / machine.boost_mhz;
    if (least > best.microseconds) return;
    const auto candidate = time_schedule(problem, work, schedule, o, g, machine, constants);
    if (candidate.microseconds < best.microseconds) best = candidate;
  };
  const bool largest_only = takes_largest(work, machine);
  const auto consider_splits = [&](const Tile& tile, const Occupancy& o) {
    consider({.tile = tile}, o);
    if (!library.splits_k || largest_only) return;
    const double ctas = work.m / tile.m * work.n / tile.n * work.batch,
                 chunks = work.k / tile.k(problem.type);
    for (const int split : splits)
      if (chunks >= least_iterations * split && ctas * split <= 8 * machine.sms)
        consider({.tile = tile, .decomposition = Decomposition::split_k, .splits = split}, o);
  };
  for (const auto& listed : tiles(problem.sparse)) {
    if (largest_only && listed.m * listed.n != largest_sparse_tile.m * largest_sparse_tile.n) continue;
    if (listed.k_bytes < library.least_k_bytes) continue;
    for (int share = 1; share <= (shares_stages(machine) ? 2 : 1); ++share) {
      const Tile tile = with_fitting_stages(work, listed, share, machine);
      const auto o = occupancy(work, tile, machine);
      if (o.ctas_per_sm < share) continue;
      consider_splits(tile, o);
    }
  }
  if (best.microseconds == std::numeric_limits<double>::infinity())
    fail("machine {}: no tile of {} fits its shared memory and registers", machine.name,
         isa::name(problem.type));
  if (!library.ranks_whole_rounds) return best;
  const auto o = occupancy(work, best.schedule.tile, machine);
  return time_schedule(problem, work, best.schedule, o, grid(work, best.schedule, o, machine), machine,
                       constants);
}

void check(const GemmProblem& p) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  for (const auto& [field, size] : {std::pair("m", p.m), {"n", p.n}, {"k", p.k}, {"batch", p.batch}})
    if (size < 1 || size > most) fail("GEMM: {} is {}; it must lie between 1 and 2^40", field, size);
  if (p.output_bits < 1 || p.output_bits > 64)
    fail("GEMM: output_bits is {}; it must lie between 1 and 64", p.output_bits);
}

/// What follows from the problem and its time: floors, share of the peak, grade, band.
void add_floors(Latency& latency, const GemmProblem& problem, const GemmWork& work,
                const isa::Machine& machine) {
  latency.tensor_floor_us = work.ideal_cycles / machine.boost_mhz;
  latency.dram_floor_us =
      ((work.a_bytes + work.b_bytes) * work.batch + work.epilogue_dram_bytes) / (machine.dram_read_gbs * 1e3);
  latency.peak_fraction = latency.tensor_floor_us / latency.microseconds;
  latency.fidelity = fidelity_of(problem.type, problem.sparse, machine);
  add_band(latency, problem, machine);
}

Latency latency_of(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine,
                   const TimingConstants& constants) {
  const auto work = describe(problem, context, machine);
  Latency latency;
  if (std::min(work.m, work.n) <= library_of(problem).gemv_width) {
    latency.gemv = true;
    finish(latency, gemv_kernel(work, machine, constants), problem, work, machine, constants);
  } else {
    latency = fastest_schedule(problem, work, machine, constants);
  }
  add_floors(latency, problem, work, machine);
  return latency;
}

/// Refuses what no kernel could run; whether the tile fits the machine is checked by its occupancy.
void check(const Schedule& s, const GemmProblem& problem) {
  const auto& t = s.tile;
  if (std::min({t.m, t.n, t.k_bytes, t.warps_m, t.warps_n}) < 1 || t.stages < 2)
    fail(
        "schedule: tile {} x {} x {} bytes with {} stages and {} x {} warps; sizes and warps must be at "
        "least 1 "
        "and stages 2",
        t.m, t.n, t.k_bytes, t.stages, t.warps_m, t.warps_n);
  if (t.m % (16 * t.warps_m) != 0 || t.n % (8 * t.warps_n) != 0 || t.k_bytes % 32 != 0)
    fail(
        "schedule: tile {} x {} x {} bytes on {} x {} warps: a warp's share must be a multiple of 16 x 8 x "
        "32 "
        "bytes",
        t.m, t.n, t.k_bytes, t.warps_m, t.warps_n);
  if (s.raster_columns < 1) fail("schedule: raster_columns is {}; it must be at least 1", s.raster_columns);
  if (s.alignment != 16 && s.alignment != 8 && s.alignment != 4)
    fail("schedule: alignment is {} bytes; cp.async moves 16, 8 or 4", s.alignment);
  const auto chunks = (problem.k + t.k(problem.type) - 1) / t.k(problem.type);
  if (s.decomposition != Decomposition::split_k && s.splits != 1)
    fail("schedule: splits is {}; only split-k has more than one", s.splits);
  if (s.splits < 1 || s.splits > most_splits || s.splits > chunks)
    fail("schedule: splits is {}; k has {} chunks, so it must lie between 1 and {}", s.splits, chunks,
         std::min<std::int64_t>(chunks, most_splits));
}

}  // namespace

double launch_us(Launch launch, ElementType type, bool gemv, const isa::Machine& machine,
                 const TimingConstants& constants) {
  switch (launch) {
    case Launch::graph: return machine.launch_graph_us;
    case Launch::stream: return machine.launch_stream_us;
    case Launch::kernel: return 0;
    case Launch::as_measured: break;
  }
  if (isa::is_float(type)) return machine.launch_graph_us;
  return machine.launch_graph_us + constants.layer_us + (gemv ? 0 : constants.layer_gemm_us);
}

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
    case Bound::cuda_cores: return "CUDA-cores";
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

Latency schedule_latency(const GemmProblem& problem, const Schedule& schedule, const isa::Machine& machine,
                         const TimingConstants& constants) {
  return schedule_latency(problem, KernelContext{}, schedule, machine, constants);
}

Latency schedule_latency(const GemmProblem& problem, const KernelContext& context, const Schedule& schedule,
                         const isa::Machine& machine, const TimingConstants& constants) {
  check(problem);
  check(schedule, problem);
  auto work = describe(problem, context, machine);
  work.copy_bytes = std::min<double>(work.copy_bytes, schedule.alignment);
  const auto o = occupancy(work, schedule.tile, machine);
  if (o.ctas_per_sm < 1)
    fail("schedule: a CTA of tile {} x {} x {} bytes with {} stages does not fit an SM of {}",
         schedule.tile.m, schedule.tile.n, schedule.tile.k_bytes, schedule.tile.stages, machine.name);
  const auto g = grid(work, schedule, o, machine);
  auto latency = time_schedule(problem, work, schedule, o, g, machine, constants);
  add_floors(latency, problem, work, machine);
  return latency;
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
