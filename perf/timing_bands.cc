// Prints emu/timing/error_band_table.inc: the 10th and 90th percentile of measured over predicted time of the
// training rows, validation rows included, by class. Usage: timing_bands [FOLDER]
#include <algorithm>
#include <array>
#include <cstdio>

#include "twofour/emu/timing/error_band.h"
#include "twofour/emu/timing/measurements.h"
#include "twofour/isa/error.h"

int main(int argc, char** argv) {
  using namespace twofour;
  try {
    const std::string folder = std::string(argc > 1 ? argv[1] : TWOFOUR_TIMING_DATA) + "/";
    const auto machine = isa::load_machine("a100-sxm4-80gb");
    std::array<std::vector<double>, emu::error_classes> ratios;
    for (const auto* file : {"a100_bf16_gemm.csv", "a100_s8_gemm.csv"})
      for (const auto& row : emu::load_measurements(folder + file, emu::Launch::as_measured)) {
        if (row.held_out) continue;
        const double us = emu::gemm_latency(row.problem, machine).microseconds;
        ratios[static_cast<std::size_t>(emu::error_class(row.problem, us))].push_back(row.microseconds / us);
      }
    std::printf(
        "// Made by build/bin/timing_bands > emu/timing/error_band_table.inc: {10th, 90th percentile}.\n");
    for (std::size_t i = 0; i < ratios.size(); ++i) {
      // No measured integer layer takes less than 10 us unless it is narrow: the next longer class stands in.
      const bool stand_in = ratios[i].size() < 20 && i % 6 < 4;
      auto& r = ratios[stand_in ? i + 2 : i];
      if (r.size() < 20) fail("class {}: {} rows are too few for a band", i, r.size());
      std::sort(r.begin(), r.end());
      constexpr std::array times{"< 10 us", "10-100 us", "> 100 us"};
      std::printf("{%.3f, %.3f},  // %s, %s, %s: %s%zu rows\n", std::min(1.0, r[r.size() / 10]),
                  std::max(1.0, r[r.size() * 9 / 10]), i < 6 ? "floats" : "integers", times[i % 6 / 2],
                  i % 2 ? "m or n <= 16" : "wider", stand_in ? "the next class, " : "", r.size());
    }
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "timing_bands: %s\n", error.what());
    return 2;
  }
}
