#include "twofour/emu/kernel/simulate.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "twofour/emu/kernel/kernel_streams.h"
#include "twofour/emu/timing/kernel_time.h"
#include "twofour/emu/timing/sm_pipeline.h"
#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

const isa::Instruction& find_mma(const GemmProblem& p, const isa::Machine& machine) {
  const isa::Instruction* best = nullptr;
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || i.a != p.type || i.b != p.type || i.is_sparse() != p.sparse) continue;
    if (i.shape.m != 16 || isa::bits(i.c) != 32 || !isa::has_issue_timing(i, machine)) continue;
    if (!best || i.shape.k > best->shape.k) best = &i;
  }
  if (!best)
    fail("machine {} has no {}mma of {}", machine.name, p.sparse ? "sparse " : "", isa::name(p.type));
  return *best;
}

/// What is simulated.
struct Job {
  GemmProblem problem;
  KernelProblem kernel;
  std::optional<double> b_bytes = {};  ///< that DRAM delivers of B at least; all that CTAs fetch if not given
};

ElementType output_type(const GemmProblem& p) {
  switch (p.output_bits) {
    case 8: return ElementType::s8;
    case 16: return p.type == ElementType::bf16 ? ElementType::bf16 : ElementType::f16;
    case 32: return isa::is_float(p.type) ? ElementType::f32 : ElementType::s32;
    default: fail("simulation: output of {} bits; kernels store 8, 16 or 32", p.output_bits);
  }
}

/// Bytes of the operands that DRAM delivers: once if they fit L2 together, else once per wave of CTAs, which
/// are launched in cohorts of raster_columns.
double operand_bytes(const Job& job, const Kernel& k, std::int64_t resident, const isa::Machine& machine) {
  const double a = static_cast<double>(k.grid_m) * k.chunks * (k.a_bytes + k.metadata_bytes);
  const double b = job.b_bytes.value_or(static_cast<double>(k.grid_n) * k.chunks * k.b_bytes);
  if (a + b <= machine.l2_mib * 1024 * 1024) return a + b;
  const auto rows = static_cast<double>(k.grid_m), columns = static_cast<double>(k.grid_n);
  const double wave = std::min(rows * columns, static_cast<double>(resident));
  const double wave_columns = std::min<double>(columns, k.schedule.raster_columns);
  const double wave_rows = std::min(rows, std::ceil(wave / wave_columns));
  const double per_wave = a * wave_rows / rows + b * wave_columns / columns;
  return std::max(a + b, per_wave * rows * columns / (wave_rows * wave_columns));
}

/// Time and events of so many CTAs with so long a main loop on one SM.
struct Run {
  SmTotals totals;
  SmReport report;
};

Run run(const KernelStreams& streams, int most, std::int64_t ctas, int resident,
        const SmParameters& parameters, SmListener* listener) {
  const CtaStream cta = streams.cta(most);
  SmCounter counter(parameters);
  SmListeners listeners;
  listeners.add(counter);
  if (listener != nullptr) listeners.add(*listener);
  const SmWork work{std::vector<const CtaStream*>(static_cast<std::size_t>(ctas), &cta), resident};
  const auto totals = run_sm(work, parameters, listeners);
  return {totals, counter.report(totals)};
}

/// What the longer of two runs has more.
SmReport difference(const SmReport& longer, const SmReport& shorter) {
  SmReport d = longer;
  d.totals.cycles -= shorter.totals.cycles;
  d.totals.instructions -= shorter.totals.instructions;
  for (std::size_t s = 0; s < d.stall_cycles.size(); ++s) d.stall_cycles[s] -= shorter.stall_cycles[s];
  for (std::size_t p = 0; p < d.busy_cycles.size(); ++p) d.busy_cycles[p] -= shorter.busy_cycles[p];
  return d;
}

