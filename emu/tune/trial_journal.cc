#include "twofour/emu/tune/tuning_cache.h"

#include <cmath>
#include <limits>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr auto most_unwritten = std::chrono::milliseconds(50);
constexpr auto next_attempt = std::chrono::seconds(10);

}  // namespace

TrialJournal::TrialJournal(TuningCache& cache, TuningKey key, Evaluator evaluator)
    : cache_(cache),
      key_(std::move(key)),
      evaluator_(std::move(evaluator)),
      known_(cache.trials(key_)),
      written_(std::chrono::steady_clock::now()) {}

double TrialJournal::operator()(const Schedule& schedule) {
  const std::string text = to_text(schedule);
  if (const auto known = known_.find(text); known != known_.end()) {
    ++recalled_;
    return known->second;
  }
  const double answer = evaluator_(schedule);
  const double us = std::isnan(answer) ? std::numeric_limits<double>::infinity() : answer;
  ++timed_;
  known_.emplace(text, us);
  pending_.push_back({schedule, us});
  if (std::chrono::steady_clock::now() - written_ >= most_unwritten) flush_if_possible();
  return us;
}

void TrialJournal::flush() {
  cache_.put_trials(key_, pending_);
  pending_.clear();
  written_ = std::chrono::steady_clock::now();
}

void TrialJournal::flush_if_possible() {
  try {
    flush();
  } catch (const Error&) {  // a locked file need not end the search; the last flush() tells
    written_ = std::chrono::steady_clock::now() + next_attempt;
  }
}

}  // namespace twofour::emu
