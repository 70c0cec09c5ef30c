// Sweeps all 2^32 pairs of f16 words for every accumulator of sweep_accumulators: minutes. Not part of ctest.
//   exhaustive_pairs [ARCHITECTURE [ACCUMULATOR]]     default: ampere, f32 and then f16
#include <fmt/format.h>

#include <chrono>

#include "pair_sweep.h"
#include "twofour/isa/error.h"

int main(int count, char** arguments) try {
  using namespace twofour;
  const auto architecture = isa::parse_architecture(count > 1 ? arguments[1] : "ampere");
  for (const auto accumulator : {isa::ElementType::f32, isa::ElementType::f16}) {
    if (count > 2 && arguments[2] != isa::name(accumulator)) continue;
    for (const auto c : oracle::sweep_accumulators(accumulator)) {
      const auto start = std::chrono::steady_clock::now();
      const std::string complaint = oracle::sweep({architecture, accumulator, c});
      if (!complaint.empty()) fail("{}", complaint);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      fmt::print("{} f16 -> {}, c {:#010x}: 4294967296 pairs agree, {:.0f} s\n", isa::name(architecture),
                 isa::name(accumulator), c, took.count());
      std::fflush(stdout);
    }
  }
  return 0;
} catch (const twofour::Error& e) {
  fmt::print(stderr, "exhaustive_pairs: {}\n", e.what());
  return 1;
}
