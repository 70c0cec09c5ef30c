#include "twofour/emu/timing/kernel_time.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

constexpr double least_chunks = 2;  // k-chunks of a stream-K CTA (Osama et al., Stream-K, 2023)

/// (a^p + b^p)^(1/p): the larger of two times that overlap, a little longer where they are alike.
double overlap(double a, double b, double p) {
  const double high = std::max(a, b), low = std::min(a, b);
  return low <= 0 ? high : high * std::pow(1 + std::pow(low / high, p), 1 / p);
}

/// The m16n8 instruction of the largest k that multiplies a type into 32-bit accumulators.
const isa::Instruction& find_mma(ElementType type, bool sparse) {
  const isa::Instruction* best = nullptr;
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core()) continue;
    if (i.a != type || i.b != type || i.is_sparse() != sparse || i.shape.m != 16 || isa::bits(i.c) != 32)
      continue;
    if (!best || i.shape.k > best->shape.k) best = &i;
  }
  if (!best)
    fail(
        "there is no {}mma of {} to time; types: f16, bf16, tf32, s8, u8, s4, u4 (dense or sparse) and b1 "
        "(dense)",
        sparse ? "sparse " : "", isa::name(type));
  return *best;
}

/// Metadata over the bytes of a dense A: 4 bits a group of 4 16-bit, 2 32-bit, 4 8-bit or 8 4-bit columns.
double metadata_density(const isa::Instruction& i) {
  return i.is_sparse() ? 4.0 / (isa::group_columns(i.sparsity) * isa::bits(i.a)) : 0;
}

/// Registers of one thread: accumulators, two sets of fragments of a 32-byte k-step, and about 40 for
/// addresses.
double registers_per_thread(const Tile& tile) {
  const double warp_m = double(tile.m) / tile.warps_m, warp_n = double(tile.n) / tile.warps_n;
  const double accumulators = warp_m * warp_n / 32, fragments = 2 * (warp_m + warp_n) * 32 / (32 * 4);
  return std::min(255.0, accumulators + fragments + 40);
}

/// DRAM bytes of the operands when CTAs run in waves and each wave reads its rows and columns once. Operands
/// that fit in L2 together are read once only. Raster: cohorts of columns of CTAs (CUTLASS' threadblock
/// swizzle).
double operand_bytes(const GemmWork& work, const Grid& grid, double resident, int raster_columns,
                     double l2_bytes) {
  const double once = work.a_bytes + work.b_bytes;
  if (once <= l2_bytes) return once * work.batch;
  const double rows = grid.rows, columns = grid.columns;
  const double wave = std::min(rows * columns, resident);
  const double wave_columns = std::min<double>(columns, raster_columns),
               wave_rows = std::min(rows, std::ceil(wave / wave_columns));
  const double per_wave = work.a_bytes * wave_rows / rows + work.b_bytes * wave_columns / columns;
  return std::max(once, per_wave * rows * columns / (wave_rows * wave_columns)) * work.batch;
}

/// Small operands stay in L2 from one repetition of a benchmark to the next; larger ones come from DRAM,
/// whose stream takes a while to start.
double dram_cycles(double bytes, const isa::Machine& machine, const TimingConstants& constants) {
  const double miss = std::min(1.0, bytes / (constants.resident_mib * 1024 * 1024));
  const double stream = bytes / (machine.bytes_per_clk(machine.dram_read_gbs) * constants.dram_efficiency);
  return miss * (constants.dram_ramp_cycles + stream);
}

/// What binds the chip as a whole: DRAM beside the SMs, and the power budget, whose controller needs time to
/// lower the clock.
double chip_cycles(double sm_cycles, double dram, const GemmWork& work, const isa::Machine& machine,
                   const TimingConstants& constants) {
  const double free = overlap(sm_cycles, dram, constants.chip_overlap);
  const double us = free / machine.boost_mhz;
  const double throttle = 1 + work.throttle * us / (us + constants.throttle_us);
  return overlap(free, work.effective_cycles * throttle, constants.sm_overlap);
}

double result_bytes(const GemmWork& work) {
  return work.m * work.n * work.batch * work.output_bytes;
}

}  // namespace

