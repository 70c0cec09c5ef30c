#include <fmt/format.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

#include "twofour/cli/commands.h"
#include "twofour/cli/conv_flag.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/gemm_flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/tune/tune.h"
#include "twofour/isa/error.h"

DECLARE_int64(batch);
DECLARE_string(conv);
DEFINE_bool(exhaustive, false, "time every schedule");
DEFINE_int64(trials, 0, "schedules to time; 0: --fraction of them");
DEFINE_double(fraction, 0.1, "share of the schedules to time");
DEFINE_string(cache, "", "keep trials and results in this SQLite file, and take up what is in it");
DEFINE_int64(top, 5, "schedules to print");

namespace twofour::cli {
namespace {

using emu::Candidate;
using emu::Schedule;

volatile std::sig_atomic_t interrupted = 0;

/// Ctrl-C ends the search; a second one ends the program.
class InterruptGuard {
 public:
  InterruptGuard() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptGuard() { sigaction(SIGINT, &before_, nullptr); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction before_ {};
};

emu::TuningTask task_from_flags() {
  const bool gemm = FLAGS_m != 0 || FLAGS_n != 0 || FLAGS_k != 0;
  if (gemm == conv_is_given()) fail("time tune: give either --m, --n and --k, or --conv");
  if (!gemm) {
    if (FLAGS_batch != 1) fail("time tune: --batch is for GEMMs; the first number of --conv is its batch");
    return emu::tuning_task(conv_from_flag());
  }
  return emu::tuning_task(gemm_from_flags());
}

/// A line on the terminal a few times a second.
std::function<void(std::size_t, double)> progress_line() {
  if (isatty(STDERR_FILENO) == 0) return {};
  using Clock = std::chrono::steady_clock;
  return [next = Clock::now()](std::size_t trials, double best) mutable {
    if (Clock::now() < next) return;
    next = Clock::now() + std::chrono::milliseconds(250);
    fmt::print(stderr, "\r{} trials, best {:.4g} us ", trials, best);
    std::fflush(stderr);
  };
}

emu::TuneOptions options_from_flags() {
  if (FLAGS_trials < 0) fail("--trials is {}; it must not be negative", FLAGS_trials);
  if (FLAGS_top < 1 || FLAGS_top > 1000) fail("--top is {}; it must lie between 1 and 1000", FLAGS_top);
  emu::TuneOptions options;
  options.exhaustive = FLAGS_exhaustive;
  options.trials = static_cast<std::size_t>(FLAGS_trials);
  options.fraction = FLAGS_fraction;
  options.seed = static_cast<std::uint64_t>(FLAGS_seed);
  options.top = static_cast<std::size_t>(FLAGS_top);
  options.cache = FLAGS_cache;
  options.stop = [] { return interrupted != 0; };
  options.progress = progress_line();
  return options;
}

std::string share_text(const Schedule& s) {
  switch (s.decomposition) {
    case emu::Decomposition::data_parallel: return "data-parallel";
    case emu::Decomposition::split_k: return fmt::format("split-k {}", s.splits);
    case emu::Decomposition::stream_k: return "stream-K";
  }
  return "";
}

std::string schedule_text(const Schedule& s, isa::ElementType type) {
  const auto& t = s.tile;
  return fmt::format("tile {} x {} x {}, warps {} x {}, {} stages, {}, raster {}, cp.async {} B", t.m, t.n,
                     t.k(type), t.warps_m, t.warps_n, t.stages, share_text(s), s.raster_columns, s.alignment);
}

nlohmann::ordered_json to_json(const Schedule& s, isa::ElementType type) {
  const char* names[] = {"data-parallel", "split-k", "stream-k"};
  return {{"tile", {{"m", s.tile.m}, {"n", s.tile.n}, {"k", s.tile.k(type)}}},
          {"warps", {{"m", s.tile.warps_m}, {"n", s.tile.warps_n}}},
          {"stages", s.tile.stages},
          {"decomposition", names[static_cast<std::size_t>(s.decomposition)]},
          {"splits", s.splits},
          {"raster_columns", s.raster_columns},
          {"alignment_bytes", s.alignment}};
}

void print_text(const emu::TuningTask& task, const emu::TuneOutcome& outcome, const emu::Latency& published,
                const isa::Machine& machine) {
  const auto type = task.gemm.type;
  const auto& best = outcome.record.top.front();
  fmt::print("{:.4g} us with {}\n", best.microseconds, schedule_text(best.schedule, type));
  fmt::print("machine    {}\n", machine.name);
  fmt::print("published  {:.4g} us, {:.3f} times the tuned: {}\n", published.microseconds,
             published.microseconds / best.microseconds,
             published.gemv ? "matrix-vector kernel" : schedule_text(published.schedule, type));
  fmt::print(
      "trials     {} of {} schedules ({:.1f} %), {}{}\n", outcome.record.trials, outcome.record.space,
      100.0 * static_cast<double>(outcome.record.trials) / static_cast<double>(outcome.record.space),
      FLAGS_exhaustive ? std::string("all in turn") : fmt::format("learning search, seed {}", FLAGS_seed),
      outcome.known ? "; from the cache"
                    : fmt::format("; {} timed now, {} from the cache", outcome.timed, outcome.recalled));
  for (std::size_t i = 0; i < outcome.record.top.size(); ++i) {
    const auto& candidate = outcome.record.top[i];
    fmt::print("{:>3}  {:>9.4g} us  {}\n", i + 1, candidate.microseconds,
               schedule_text(candidate.schedule, type));
  }
}

void print_document(const emu::TuningTask& task, const emu::TuneOutcome& outcome,
                    const emu::Latency& published, const isa::Machine& machine) {
  const auto& p = task.gemm;
  auto candidates = nlohmann::ordered_json::array();
  for (const Candidate& candidate : outcome.record.top) {
    auto fields = to_json(candidate.schedule, p.type);
    fields["predicted_us"] = candidate.microseconds;
    candidates.push_back(fields);
  }
  nlohmann::ordered_json fields{{"machine", machine.name}};
  fields.update(gemm_json(p));
  fields.update({{"conv", FLAGS_conv},
                 {"predicted_us", outcome.record.top.front().microseconds},
                 {"published_us", published.microseconds},
                 {"published_schedule",
                  published.gemv ? nlohmann::ordered_json("gemv") : to_json(published.schedule, p.type)},
                 {"search", FLAGS_exhaustive ? "exhaustive" : "learning"},
                 {"seed", FLAGS_seed},
                 {"space", outcome.record.space},
                 {"trials", outcome.record.trials},
                 {"timed_now", outcome.timed},
                 {"from_cache", outcome.known},
                 {"interrupted", outcome.stopped},
                 {"candidates", candidates}});
  print_json("time tune", fields);
}

int run(std::span<const std::string>) {
  const auto task = task_from_flags();
  const auto options = options_from_flags();
  const auto machine = isa::load_machine(FLAGS_machine);
  const auto published = emu::published_best(task, machine);
  emu::TuneOutcome outcome;
  {
    const InterruptGuard guard;
    outcome = emu::tune(task, machine, emu::model_evaluator(task, machine),
                        emu::machine_fingerprint(FLAGS_machine), emu::model_version(), options);
  }
  if (options.progress) fmt::print(stderr, "\r\033[K");
  if (FLAGS_json)
    print_document(task, outcome, published, machine);
  else
    print_text(task, outcome, published, machine);
  if (outcome.stopped)
    fmt::print(stderr, "interrupted after {} trials: this is the best so far{}\n", outcome.record.trials,
               options.cache.empty() ? "" : "; the same command continues from the cache");
  if (!outcome.unsaved.empty()) fail("{}", outcome.unsaved);
  return exit_ok;
}

}  // namespace

Command time_tune_command() {
  return {
      "time tune",
      "",
      "search the fastest schedule of a GEMM or convolution on a machine",
      "Times CTA tiles, warp tiles, stages, data-parallel, split-k and stream-K, and rasters under the "
      "latency\n"
      "model, and compares the fastest with the best published tile (what `time gemm` answers). The default\n"
      "is a learning search over a tenth of the schedules; the same seed gives the same answer.\n"
      "--cache FILE keeps every trial: a search that was interrupted or killed continues, and one that is\n"
      "done is answered at once. Ctrl-C prints the best so far.\n"
      "Examples: twofour time tune --m 512 --n 49 --k 4608 --sparse --launch graph\n"
      "          twofour time tune --conv 8,56,56,64,64,3,3,1,1 --dtype s8 --exhaustive --cache tuned.db\n"
      "Exit status: 0 done, 2 the input or the cache was refused.",
      {"m", "n", "k", "dtype", "sparse", "batch", "conv", "launch", "exhaustive", "trials", "fraction",
       "seed", "cache", "top", "machine", "json"},
      0,
      0,
      run};
}

}  // namespace twofour::cli
