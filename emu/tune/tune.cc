#include "twofour/emu/tune/tune.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

std::size_t trials_of(const TuneOptions& options, std::size_t space) {
  if (options.exhaustive) return space;
  if (options.trials > 0) return std::min(options.trials, space);
  if (!(options.fraction > 0 && options.fraction <= 1))
    fail("tuning: the fraction of the space to try is {}; it must lie above 0 and not above 1",
         options.fraction);
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(std::ceil(options.fraction * static_cast<double>(space))));
}

SearchResult search(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine,
                    const Evaluator& evaluator, const TuneOptions& options) {
  const SearchLimits limits{trials_of(options, space.size()), options.seed, options.stop, options.progress};
  return options.exhaustive ? exhaustive_search(space, evaluator, limits)
                            : learning_search(space, task, machine, evaluator, limits);
}

TuningRecord record_of(const SearchResult& found, std::size_t top) {
  TuningRecord record{found.trials(), found.space, {}};
  const std::size_t count = std::min(std::max<std::size_t>(top, 1), found.candidates.size());
  record.top.assign(found.candidates.begin(), found.candidates.begin() + std::ptrdiff_t(count));
  return record;
}

/// The same search with a cache: its result if it is there, or else its trials, old and new.
TuneOutcome tune_with_cache(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine,
                            const Evaluator& evaluator, const TuningKey& key, const TuneOptions& options) {
  TuningCache cache(options.cache);
  const std::string name = options.exhaustive
                               ? fmt::format("exhaustive top {}", options.top)
                               : fmt::format("learning {} seed {} top {}", trials_of(options, space.size()),
                                             options.seed, options.top);
  TuneOutcome outcome;
  if (auto known = cache.result(key, name)) {
    outcome.record = std::move(*known);
    outcome.known = true;
    return outcome;
  }
  TrialJournal journal(cache, key, evaluator);
  const auto found = search(space, task, machine, std::ref(journal), options);
  outcome.record = record_of(found, options.top);
  outcome.stopped = found.stopped;
  outcome.timed = journal.timed();
  outcome.recalled = journal.recalled();
  try {
    journal.flush();
    if (!found.stopped) cache.put_result(key, name, outcome.record);
  } catch (const Error& error) {
    outcome.unsaved = error.what();
  }
  return outcome;
}

}  // namespace

TuneOutcome tune(const TuningTask& task, const isa::Machine& machine, const Evaluator& evaluator,
                 const std::string& machine_key, const std::string& evaluator_version,
                 const TuneOptions& options) {
  const ScheduleSpace space(task, machine);
  if (!options.cache.empty())
    return tune_with_cache(space, task, machine, evaluator,
                           {task.key(), machine_key, space.version(), evaluator_version}, options);
  const auto found = search(space, task, machine, evaluator, options);
  TuneOutcome outcome;
  outcome.record = record_of(found, options.top);
  outcome.stopped = found.stopped;
  outcome.timed = found.trials();
  return outcome;
}

}  // namespace twofour::emu
