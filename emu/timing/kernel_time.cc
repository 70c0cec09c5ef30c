#include "twofour/emu/timing/kernel_time.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/timing/library_mma.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr double system_smem = 1024;  // of every CTA; CUDA C++ programming guide, compute capability 8.0

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

constexpr double least_chunks = 2;  // k-chunks of a stream-K CTA (Osama et al., Stream-K, 2023)

/// (a^p + b^p)^(1/p): the larger of two times that overlap, a little longer where they are alike.
double overlap(double a, double b, double p) {
  const double high = std::max(a, b), low = std::min(a, b);
  return low <= 0 ? high : high * std::pow(1 + std::pow(low / high, p), 1 / p);
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

/// Bytes that the mma of a CTA read from shared memory for one k-chunk: every warp its rows and columns; with
/// wgmma a group of four warps takes 64 rows of A once and all columns of B once.
double operand_reads(const GemmWork& work, const Tile& tile, double a_bytes, double b_bytes) {
  if (work.warpgroup) return a_bytes + b_bytes * ceil_div(tile.m, 64);
  return a_bytes * tile.warps_n + b_bytes * tile.warps_m;
}

/// The widest copy that divides the rows of both K-major operands.
double widest_copy(const GemmProblem& problem) {
  const std::int64_t bits = problem.k * isa::bits(problem.type);
  const std::int64_t row = problem.sparse ? bits / 2 : bits;
  for (const int bytes : {16, 8, 4, 2})
    if (row % (8 * bytes) == 0 && bits % (8 * bytes) == 0) return bytes;
  return 1;
}

/// Issue slots of the warp instructions that copy `bytes`, beyond those of 16-byte copies: half the width
/// takes twice the cp.async, each with two instructions that move its 64-bit pointer on (as in emu/kernel's
/// programs). Below 4 bytes there is no cp.async but a load and a store. They delay mma where the tensor pipe
/// is full.
double narrow_copy_slots(const GemmWork& work, double bytes) {
  constexpr double lanes = 32, widest = 16, pointer = 2;
  const double moves = work.copy_bytes < 4 ? 2 : 1;
  return bytes / lanes * ((moves + pointer) / work.copy_bytes - (1 + pointer) / widest);
}

/// DRAM bytes of the operands when CTAs run in waves and each wave reads its rows and columns once. Operands
/// that fit in L2 together are read once only. Raster: cohorts of columns of CTAs (CUTLASS' threadblock
/// swizzle); sparse kernels walk down all rows of A first, without cohorts (read off the A100 pairs: 16384
/// rows cost more than 2048 or 3072).
double operand_bytes(const GemmWork& work, const Grid& grid, double resident, int raster_columns,
                     double l2_bytes) {
  const double once = work.a_bytes + work.b_bytes;
  if (once <= l2_bytes) return once * work.batch;
  const double rows = grid.rows, columns = grid.columns;
  const double wave = std::min(rows * columns, resident);
  double wave_columns = std::min<double>(columns, raster_columns),
         wave_rows = std::min(rows, std::ceil(wave / wave_columns));
  if (work.sparse) {
    wave_rows = std::min(rows, wave);
    wave_columns = std::min(columns, wave / wave_rows);
  }
  const double per_wave = work.a_bytes * wave_rows / rows + work.b_bytes * wave_columns / columns;
  return std::max(once, per_wave * rows * columns / (wave_rows * wave_columns)) * work.batch;
}

/// Small operands stay in L2 from one repetition of a benchmark to the next; larger ones come from DRAM,
/// whose stream takes a while to start. In a network it is known what comes from DRAM; writes wait for
/// nothing.
double dram_cycles(const GemmWork& work, double operands, const isa::Machine& machine,
                   const TimingConstants& constants) {
  const double bytes = operands + work.epilogue_dram_bytes;
  const double miss = work.in_network ? 1 : std::min(1.0, bytes / (constants.resident_mib * 1024 * 1024));
  const double ramp = work.in_network && operands <= 0 ? 0 : constants.dram_ramp_cycles;
  const double efficiency = work.layer_profiled ? constants.layer_dram_efficiency : constants.dram_efficiency;
  const double stream = bytes / (machine.bytes_per_clk(machine.dram_read_gbs) * efficiency);
  return miss * (ramp + stream);
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

constexpr double fitted_bytes = 2;  // of an element of D in the measurements

/// SM cycles of the epilogue for one element of D. Its 32-bit accumulator passes through shared memory
/// whatever the width of D, so the fitted rate, which is of 16-bit D, is kept for an element; other widths of
/// D and a residual cost or save their bytes at the rate of loads.
double epilogue_cycles(const GemmWork& work, double load_rate, const TimingConstants& constants) {
  const double other_bytes = work.output_bytes - fitted_bytes + work.residual_bytes;
  return std::max(0.0, fitted_bytes / constants.store_bytes_per_clk + other_bytes / load_rate);
}

/// CTAs that share an SM from beginning to end.
struct Round {
  IterationCycles chunk;  ///< of all of them
  double epilogue;        ///< cycles of all of them
  double cycles;
};

/// `ctas` of them, while `busy_sms` SMs share L2.
Round round_of(double ctas, double busy_sms, const GemmWork& work, const Schedule& schedule,
               const Occupancy& o, const Grid& grid, const isa::Machine& machine,
               const TimingConstants& constants) {
  const double l2_share = machine.bytes_per_clk(machine.l2_read_gbs) * constants.l2_efficiency / busy_sms;
  const double load_rate = std::min(machine.l2_bytes_per_clk_sm, l2_share);
  // CUTLASS' epilogue walks the whole tile, rows outside the matrix included. A stream-K CTA that begins or
  // ends inside a tile hands over its sums as well.
  const double elements = double(schedule.tile.m) * schedule.tile.n;
  const bool stream_k = schedule.decomposition == Decomposition::stream_k;
  const double tiles_per_cta = stream_k ? grid.rows * grid.columns * work.batch / grid.ctas : 1;
  const double hand_over = stream_k ? 2 * sizeof(float) * elements / constants.store_bytes_per_clk : 0;
  const double epilogue =
      elements * epilogue_cycles(work, load_rate, constants) * std::max(1.0, tiles_per_cta) + hand_over;
  Round round{};
  round.chunk = {o.tensor_cycles * ctas, o.smem_cycles * ctas, o.fill_bytes / load_rate * ctas,
                 o.latency_cycles};
  const auto& c = round.chunk;
  const double p = constants.sm_overlap;
  const double chunk = overlap(overlap(overlap(c.tensor_pipe, c.shared_memory, p), c.l2, p), c.latency, p);
  round.epilogue = ctas * epilogue;
  round.cycles = chunk * grid.iterations + round.epilogue;
  return round;
}

}  // namespace

GemmWork describe(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine) {
  const auto library = library_mma(problem.type, problem.sparse, machine);
  const auto& mma = *library.instruction;
  GemmWork work{};
  work.m = static_cast<double>(problem.m);
  work.n = static_cast<double>(problem.n);
  work.k = static_cast<double>(problem.k);
  work.batch = static_cast<double>(problem.batch);
  work.type = problem.type;
  work.sparse = problem.sparse;
  work.element_bytes = isa::bits(problem.type) / 8.0;
  work.copy_bytes = widest_copy(problem);
  work.a_density = (problem.sparse ? 0.5 : 1) + metadata_density(mma);
  const double b_bytes = context.b_bytes < 0 ? work.k * work.n * work.element_bytes : context.b_bytes;
  work.a_bytes = context.a_in_l2 ? 0 : work.m * work.k * work.element_bytes * work.a_density;
  work.b_bytes = context.b_in_l2 ? 0 : b_bytes;
  work.in_network = context.in_network;
  work.layer_profiled = problem.launch == Launch::as_measured && !isa::is_float(problem.type);
  work.output_bytes =
      context.d_bytes < 0 ? problem.output_bits / 8.0 : context.d_bytes / (work.m * work.n * work.batch);
  work.residual_bytes = context.residual_bits / 8.0;
  work.epilogue_dram_bytes =
      work.m * work.n * work.batch * (work.output_bytes + (context.residual_in_l2 ? 0 : work.residual_bytes));
  work.mma_fma = mma.fma();
  work.mma_interval = library.effective_interval;
  work.mma_latency = library.latency;
  work.warpgroup = library.warpgroup;
  const double pipes = machine.sms * machine.sub_cores_per_sm;
  const double instructions = work.m * work.n * work.k * work.batch / work.mma_fma / pipes;
  const double sustained =
      isa::is_float(problem.type) ? machine.sustained_mhz : machine.sustained_integer_mhz;
  work.ideal_cycles = instructions * library.interval;
  work.effective_cycles = instructions * work.mma_interval;
  work.throttle = machine.boost_mhz / sustained - 1;
  return work;
}

double count_ctas(const GemmWork& work, const Tile& tile) {
  return ceil_div(work.m, tile.m) * ceil_div(work.n, tile.n) * work.batch;
}

Tile with_fitting_stages(const GemmWork& work, Tile tile, int share, const isa::Machine& machine) {
  const double stage_bytes = (tile.m * work.a_density + tile.n) * tile.k_bytes;
  const double most = std::min(machine.smem_per_cta, machine.smem_per_sm / share - system_smem);
  while (tile.stages > 2 && tile.stages * stage_bytes > most) --tile.stages;
  return tile;
}

Occupancy occupancy(const GemmWork& work, const Tile& tile, const isa::Machine& machine) {
  const double a_bytes = tile.m * tile.k_bytes * work.a_density, b_bytes = double(tile.n) * tile.k_bytes;
  const double smem = tile.stages * (a_bytes + b_bytes);
  const double threads = 32 * tile.warps();
  Occupancy o{};
  // Kernels of wgmma run in clusters of two CTAs that read B once (CUTLASS' 2 x 1 cluster, TMA multicast).
  const double cluster = work.warpgroup ? 2 : 1;
  o.fill_bytes =
      a_bytes * std::min(1.0, work.m / tile.m) + b_bytes * std::min(1.0, work.n / tile.n) / cluster;
  const double tile_fma = double(tile.m) * tile.n * tile.k(work.type);
  o.tensor_cycles = tile_fma / work.mma_fma * work.mma_interval / machine.sub_cores_per_sm;
  o.tensor_cycles += narrow_copy_slots(work, a_bytes + b_bytes) / machine.sub_cores_per_sm;
  o.smem_cycles =
      (operand_reads(work, tile, a_bytes, b_bytes) + a_bytes + b_bytes) / machine.smem_bytes_per_clk;
  const double alone = machine.copy_latency + machine.smem_latency + work.mma_latency +
                       o.tensor_cycles * machine.sub_cores_per_sm / tile.warps();
  o.latency_cycles = std::max(alone, machine.dram_latency / (tile.stages - 1));
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
  const double per_sm = ceil_div(g.ctas, machine.sms);
  g.resident = std::min<double>(occupancy.ctas_per_sm, per_sm);
  g.rounds = std::floor(per_sm / g.resident);
  g.last = per_sm - g.rounds * g.resident;
  return g;
}

Grid in_whole_rounds(Grid grid) {
  if (grid.last > 0) grid.rounds += 1;
  grid.last = 0;
  return grid;
}

double lower_bound(const GemmWork& work, const Schedule& schedule, const Grid& grid, const Occupancy& o,
                   const TimingConstants& constants) {
  const double elements = double(schedule.tile.m) * schedule.tile.n;
  const double epilogue =
      work.output_bytes < fitted_bytes ? 0 : elements * fitted_bytes / constants.store_bytes_per_clk;
  const auto round = [&](double ctas) {
    const double chunk = std::max(ctas * std::max(o.tensor_cycles, o.smem_cycles), o.latency_cycles);
    return chunk * grid.iterations + ctas * epilogue;
  };
  return grid.rounds * round(grid.resident) + (grid.last > 0 ? round(grid.last) : 0);
}

KernelTime tiled_kernel(const GemmWork& work, const Schedule& schedule, const Occupancy& o, const Grid& grid,
                        const isa::Machine& machine, const TimingConstants& constants, Latency& latency) {
  // On average over the kernel: SMs that get fewer CTAs than the busiest leave L2 to the others.
  const double busy_sms = grid.ctas / (grid.rounds * grid.resident + grid.last);
  const auto round = [&](double ctas) {
    return round_of(ctas, busy_sms, work, schedule, o, grid, machine, constants);
  };
  const Round full = round(grid.resident);
  KernelTime time{};
  time.sm_cycles = grid.rounds * full.cycles;
  time.epilogue_cycles = grid.rounds * full.epilogue;
  if (grid.last > 0) {
    const Round last = round(grid.last);
    time.sm_cycles += last.cycles;
    time.epilogue_cycles += last.epilogue;
  }
  const double slots = machine.sms * o.ctas_per_sm;
  const double l2_bytes = machine.l2_mib * 1024 * 1024;
  const double operands =
      operand_bytes(work, grid, std::ceil(slots / schedule.splits), schedule.raster_columns, l2_bytes);
  time.dram_cycles = dram_cycles(work, operands, machine, constants);
  time.cycles = chip_cycles(time.sm_cycles, time.dram_cycles, work, machine, constants);

  latency.schedule = schedule;
  latency.ctas = grid.ctas;
  latency.ctas_per_sm = o.ctas_per_sm;
  latency.waves = grid.ctas / slots;
  latency.iterations = grid.iterations;
  latency.iteration = full.chunk;
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
  time.dram_cycles = dram_cycles(work, (work.a_bytes + work.b_bytes) * work.batch, machine, constants);
  time.cycles = overlap(time.sm_cycles, time.dram_cycles, constants.chip_overlap);
  return time;
}

}  // namespace twofour::emu