/// Cycles of `ctas` CTAs on an SM, their main loops extended from runs of three lengths.
struct Extended {
  double cycles = 0;
  double chunk_cycles = 0;  ///< more cycles for one more k-chunk of every CTA
  double unsteadiness = 0;
  SmReport steady, run;
  std::int64_t observed_cycles = 0;  ///< of the first run, which the listener sees
};

/// The main loop is made longer, by twice as much each time, until an added k-chunk takes as long as the ones
/// added before: to `tolerance`, or until the loop is as long as it can be made in reasonable time.
Extended extend(const KernelStreams& streams, int stages, std::int64_t ctas, int resident,
                const SmParameters& parameters, SmListener* listener) {
  constexpr double tolerance = 0.005;
  constexpr int longest = 600;
  const double in_turn = static_cast<double>(ctas) / resident;  // main loops one after the other
  Extended e;
  SmReport shorter;
  std::int64_t shorter_chunks = 0;
  for (int length = 2 * stages + 8, more = 16;; length += more, more *= 2) {
    const Run r = run(streams, length, ctas, resident, parameters, listener);
    const std::int64_t chunks = streams.chunks(length), added = chunks - shorter_chunks;
    if (shorter_chunks == 0) e.observed_cycles = r.totals.cycles;
    listener = nullptr;
    const SmReport last = difference(r.report, shorter);
    const double slope =
        static_cast<double>(last.totals.cycles) / static_cast<double>(std::max<std::int64_t>(added, 1));
    e.unsteadiness = e.chunk_cycles > 0 ? std::abs(slope / in_turn / e.chunk_cycles - 1) : 1;
    e.chunk_cycles = slope / in_turn;
    e.run = r.report;
    if (chunks == streams.chunks()) {
      e.cycles = static_cast<double>(r.totals.cycles);
      e.unsteadiness = 0;
      e.steady = r.report;
      return e;
    }
    e.steady = last;
    e.cycles = static_cast<double>(r.totals.cycles) + slope * static_cast<double>(streams.chunks() - chunks);
    if (e.unsteadiness < tolerance || length > longest) return e;
    shorter = r.report;
    shorter_chunks = chunks;
  }
}

/// The same for any number of CTAs: beyond three rounds of the occupancy each round takes as long as the
/// third.
Extended rounds(const KernelStreams& streams, int stages, std::int64_t ctas, int resident,
                const SmParameters& parameters, SmListener* listener) {
  const auto at_once = static_cast<int>(std::min<std::int64_t>(resident, ctas));
  if (ctas <= 3 * resident) return extend(streams, stages, ctas, at_once, parameters, listener);
  const std::int64_t part = ctas % resident, some = 2 * resident + part;
  Extended base = extend(streams, stages, some, at_once, parameters, listener);
  const auto two = part == 0 ? base : extend(streams, stages, 2 * resident, at_once, parameters, nullptr);
  const auto three = extend(streams, stages, 3 * resident, at_once, parameters, nullptr);
  base.cycles += static_cast<double>((ctas - some) / resident) * (three.cycles - two.cycles);
  base.chunk_cycles = three.chunk_cycles;
  return base;
}

/// The kernel that adds the partial sums of split-k, as libraries write it: spread over the whole machine, so
/// that the bandwidth of L2 bounds it. (The tile program of emu/kernel adds them on one CTA a tile.)
double reduction_cycles(const Kernel& k, const GemmProblem& p, const isa::Machine& machine) {
  const double sums = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.batch);
  const double bytes = sums * (k.schedule.splits * k.sum_bytes() + p.output_bits / 8.0);
  return machine.l2_latency + bytes / machine.bytes_per_clk(machine.l2_read_gbs);
}

MemoryShare share(std::int64_t ctas, double l2_hit, bool write_back, const isa::Machine& machine) {
  const double busy = std::min(machine.sms, static_cast<double>(ctas));
  const double l2 = machine.bytes_per_clk(machine.l2_read_gbs) / busy;
  return {.l2_bytes_per_clk = std::min(l2, machine.l2_bytes_per_clk_sm),
          .dram_bytes_per_clk = machine.bytes_per_clk(machine.dram_read_gbs) / busy,
          .l1_hit = 0,
          .l2_hit = std::clamp(l2_hit, 0.0, 1.0),
          .write_back = write_back};
}

