// How far the latency model is from measured pairs of 2:4 sparse and dense GEMMs: errors of the speed-up and
// of both times, by class. Usage: sparse_accuracy [FILE [MACHINE [CLOCK]]]   (default:
// data/timing/rtx3090_sparse_pairs.csv, rtx-3090, automatic)
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <span>

#include "twofour/emu/timing/sparse_pairs.h"
#include "twofour/isa/clock.h"
#include "twofour/isa/error.h"

namespace {

using namespace twofour;
using emu::SparsePair;

struct Scored {
  const SparsePair* pair;
  emu::PairPrediction prediction;

  double speedup_error() const { return prediction.speedup() / pair->speedup() - 1; }
  double sparse_error() const { return prediction.sparse.microseconds / pair->sparse_us - 1; }
  double dense_error() const { return prediction.dense.microseconds / pair->dense_us - 1; }
};

std::string statistics(const std::vector<double>& errors) {
  double absolute = 0, bias = 0, most = 0;
  for (const double e : errors) {
    absolute += std::abs(e);
    bias += e;
    most = std::max(most, std::abs(e));
  }
  const double percent = 100 / static_cast<double>(errors.size());
  return fmt::format("{:5.1f} {:+6.1f} {:5.1f}", absolute * percent, bias * percent, 100 * most);
}

void print_class(const std::string& label, std::span<const Scored> all,
                 const std::function<bool(const SparsePair&)>& keep) {
  std::vector<double> speedup, sparse, dense;
  for (const auto& s : all)
    if (keep(*s.pair)) {
      speedup.push_back(s.speedup_error());
      sparse.push_back(s.sparse_error());
      dense.push_back(s.dense_error());
    }
  if (speedup.empty()) return;
  fmt::print("  {:<22}{:>4}   {}   {}   {}\n", label, speedup.size(), statistics(speedup), statistics(sparse),
             statistics(dense));
}

std::string kernel_text(const emu::Latency& l) {
  return fmt::format("{}x{} split {} {}", l.schedule.tile.m, l.schedule.tile.n, l.schedule.splits,
                     name(l.bound));
}

void print_rows(std::span<const Scored> all) {
  for (const auto& s : all) {
    const auto& p = s.pair->dense;
    fmt::print(
        "  {}{:>5} x {:>5} x {:>5}  gain {:.3f} predicted {:.3f} ({:+5.1f} %)  sparse {:7.1f} {:7.1f} ({}), "
        "dense "
        "{:7.1f} {:7.1f} ({})\n",
        s.pair->held_out ? "held " : "fit  ", p.m, p.n, p.k, s.pair->speedup(), s.prediction.speedup(),
        100 * s.speedup_error(), s.pair->sparse_us, s.prediction.sparse.microseconds,
        kernel_text(s.prediction.sparse), s.pair->dense_us, s.prediction.dense.microseconds,
        kernel_text(s.prediction.dense));
  }
}

void report(const std::string& file, const isa::Machine& machine, const isa::Clock& clock) {
  const auto pairs = emu::load_sparse_pairs(file);
  std::vector<Scored> scored;
  for (const auto& pair : pairs)
    scored.push_back({&pair, emu::predict_pair(pair, isa::at_clock(machine, clock, pair.dense.type))});
  fmt::print("{} on {}, clock {}\n", file, machine.name, name(clock));
  print_rows(scored);
  fmt::print("Errors in %: mean absolute, bias, most\n  {:<22}{:>4}   {:<18}   {:<18}   {}\n", "", "n",
             "speed-up", "sparse", "dense");
  for (const bool held_out : {false, true}) {
    const std::string label = held_out ? "held-out" : "fit";
    const auto of = [&](auto keep) {
      return [=](const SparsePair& p) { return p.held_out == held_out && keep(p); };
    };
    print_class(label + ", M <= 768", scored, of([](const SparsePair& p) { return p.dense.m <= 768; }));
    print_class(label + ", M > 768", scored, of([](const SparsePair& p) { return p.dense.m > 768; }));
    print_class(label + ", all", scored, of([](const SparsePair&) { return true; }));
  }
  print_class("all", scored, [](const SparsePair&) { return true; });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    report(argc > 1 ? argv[1] : TWOFOUR_TIMING_DATA "/rtx3090_sparse_pairs.csv",
           isa::load_machine(argc > 2 ? argv[2] : "rtx-3090"),
           isa::parse_clock(argc > 3 ? argv[3] : "automatic"));
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "sparse_accuracy: {}\n", error.what());
    return 2;
  }
}
