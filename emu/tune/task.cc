#include "twofour/emu/tune/task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>

#include "twofour/isa/file.h"

namespace twofour::emu {

std::string TuningTask::key() const {
  std::string key =
      fmt::format("gemm m={} n={} k={} type={} sparse={:d} output_bits={} batch={} launch={}", gemm.m, gemm.n,
                  gemm.k, isa::name(gemm.type), gemm.sparse, gemm.output_bits, gemm.batch, name(gemm.launch));
  if (conv)
    key += fmt::format(" conv n={} h={} w={} c={} k={} r={} s={} stride={} pad={}", conv->batch, conv->height,
                       conv->width, conv->channels, conv->filters, conv->kernel_h, conv->kernel_w,
                       conv->stride, conv->padding);
  return key;
}

int TuningTask::alignment() const {
  const std::int64_t run_bits =
      (conv ? conv->channels : gemm.k) * isa::bits(gemm.type) / (gemm.sparse ? 2 : 1);
  for (const int bytes : {16, 8})
    if (run_bits % (8 * bytes) == 0) return bytes;
  return 4;
}

TuningTask tuning_task(const GemmProblem& problem) {
  return {problem, std::nullopt};
}

TuningTask tuning_task(const ConvProblem& problem) {
  return {implicit_gemm(problem).gemm, problem};
}

Evaluator model_evaluator(const TuningTask& task, const isa::Machine& machine,
                          const TimingConstants& constants) {
  if (task.conv)
    return [conv = *task.conv, &machine, constants](const Schedule& schedule) {
      return schedule_latency(conv, schedule, machine, constants).microseconds;
    };
  return [gemm = task.gemm, &machine, constants](const Schedule& schedule) {
    return schedule_latency(gemm, schedule, machine, constants).microseconds;
  };
}

std::string model_version(const TimingConstants& constants) {
  constexpr int rules = 2;
  const auto numbers = std::bit_cast<std::array<double, sizeof(TimingConstants) / sizeof(double)>>(constants);
  return fmt::format("latency model {}: {}", rules, fmt::join(numbers, " "));
}

Latency published_best(const TuningTask& task, const isa::Machine& machine,
                       const TimingConstants& constants) {
  return task.conv ? conv_latency(*task.conv, machine, constants)
                   : gemm_latency(task.gemm, machine, constants);
}

std::string machine_fingerprint(const std::string& name_or_path) {
  const auto names = isa::machine_names();
  const bool built_in = std::find(names.begin(), names.end(), name_or_path) != names.end();
  const std::string text =
      built_in ? std::string(isa::machine_text(name_or_path)) : isa::read_file(name_or_path);
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return fmt::format("{} {:016x}", isa::load_machine(name_or_path).name, hash);
}

}  // namespace twofour::emu
