#include "twofour/emu/tune/tuning_cache.h"

namespace twofour::emu {
namespace {

constexpr const char* tables = R"(
CREATE TABLE task(id INTEGER PRIMARY KEY, task TEXT NOT NULL, machine TEXT NOT NULL, space TEXT NOT NULL,
                  evaluator TEXT NOT NULL, UNIQUE(task, machine, space, evaluator));
CREATE TABLE trial(task INTEGER NOT NULL REFERENCES task, schedule TEXT NOT NULL, us REAL NOT NULL,
                   PRIMARY KEY(task, schedule)) WITHOUT ROWID;
CREATE TABLE result(task INTEGER NOT NULL REFERENCES task, search TEXT NOT NULL, trials INTEGER NOT NULL,
                    space INTEGER NOT NULL, PRIMARY KEY(task, search)) WITHOUT ROWID;
CREATE TABLE top(task INTEGER NOT NULL, search TEXT NOT NULL, rank INTEGER NOT NULL, schedule TEXT NOT NULL,
                 us REAL NOT NULL, PRIMARY KEY(task, search, rank)) WITHOUT ROWID;
)";

constexpr isa::DatabaseKind kind{.noun = "cache",
                                 .application = 0x32344354,  // "24CT"
                                 .version = 1,
                                 .tables = tables,
                                 .one_process = false};

}  // namespace

TuningCache::TuningCache(const std::string& path) : database_(path, kind) {}

std::int64_t TuningCache::task_id(const TuningKey& key, bool create) const {
  if (create)
    isa::Statement(database_,
                   "INSERT OR IGNORE INTO task(task, machine, space, evaluator) VALUES(?, ?, ?, ?)")
        .bind(key.task)
        .bind(key.machine)
        .bind(key.space)
        .bind(key.evaluator)
        .step();
  isa::Statement find(database_,
                      "SELECT id FROM task WHERE task=? AND machine=? AND space=? AND evaluator=?");
  find.bind(key.task).bind(key.machine).bind(key.space).bind(key.evaluator);
  return find.step() ? find.integer(0) : 0;
}

std::optional<TuningRecord> TuningCache::result(const TuningKey& key, const std::string& search) const {
  const std::int64_t task = task_id(key, false);
  isa::Statement found(database_, "SELECT trials, space FROM result WHERE task=? AND search=?");
  if (!found.bind(task).bind(search).step()) return std::nullopt;
  TuningRecord record;
  record.trials = static_cast<std::size_t>(found.integer(0));
  record.space = static_cast<std::size_t>(found.integer(1));
  isa::Statement top(database_, "SELECT schedule, us FROM top WHERE task=? AND search=? ORDER BY rank");
  top.bind(task).bind(search);
  while (top.step()) record.top.push_back({parse_schedule(top.text(0)), top.real(1)});
  return record;
}

void TuningCache::put_result(const TuningKey& key, const std::string& search, const TuningRecord& record) {
  isa::Transaction transaction(database_);
  const std::int64_t task = task_id(key, true);
  isa::Statement(database_, "INSERT OR REPLACE INTO result VALUES(?, ?, ?, ?)")
      .bind(task)
      .bind(search)
      .bind(static_cast<std::int64_t>(record.trials))
      .bind(static_cast<std::int64_t>(record.space))
      .step();
  isa::Statement(database_, "DELETE FROM top WHERE task=? AND search=?").bind(task).bind(search).step();
  isa::Statement insert(database_, "INSERT INTO top VALUES(?, ?, ?, ?, ?)");
  for (std::size_t rank = 0; rank < record.top.size(); ++rank) {
    insert.bind(task)
        .bind(search)
        .bind(static_cast<std::int64_t>(rank))
        .bind(to_text(record.top[rank].schedule));
    insert.bind(record.top[rank].microseconds).step();
    insert.restart();
  }
  transaction.commit();
}

std::unordered_map<std::string, double> TuningCache::trials(const TuningKey& key) const {
  std::unordered_map<std::string, double> trials;
  isa::Statement all(database_, "SELECT schedule, us FROM trial WHERE task=?");
  all.bind(task_id(key, false));
  while (all.step()) trials.emplace(all.text(0), all.real(1));
  return trials;
}

void TuningCache::put_trials(const TuningKey& key, const std::vector<Candidate>& trials) {
  if (trials.empty()) return;
  isa::Transaction transaction(database_);
  const std::int64_t task = task_id(key, true);
  isa::Statement insert(database_, "INSERT OR IGNORE INTO trial VALUES(?, ?, ?)");
  for (const Candidate& trial : trials) {
    insert.bind(task).bind(to_text(trial.schedule)).bind(trial.microseconds).step();
    insert.restart();
  }
  transaction.commit();
}

}  // namespace twofour::emu
