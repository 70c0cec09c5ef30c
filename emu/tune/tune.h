#pragma once
#include "twofour/emu/tune/learning_search.h"
#include "twofour/emu/tune/tuning_cache.h"

namespace twofour::emu {

struct TuneOptions {
  bool exhaustive = false;
  std::size_t trials = 0;  ///< of the learning search; 0: `fraction` of the space
  double fraction = 0.1;
  std::uint64_t seed = 1;
  std::size_t top = 5;     ///< candidates to keep
  std::string cache = {};  ///< file; empty: none
  std::function<bool()> stop = {};
  std::function<void(std::size_t trials, double best_us)> progress = {};
};

struct TuneOutcome {
  TuningRecord record;
  bool known = false;        ///< the cache had the result of this very search
  bool stopped = false;      ///< by options.stop; the record is what there was until then
  std::size_t timed = 0;     ///< schedules that the evaluator timed now
  std::size_t recalled = 0;  ///< trials answered from the cache's journal
  std::string unsaved;       ///< why the cache could not be written; empty: all is written
};

/// Searches the schedules of a task. `machine_key` and `evaluator_version` say in the cache's key what the
/// times hold for. A search that was stopped or killed continues from the cache's trials when it is called
/// again. Throws Error for a cache that is refused, a fraction outside (0, 1] and an empty space.
TuneOutcome tune(const TuningTask& task, const isa::Machine& machine, const Evaluator& evaluator,
                 const std::string& machine_key, const std::string& evaluator_version,
                 const TuneOptions& options);

}  // namespace twofour::emu
