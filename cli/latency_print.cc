#include "twofour/cli/latency_print.h"

#include <fmt/format.h>
#include <gflags/gflags_declare.h>

#include "twofour/cli/gemm_flags.h"

DECLARE_string(clock);

namespace twofour::cli {

using emu::Latency;

namespace {

std::string tile_text(const emu::Tile& tile, isa::ElementType type) {
  return fmt::format("{} x {} x {}", tile.m, tile.n, tile.k(type));
}

}  // namespace

void print_latency(const emu::GemmProblem& p, const Latency& l, const isa::Machine& machine) {
  fmt::print("{:.4g} us ({:.3g} to {:.3g}), {} bound, {:.0f} % of {}peak\n", l.microseconds, l.low_us,
             l.high_us, name(l.bound), 100 * l.peak_fraction, p.sparse ? "sparse " : "");
  fmt::print("machine    {}\n", machine.name);
  fmt::print("kernel     {:.0f} cycles at {:.0f} MHz; launch and start {:.2f} us ({})\n", l.cycles,
             machine.boost_mhz, l.launch_us, name(p.launch));
  fmt::print("floors     tensor pipe {:.4g} us, DRAM {:.4g} us\n", l.tensor_floor_us, l.dram_floor_us);
  if (l.gemv) {
    fmt::print("schedule   matrix-vector kernel: streams the large operand, no tiles\n");
  } else {
    fmt::print("schedule   tile {}, {} stages, {} warps, split-k {}\n", tile_text(l.schedule.tile, p.type),
               l.schedule.tile.stages, l.schedule.tile.warps(), l.schedule.splits);
    fmt::print("CTAs       {:.0f}, {} a SM, {:.2f} waves, {:.0f} k-chunks each\n", l.ctas, l.ctas_per_sm,
               l.waves, l.iterations);
    fmt::print("k-chunk    tensor pipe {:.0f}, shared memory {:.0f}, L2 {:.0f}, latency {:.0f} cycles\n",
               l.iteration.tensor_pipe, l.iteration.shared_memory, l.iteration.l2, l.iteration.latency);
  }
  fmt::print("fidelity   {}\n", name(l.fidelity));
}

nlohmann::ordered_json latency_json(const emu::GemmProblem& p, const Latency& l,
                                    const isa::Machine& machine) {
  nlohmann::ordered_json fields{{"machine", machine.name}, {"clock", FLAGS_clock}};
  fields.update(gemm_json(p));
  fields.update({{"predicted_us", l.microseconds},
                 {"low_us", l.low_us},
                 {"high_us", l.high_us},
                 {"bound", name(l.bound)},
                 {"peak_fraction", l.peak_fraction},
                 {"fidelity", name(l.fidelity)},
                 {"kernel_cycles", l.cycles},
                 {"launch_us", l.launch_us},
                 {"tensor_floor_us", l.tensor_floor_us},
                 {"dram_floor_us", l.dram_floor_us},
                 {"schedule", l.gemv ? "gemv" : "tiled"}});
  if (l.gemv) return fields;
  const auto& tile = l.schedule.tile;
  fields["tile"] = {{"m", tile.m},           {"n", tile.n},           {"k", tile.k(p.type)},
                    {"stages", tile.stages}, {"warps", tile.warps()}, {"split_k", l.schedule.splits}};
  fields["ctas"] = l.ctas;
  fields["ctas_per_sm"] = l.ctas_per_sm;
  fields["waves"] = l.waves;
  fields["iterations"] = l.iterations;
  fields["iteration_cycles"] = {{"tensor_pipe", l.iteration.tensor_pipe},
                                {"shared_memory", l.iteration.shared_memory},
                                {"l2", l.iteration.l2},
                                {"latency", l.iteration.latency}};
  return fields;
}

void print_bit_latency(const emu::GemmProblem& p, const emu::BitWork& work, const Latency& l,
                       const isa::Machine& machine) {
  const auto bits = emu::bit_gemm(p, work);
  print_latency(bits, l, machine);
  fmt::print("product    w{}a{} {} x {} x {}, as a single-bit GEMM of {} x {} x {}\n", work.weight_bits,
             work.activation_bits, p.m, p.n, p.k, bits.m, bits.n, bits.k);
}

nlohmann::ordered_json bit_latency_json(const emu::GemmProblem& p, const emu::BitWork& work, const Latency& l,
                                        const isa::Machine& machine) {
  const auto bits = emu::bit_gemm(p, work);
  auto fields = latency_json(bits, l, machine);
  fields["m"] = p.m;
  fields["n"] = p.n;
  fields["dtype"] = fmt::format("w{}a{}", work.weight_bits, work.activation_bits);
  fields["bit_gemm"] = {{"m", bits.m}, {"n", bits.n}, {"k", bits.k}};
  return fields;
}

}  // namespace twofour::cli