/// CTAs of the grid's first kernel, and those of the second one of split-k.
std::pair<std::int64_t, std::int64_t> kernels_of(const std::vector<std::vector<Work>>& rows) {
  const auto second = std::find_if(rows.begin(), rows.end(), [](const std::vector<Work>& row) {
    return std::all_of(row.begin(), row.end(), [](const Work& w) { return w.chunk_begin == w.chunk_end; });
  });
  return {second - rows.begin(), rows.end() - second};
}

/// The kernel of a schedule with the widest copies that the problem allows, its stream-k on as many CTAs as
/// run at once.
Kernel fitted_kernel(KernelProblem tiled, Schedule schedule, const isa::Machine& machine) {
  schedule.alignment = std::min(schedule.alignment, largest_alignment(tiled));
  const int fit = ctas_per_sm(plan_kernel(tiled, schedule), machine);
  if (fit < 1)
    fail("the tile of {} x {} does not fit an SM of {}", schedule.tile.m, schedule.tile.n, machine.name);
  tiled.places = static_cast<int>(machine.sms) * fit;
  return plan_kernel(tiled, schedule);
}

/// Bytes between L2 and DRAM.
struct Traffic {
  double operands, d;
  bool write_back;  ///< D goes to DRAM while the kernel runs
  double bytes() const { return operands + (write_back ? d : 0); }
};

/// In a run of such kernels L2 is full of the last one's D, unless everything fits.
Traffic traffic_of(const Job& job, const Kernel& kernel, int fit, const isa::Machine& machine) {
  const GemmProblem& p = job.problem;
  const auto resident = static_cast<std::int64_t>(machine.sms) * fit / kernel.schedule.splits;
  const auto batch = static_cast<double>(p.batch);
  const double operands = operand_bytes(job, kernel, resident, machine) * batch;
  const double d = static_cast<double>(p.m) * static_cast<double>(p.n) * batch * p.output_bits / 8;
  return {operands, d, operands + d > machine.l2_mib * 1024 * 1024};
}

void set_tensor_floors(KernelSimulation& s, const GemmProblem& p, const isa::Instruction& mma,
                       const isa::Machine& machine) {
  const auto timing = isa::issue_timing(mma, machine);
  const double fma = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k) *
                     static_cast<double>(p.batch);
  const double instructions = fma / mma.fma() / (machine.sms * machine.sub_cores_per_sm);
  const double sustained = isa::is_float(p.type) ? machine.sustained_mhz : machine.sustained_integer_mhz;
  s.power_cycles = instructions * timing.effective_interval * machine.boost_mhz / sustained;
  s.tensor_floor_us = instructions * timing.interval / machine.boost_mhz;
}

std::string bound_of(const KernelSimulation& s, double overhead_cycles) {
  const double kernel = std::max({s.sm_cycles, s.dram_cycles, s.power_cycles});
  if (overhead_cycles > kernel) return "launch";
  if (s.dram_cycles >= kernel) return "DRAM";
  if (s.power_cycles >= kernel) return "power: tensor pipe at the sustained clock";
  return s.steady.bound();
}

}  // namespace

int ctas_per_sm(const Kernel& k, const isa::Machine& machine) {
  constexpr int system_shared_bytes = 1024;  // of every CTA; CUDA C++ programming guide, 8.0
  constexpr int registers_at_a_time = 8;     // a lane; the unit in which a warp gets them
  const double shared = k.shared_bytes + system_shared_bytes;
  const double registers = static_cast<double>(ceil_div(k.registers.count, registers_at_a_time) *
                                               registers_at_a_time * k.threads());
  if (k.shared_bytes > machine.smem_per_cta) return 0;
  return static_cast<int>(std::min({machine.smem_per_sm / shared, machine.registers_per_sm / registers,
                                    machine.max_warps_per_sm / k.warps(), machine.max_ctas_per_sm}));
}