GemmWork describe(const GemmProblem& problem, double b_bytes, const isa::Machine& machine) {
  const auto& mma = find_mma(problem.type, problem.sparse);
  const auto timing = isa::issue_timing(mma, machine);
  GemmWork work{};
  work.m = static_cast<double>(problem.m);
  work.n = static_cast<double>(problem.n);
  work.k = static_cast<double>(problem.k);
  work.batch = static_cast<double>(problem.batch);
  work.type = problem.type;
  work.sparse = problem.sparse;
  work.element_bytes = isa::bits(problem.type) / 8.0;
  work.a_density = (problem.sparse ? 0.5 : 1) + metadata_density(mma);
  work.a_bytes = work.m * work.k * work.element_bytes * work.a_density;
  work.b_bytes = b_bytes;
  work.output_bytes = problem.output_bits / 8.0;
  work.mma_fma = mma.fma();
  work.mma_interval = timing.effective_interval;
  work.mma_latency = timing.latency;
  const double pipes = machine.sms * machine.sub_cores_per_sm;
  const double instructions = work.m * work.n * work.k * work.batch / work.mma_fma / pipes;
  const double sustained =
      isa::is_float(problem.type) ? machine.sustained_mhz : machine.sustained_integer_mhz;
  work.ideal_cycles = instructions * timing.interval;
  work.effective_cycles = instructions * work.mma_interval;
  work.throttle = machine.boost_mhz / sustained - 1;
  return work;
}

Occupancy occupancy(const GemmWork& work, const Tile& tile, const isa::Machine& machine) {
  const double a_bytes = tile.m * tile.k_bytes * work.a_density, b_bytes = double(tile.n) * tile.k_bytes;
  const double smem = tile.stages * (a_bytes + b_bytes);
  const double threads = 32 * tile.warps();
  Occupancy o{};
  o.fill_bytes = a_bytes * std::min(1.0, work.m / tile.m) + b_bytes * std::min(1.0, work.n / tile.n);
  const double tile_fma = double(tile.m) * tile.n * tile.k(work.type);
  o.tensor_cycles = tile_fma / work.mma_fma * work.mma_interval / machine.sub_cores_per_sm;
  o.smem_cycles =
      (a_bytes * tile.warps_n + b_bytes * tile.warps_m + a_bytes + b_bytes) / machine.smem_bytes_per_clk;
  const double alone = machine.copy_latency + machine.smem_latency + work.mma_latency +
                       o.tensor_cycles * machine.sub_cores_per_sm / tile.warps();
  o.latency_cycles = std::max(alone, machine.dram_latency / (tile.stages - 1));
  constexpr double system_smem = 1024;  // of every CTA; CUDA C++ programming guide, compute capability 8.0
  if (smem <= machine.smem_per_cta)
    o.ctas_per_sm =
        static_cast<int>(std::min({machine.smem_per_sm / (smem + system_smem),
                                   machine.registers_per_sm / (registers_per_thread(tile) * threads),
                                   machine.max_warps_per_sm / tile.warps(), machine.max_ctas_per_sm}));
  return o;
}

Grid grid(const GemmWork& work, const Schedule& schedule, const Occupancy& occupancy,
          const isa::Machine& machine) {
  Grid g{};
  g.rows = ceil_div(work.m, schedule.tile.m);
  g.columns = ceil_div(work.n, schedule.tile.n);
  const double tiles = g.rows * g.columns * work.batch, chunks = ceil_div(work.k, schedule.tile.k(work.type));
  if (schedule.decomposition == Decomposition::stream_k) {
    const double places = machine.sms * occupancy.ctas_per_sm;
    g.ctas = std::max(1.0, std::min(places, std::floor(tiles * chunks / least_chunks)));
    g.iterations = ceil_div(tiles * chunks, g.ctas);
  } else {
    g.ctas = tiles * schedule.splits;
    g.iterations = ceil_div(chunks, schedule.splits);
  }
  // Measured float kernels whose last wave is not full take as long as if it were.
  const double per_sm = ceil_div(g.ctas, machine.sms);
  g.resident = std::min<double>(occupancy.ctas_per_sm, per_sm);
  g.rounds = ceil_div(per_sm, g.resident);
  return g;
}

