#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "twofour/emu/tune/search.h"
#include "twofour/isa/database.h"

namespace twofour::emu {

/// What the times of a task depend on, and so the key of a cache. A change of any word is another key.
struct TuningKey {
  std::string task;       ///< TuningTask::key()
  std::string machine;    ///< machine_fingerprint()
  std::string space;      ///< ScheduleSpace::version()
  std::string evaluator;  ///< model_version(), or that of whatever timed the schedules
};

/// What a finished search found.
struct TuningRecord {
  std::size_t trials = 0, space = 0;
  std::vector<Candidate> top;  ///< the fastest few, fastest first
};

/// Trials and results in a SQLite file (isa::Database). Several processes may use one file.
class TuningCache {
 public:
  /// Opens or creates the file. Throws Error.
  explicit TuningCache(const std::string& path);

  /// The result of a search ("exhaustive", "learning 750 seed 1") that ran to its end.
  std::optional<TuningRecord> result(const TuningKey& key, const std::string& search) const;
  void put_result(const TuningKey& key, const std::string& search, const TuningRecord& record);

  /// All trials of a key by any search: text of the schedule -> us.
  std::unordered_map<std::string, double> trials(const TuningKey& key) const;
  /// Adds trials in one transaction; a schedule that is there stays as it is.
  void put_trials(const TuningKey& key, const std::vector<Candidate>& trials);

 private:
  std::int64_t task_id(const TuningKey& key, bool create) const;  ///< 0: not there

  mutable isa::Database database_;
};

/// The journal of one search: an evaluator that answers from the cache what was timed before, by this search
/// or another of the same key, and keeps what it times. Trials are written at least every twentieth of a
/// second, so a killed search that starts again continues where it was; since searches are deterministic it
/// ends with the same result.
class TrialJournal {
 public:
  TrialJournal(TuningCache& cache, TuningKey key, Evaluator evaluator);

  double operator()(const Schedule& schedule);
  /// Writes what is not written yet. Throws Error; the trials stay in memory then and the next call tries
  /// again.
  void flush();

  std::size_t timed() const { return timed_; }        ///< calls of the evaluator
  std::size_t recalled() const { return recalled_; }  ///< answers from the cache

 private:
  void flush_if_possible();

  TuningCache& cache_;
  TuningKey key_;
  Evaluator evaluator_;
  std::unordered_map<std::string, double> known_;
  std::vector<Candidate> pending_;
  std::chrono::steady_clock::time_point written_;
  std::size_t timed_ = 0, recalled_ = 0;
};

}  // namespace twofour::emu
