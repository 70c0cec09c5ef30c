// The simulated pipeline of an SM against the published microbenchmarks of mma and mma.sp on an A100, row by
// row, and the speed of the simulator in CPU time. Usage: pipeline_accuracy [CSV]
// (default: data/timing/mma_latency_a100.csv of the source tree)
#include <cmath>
#include <cstdio>
#include <ctime>

#include "twofour/emu/timing/mma_measurements.h"
#include "twofour/isa/error.h"

namespace {

using namespace twofour;

void print_rows(const std::string& path, const isa::Machine& machine) {
  std::printf("%s on %s: cycles, and multiply-adds a cycle of an SM; error: simulated / published - 1\n",
              path.c_str(), machine.name.c_str());
  std::printf("%-30s %-10s %-21s %9s %9s %7s\n", "instruction", "warps x i", "quantity", "published",
              "simulated", "error");
  double worst = 0;
  int compared = 0;
  for (const auto& m : emu::load_mma_measurements(path)) {
    const double simulated = emu::simulate(m, machine), error = 100 * (simulated / m.published - 1);
    std::printf("%-30s %d x %-6d %-21s %9.1f %9.1f %+6.1f %%%s\n", isa::short_name(*m.instruction).c_str(),
                m.warps, m.independent, std::string(name(m.quantity)).c_str(), m.published, simulated, error,
                m.remark.empty() ? "" : ("  " + m.remark).c_str());
    if (m.doubtful) continue;
    ++compared;
    worst = std::max(worst, std::abs(error));
  }
  std::printf("%d numbers compared, largest error %.1f %%\n", compared, worst);
}

void print_speed(const isa::Machine& machine) {
  for (const int warps : {4, 8, 16, 32}) {
    emu::MmaLoop loop{&isa::find_instruction("m16n8k16.f32.f16.f16.f32"), warps, 3, 40000 / warps};
    const auto start = std::clock();
    const auto time = emu::time_mma_loop(loop, machine);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("speed, %2d warps: %.2f million warp instructions a second of CPU\n", warps,
                static_cast<double>(time.report.totals.instructions) / seconds * 1e-6);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto machine = isa::load_machine("a100-sxm4-80gb");
    print_rows(argc > 1 ? argv[1] : TWOFOUR_TIMING_DATA "/mma_latency_a100.csv", machine);
    print_speed(machine);
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "pipeline_accuracy: %s\n", error.what());
    return 2;
  }
}