double lower_bound(const GemmWork& work, const Schedule& schedule, const Grid& grid, const Occupancy& o,
                   const TimingConstants& constants) {
  const double epilogue =
      schedule.tile.m * schedule.tile.n * work.output_bytes / constants.store_bytes_per_clk;
  const double chunk = std::max(grid.resident * std::max(o.tensor_cycles, o.smem_cycles), o.latency_cycles);
  return grid.rounds * (chunk * grid.iterations + grid.resident * epilogue);
}

KernelTime tiled_kernel(const GemmWork& work, const Schedule& schedule, const Occupancy& o, const Grid& grid,
                        const isa::Machine& machine, const TimingConstants& constants, Latency& latency) {
  const double resident = grid.resident, rounds = grid.rounds;
  const double busy_sms = grid.ctas / (rounds * resident);  // on average over the kernel
  const double l2_share = machine.bytes_per_clk(machine.l2_read_gbs) * constants.l2_efficiency / busy_sms;
  const double fill = o.fill_bytes / std::min(machine.l2_bytes_per_clk_sm, l2_share);
  // CUTLASS' epilogue walks the whole tile, rows outside the matrix included. A stream-K CTA that begins or
  // ends inside a tile hands over its sums as well.
  const double tile_elements = double(schedule.tile.m) * schedule.tile.n;
  const bool stream_k = schedule.decomposition == Decomposition::stream_k;
  const double tiles_per_cta = stream_k ? grid.rows * grid.columns * work.batch / grid.ctas : 1;
  const double hand_over = stream_k ? 2 * sizeof(float) * tile_elements : 0;
  const double epilogue = (tile_elements * work.output_bytes * std::max(1.0, tiles_per_cta) + hand_over) /
                          constants.store_bytes_per_clk;

  const IterationCycles c{o.tensor_cycles * resident, o.smem_cycles * resident, fill * resident,
                          o.latency_cycles};
  const double p = constants.sm_overlap;
  const double iteration =
      overlap(overlap(overlap(c.tensor_pipe, c.shared_memory, p), c.l2, p), c.latency, p);

  KernelTime time{};
  time.sm_cycles = rounds * (iteration * grid.iterations + resident * epilogue);
  time.epilogue_cycles = rounds * resident * epilogue;
  const double slots = machine.sms * o.ctas_per_sm;
  const double l2_bytes = machine.l2_mib * 1024 * 1024;
  const double bytes =
      operand_bytes(work, grid, std::ceil(slots / schedule.splits), schedule.raster_columns, l2_bytes) +
      result_bytes(work);
  time.dram_cycles = dram_cycles(bytes, machine, constants);
  time.cycles = chip_cycles(time.sm_cycles, time.dram_cycles, work, machine, constants);

  latency.schedule = schedule;
  latency.ctas = grid.ctas;
  latency.ctas_per_sm = o.ctas_per_sm;
  latency.waves = grid.ctas / slots;
  latency.iterations = grid.iterations;
  latency.iteration = c;
  return time;
}

KernelTime gemv_kernel(const GemmWork& work, const isa::Machine& machine, const TimingConstants& constants) {
  constexpr double step_bytes = 2048, ctas_per_sm = 16;  // 128 threads that read 16 bytes each
  // Chosen on training rows: CTAs start one a cycle, and one-column kernels of short k take about that long.
  const double rows_per_cta = isa::is_float(work.type) ? 4 : 2;
  const double rows = std::max(work.m, work.n) * work.batch;
  const double ctas = rows / rows_per_cta, steps = ceil_div(work.k * work.element_bytes, step_bytes);
  const double rounds = ceil_div(ctas, machine.sms * ctas_per_sm);
  KernelTime time{};
  time.sm_cycles = ctas / machine.ctas_per_clk + constants.gemv_step_cycles * steps * rounds;
  time.dram_cycles =
      dram_cycles((work.a_bytes + work.b_bytes) * work.batch + result_bytes(work), machine, constants);
  time.cycles = overlap(time.sm_cycles, time.dram_cycles, constants.chip_overlap);
  return time;
}

}  // namespace twofour::emu
