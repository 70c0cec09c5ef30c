// Times of PTX kernels through the whole chain (emu/profile) beside published numbers and the simulator of
// tile programs, and the speed of the chain in CPU time. Usage: ptx_cycle_accuracy [SIZE of the GEMMs,
// default 1024]
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "timed_device.h"
#include "twofour/emu/kernel/simulate.h"
#include "twofour/emu/timing/mma_measurements.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace {

using namespace twofour;
using emu::profile::LaunchTime;
using emu::profile::test::TimedDevice;

void compare_mma_loops() {
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  double worst = 0, sum = 0, apart = 0;
  int compared = 0;
  for (const auto& m : emu::load_mma_measurements(TWOFOUR_TIMING_DATA "/mma_latency_a100.csv")) {
    if (m.doubtful) continue;
    double chain = emu::profile::test::mma_loop_cycles({m.instruction, m.warps, m.independent, 64});
    if (m.quantity == emu::MmaQuantity::throughput)
      chain = double(m.instruction->fma()) * m.warps * m.independent / chain;
    const double error = 100 * (chain / m.published - 1);
    worst = std::max(worst, std::abs(error));
    sum += std::abs(error);
    apart = std::max(apart, std::abs(100 * (chain / emu::simulate(m, machine) - 1)));
    ++compared;
  }
  std::printf(
      "mma loops: %d published numbers, mean absolute error %.1f %%, largest %.1f %%; at most %.2f %% from "
      "emu/timing's own loop\n",
      compared, sum / compared, worst, apart);
}

struct Gemm {
  const char *file, *entry, *label;
  isa::ElementType type;
  int tile_m;
};

/// The kernel's time by its PTX, and that of the tile program of its tile.
void compare_gemm(const Gemm& g, int size) {
  const std::string path = std::string(TWOFOUR_KERNELS "/") + g.file;
  TimedDevice t(isa::read_file(path), 0, 1 << 21, g.file);
  const double bytes = isa::bits(g.type) / 8.0;
  const auto a = t.allocate(std::uint64_t(size * double(size) * bytes)),
             b = t.allocate(std::uint64_t(size * double(size) * bytes)),
             d = t.allocate(std::uint64_t(size) * std::uint64_t(size) * 8);
  const emu::ptx::Dim3 grid{std::uint32_t(size / 64), std::uint32_t(size / g.tile_m), 1};
  const auto start = std::clock();
  const LaunchTime& time = t.run(g.entry, grid, {128, 1, 1}, g.tile_m == 128 ? 36864 : 0, a, b,
                                 std::uint64_t{0}, d, size, size, size);
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;

  emu::GemmProblem p;
  p.type = g.type;
  p.m = p.n = p.k = size;
  p.output_bits = 32;
  p.launch = emu::Launch::kernel;
  emu::Schedule schedule;
  schedule.tile = {g.tile_m, 64, 64, 3, 2, 2};
  const auto tile = emu::simulate_kernel(p, schedule, t.machine());
  const double tile_us = tile.microseconds - tile.launch_us;
  std::printf(
      "%-26s %6d %9.2f us %9.2f us %+6.1f %%   regs %3d, blocks/SM %d (%d); %s; %.2f M warp instr/s\n",
      g.entry, size, time.microseconds, tile_us, 100 * (time.microseconds / tile_us - 1),
      t.trace().needs.registers, t.trace().occupancy.blocks, tile.ctas_per_sm, time.bound.c_str(),
      double(t.trace().warp_instructions) / seconds * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    compare_mma_loops();
    const int size = argc > 1 ? std::atoi(argv[1]) : 1024;
    std::printf("%-26s %6s %12s %12s %8s\n", "kernel", "size", "PTX", "tile program", "");
    using enum isa::ElementType;
    for (const Gemm& g : {Gemm{"gemm_dense_f16.ptx", "gemm_dense_f16_f32", "", f16, 64},
                          Gemm{"gemm_dense_f16.ptx", "gemm_dense_f16_f32_128x64", "", f16, 128},
                          Gemm{"gemm_dense_bf16.ptx", "gemm_dense_bf16", "", bf16, 64},
                          Gemm{"gemm_dense_tf32.ptx", "gemm_dense_tf32", "", tf32, 64},
                          Gemm{"gemm_dense_s8.ptx", "gemm_dense_s8", "", s8, 64}})
      compare_gemm(g, size);
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "ptx_cycle_accuracy: %s\n", error.what());
    return 2;
  }
}
