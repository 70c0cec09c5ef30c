#include "twofour/emu/tune/task.h"

#include <fmt/format.h>

#include <algorithm>

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

std::string model_version(const TimingConstants& c) {
  constexpr int rules = 2;
  return fmt::format("latency model {}: {} {} {} {} {} {} {} {} {} {} {} {} {}", rules, c.l2_efficiency,
                     c.dram_efficiency, c.sm_overlap, c.chip_overlap, c.gemv_step_cycles,
                     c.store_bytes_per_clk, c.throttle_us, c.dram_ramp_cycles, c.resident_mib,
                     c.reduction_share, c.layer_us, c.layer_gemm_us, c.layer_dram_efficiency);
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
