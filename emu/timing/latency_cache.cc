#include "twofour/emu/timing/latency_cache.h"

#include <optional>

namespace twofour::emu {

LatencyCache::LatencyCache(isa::Machine machine, const TimingConstants& constants)
    : machine_(std::move(machine)), constants_(constants) {}

const Latency& LatencyCache::computed(const GemmProblem& problem) {
  return map_.insert(problem, gemm_latency(problem, machine_, constants_));
}

void LatencyCache::microseconds(std::span<const GemmProblem> problems, std::span<double> out) {
  if (problems.size() != out.size())
    fail("latency of a batch: {} problems but room for {} answers", problems.size(), out.size());
  std::optional<BatchError> refused;
  // A problem takes tens of microseconds the first time and less than one the next: small chunks.
#pragma omp parallel for schedule(dynamic, 16)
  for (std::size_t i = 0; i < problems.size(); ++i) {
    try {
      out[i] = microseconds(problems[i]);
    } catch (const Error& error) {
#pragma omp critical(twofour_latency_batch)
      if (!refused || i < refused->index) refused.emplace(i, error.what());
    }
  }
  if (refused) throw *refused;
}

}  // namespace twofour::emu
