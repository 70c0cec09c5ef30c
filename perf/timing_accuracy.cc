// How far the latency model is from measured GEMMs: tables by class of latency, training, validation and
// held-out rows apart; on the held-out rows also simpler predictors, and the model without each of its
// mechanisms. Usage: timing_accuracy [FOLDER]   (default: data/timing of the source tree)
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "timing_ablation.h"
#include "timing_peers.h"
#include "twofour/emu/timing/gemm_table.h"
#include "twofour/emu/timing/measurements.h"
#include "twofour/isa/error.h"

namespace {

using namespace twofour;
using emu::Measurement;

struct Scored {
  const Measurement* row;
  emu::Latency latency;
  double error;  ///< predicted / measured - 1
};

std::vector<Scored> score(const std::vector<Measurement>& rows, const isa::Machine& machine) {
  std::vector<Scored> scored;
  for (const auto& row : rows) {
    const auto latency = emu::gemm_latency(row.problem, machine);
    scored.push_back({&row, latency, latency.microseconds / row.microseconds - 1});
  }
  return scored;
}

template <class Keep>
void print_class(const char* label, const std::vector<Scored>& scored, Keep keep) {
  std::vector<double> errors;
  double bias = 0, sum = 0;
  for (const auto& s : scored) {
    if (!keep(*s.row)) continue;
    errors.push_back(std::abs(s.error));
    bias += s.error;
    sum += std::abs(s.error);
  }
  if (errors.empty()) return;
  std::sort(errors.begin(), errors.end());
  const auto n = errors.size();
  const double percent = 100 / static_cast<double>(n);
  std::printf(
      "    %-12s %6zu rows  mean |error| %5.2f %%  bias %+6.2f %%  median %5.2f %%  90th percentile %5.2f "
      "%%\n",
      label, n, percent * sum, percent * bias, 100 * errors[n / 2], 100 * errors[n * 9 / 10]);
}

/// 8 of 10 rows should lie in the band of the model.
void print_coverage(const std::vector<Scored>& scored) {
  double inside = 0;
  for (const auto& s : scored)
    inside += s.row->microseconds >= s.latency.low_us && s.row->microseconds <= s.latency.high_us;
  std::printf("    low_us to high_us holds %.1f %% of the rows\n",
              100 * inside / static_cast<double>(scored.size()));
}

void print_classes(const std::vector<Scored>& s) {
  print_class("< 10 us", s, [](const Measurement& m) { return m.microseconds < 10; });
  print_class("10-100 us", s,
              [](const Measurement& m) { return m.microseconds >= 10 && m.microseconds <= 100; });
  print_class("> 100 us", s, [](const Measurement& m) { return m.microseconds > 100; });
  print_class("M <= 16", s, [](const Measurement& m) { return m.problem.m <= 16; });
  print_class("all", s, [](const Measurement&) { return true; });
}

void print_worst(std::vector<Scored> scored) {
  const auto count = std::min<std::size_t>(8, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end(),
                    [](const Scored& a, const Scored& b) { return std::abs(a.error) > std::abs(b.error); });
  for (std::size_t i = 0; i < count; ++i) {
    const auto& s = scored[i];
    const auto& p = s.row->problem;
    std::printf(
        "      line %5d  %5ld x %6ld x %6ld  measured %9.1f us  predicted %9.1f us  (%+.0f %%), %s-bound, "
        "%dx%d split %d\n",
        s.row->line, long(p.m), long(p.n), long(p.k), s.row->microseconds, s.latency.microseconds,
        100 * s.error, std::string(name(s.latency.bound)).c_str(), s.latency.schedule.tile.m,
        s.latency.schedule.tile.n, s.latency.schedule.splits);
  }
}

template <class Keep>
std::vector<Measurement> part(const std::vector<Measurement>& rows, Keep keep) {
  std::vector<Measurement> out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(out), keep);
  return out;
}

void report(const char* title, const std::vector<Measurement>& rows, const isa::Machine& machine) {
  if (rows.empty()) return;
  std::printf("  %s\n", title);
  const auto scored = score(rows, machine);
  print_classes(scored);
  print_coverage(scored);
  print_worst(scored);
}

void report_split(const std::string& path, const isa::Machine& machine) {
  std::printf("%s on %s\n", path.c_str(), machine.name.c_str());
  const auto rows = emu::load_measurements(path, emu::Launch::as_measured);
  const auto held_out = part(rows, [](const Measurement& m) { return m.held_out; });
  const auto seen = part(rows, [](const Measurement& m) { return !m.held_out; });
  report("held-out weight shapes", held_out, machine);
  report("validation weight shapes", part(rows, [](const Measurement& m) { return m.validation; }), machine);
  report("training weight shapes", part(seen, [](const Measurement& m) { return !m.validation; }), machine);
  perf::print_peers(held_out, seen, machine);
  perf::print_ablation(held_out, machine);
}

void report_untouched(const std::string& path, emu::Launch launch, const isa::Machine& machine) {
  std::printf("%s on %s, launch: %s\n", path.c_str(), machine.name.c_str(),
              std::string(name(launch)).c_str());
  report("never seen by a fit", emu::load_measurements(path, launch), machine);
}

/// Sparse over dense: what an RTX 3090 gained from 2:4 beside what the model says an A100 gains on the same
/// shape.
void report_pairs(const std::string& path, const isa::Machine& machine) {
  const auto table = isa::CsvTable::read(path);
  std::vector<double> measured, predicted;
  std::size_t faster = 0;
  for (const auto& row : table.rows()) {
    auto problem = emu::gemm_problem(table, row, emu::Launch::stream);
    const double dense = emu::gemm_latency(problem, machine).microseconds;
    problem.sparse = true;
    predicted.push_back(dense / emu::gemm_latency(problem, machine).microseconds);
    measured.push_back(table.number(row, "speedup"));
    faster += predicted.back() > 1;
  }
  std::sort(measured.begin(), measured.end());
  std::sort(predicted.begin(), predicted.end());
  const auto n = measured.size();
  std::printf(
      "%s: gain of 2:4 over dense, RTX 3090 measured / %s predicted\n    %zu shapes  least %.2f / %.2f  "
      "median %.2f / %.2f  "
      "most %.2f / %.2f  predicted faster: %zu\n",
      path.c_str(), machine.name.c_str(), n, measured[0], predicted[0], measured[n / 2], predicted[n / 2],
      measured[n - 1], predicted[n - 1], faster);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string folder = std::string(argc > 1 ? argv[1] : TWOFOUR_TIMING_DATA) + "/";
    const auto machine = isa::load_machine("a100-sxm4-80gb");
    report_split(folder + "a100_bf16_gemm.csv", machine);
    report_split(folder + "a100_s8_gemm.csv", machine);
    report_untouched(folder + "a100_f16_gemm_kernel_only.csv", emu::Launch::kernel, machine);
    report_untouched(folder + "a100_square_16384.csv", emu::Launch::kernel,
                     isa::load_machine("a100-sxm4-40gb"));
    report_pairs(folder + "rtx3090_sparse_pairs.csv", machine);
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "timing_accuracy: %s\n", error.what());
    return 2;
  }
}