KernelProblem kernel_problem(const GemmProblem& p, const isa::Machine& machine) {
  KernelProblem kernel;
  kernel.instruction = &find_mma(p, machine);
  kernel.m = p.m, kernel.n = p.n, kernel.k = p.k;
  if (p.sparse) kernel.k = ceil_div(p.k, kernel.instruction->shape.k) * kernel.instruction->shape.k;
  kernel.epilogue.output = output_type(p);
  kernel.places = static_cast<int>(machine.sms);
  return kernel;
}

namespace {

KernelSimulation simulate(const Job& job, const Schedule& schedule, const isa::Machine& machine,
                          SmListener* listener) {
  const GemmProblem& problem = job.problem;
  const Kernel kernel = fitted_kernel(job.kernel, schedule, machine);
  const int fit = ctas_per_sm(kernel, machine);
  const auto rows = grid(kernel);
  const auto [first, second] = kernels_of(rows);
  const KernelStreams streams(kernel, rows.front());
  KernelSimulation s;
  s.ctas_per_sm = fit;
  s.ctas = first * problem.batch;
  s.chunks = streams.chunks();
  s.ctas_of_busiest_sm = ceil_div(s.ctas, static_cast<std::int64_t>(machine.sms));

  const Traffic traffic = traffic_of(job, kernel, fit, machine);
  s.l2_hit = 1 - traffic.operands / (streams.fetched_bytes() * static_cast<double>(s.ctas));
  const SmParameters parameters{machine, share(s.ctas, s.l2_hit, traffic.write_back, machine)};
  const Extended sm = rounds(streams, schedule.tile.stages, s.ctas_of_busiest_sm, fit, parameters, listener);
  s.sm_cycles = sm.cycles;
  s.chunk_cycles = sm.chunk_cycles;
  s.unsteadiness = sm.unsteadiness;
  s.steady = sm.steady;
  s.run = sm.run;
  s.observed_cycles = sm.observed_cycles;
  s.dram_cycles = traffic.bytes() / machine.bytes_per_clk(machine.dram_read_gbs);
  set_tensor_floors(s, problem, *kernel.problem.instruction, machine);

  s.cycles = machine.cold_start_cycles + std::max({s.sm_cycles, s.dram_cycles, s.power_cycles});
  if (second > 0)
    s.second_kernel_cycles = machine.cold_start_cycles + reduction_cycles(kernel, problem, machine);
  s.launch_us =
      launch_us(problem.launch, problem.type, false, machine, fitted_constants) * (second > 0 ? 2 : 1);
  s.microseconds = (s.cycles + s.second_kernel_cycles) / machine.boost_mhz + s.launch_us;
  s.bound = bound_of(s, s.launch_us * machine.boost_mhz + machine.cold_start_cycles);
  return s;
}

}  // namespace

KernelSimulation simulate_kernel(const GemmProblem& problem, const Schedule& schedule,
                                 const isa::Machine& machine, SmListener* listener) {
  return simulate({problem, kernel_problem(problem, machine)}, schedule, machine, listener);
}

KernelSimulation simulate_kernel(const ConvProblem& c, const Schedule& schedule, const isa::Machine& machine,
                                 SmListener* listener) {
  const auto [gemm, tensor_bytes] = implicit_gemm(c);
  Job job{gemm, kernel_problem(gemm, machine), tensor_bytes};
  job.kernel.conv = ConvShape{.batch = c.batch,
                              .height = c.height,
                              .width = c.width,
                              .in_channels = gemm.k / (c.kernel_h * c.kernel_w),
                              .out_channels = c.filters,
                              .kernel_h = c.kernel_h,
                              .kernel_w = c.kernel_w,
                              .stride = c.stride,
                              .pad = c.padding};
  return simulate(job, schedule, machine, listener);
}

}  // namespace twofour::emu
