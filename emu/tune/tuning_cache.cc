#include "twofour/emu/tune/tuning_cache.h"

#include <sqlite3.h>

#include <filesystem>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr int application = 0x32344354;  // "24CT", in the file's header
constexpr int version = 1;
constexpr int patience_ms = 5000;  // for another process that writes

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

/// What SQLite refused, in words.
[[noreturn]] void refuse(sqlite3* db, const std::string& path) {
  const int code = sqlite3_errcode(db) & 0xFF;
  const std::string reason = sqlite3_errmsg(db);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    fail(
        "cache {}: another process is writing to it ({}); wait for it or give another file; nothing was lost",
        path, reason);
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
    fail("cache {}: the file is damaged or no SQLite file ({}); move it away or give another one", path,
         reason);
  fail("cache {}: {}", path, reason);
}

/// One prepared statement; values are bound in order, rows read in order.
class Statement {
 public:
  Statement(sqlite3* db, const std::string& path, const char* sql) : db_(db), path_(path) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) refuse(db, path);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(const std::string& text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind(std::int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  Statement& bind(double number) {
    sqlite3_bind_double(statement_, ++bound_, number);
    return *this;
  }
  /// To the next row; false after the last.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) refuse(db_, path_);
    return code == SQLITE_ROW;
  }
  void restart() {
    sqlite3_reset(statement_);
    bound_ = 0;
  }
  std::string text(int column) const {
    const auto* bytes = sqlite3_column_text(statement_, column);
    return bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
  }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3* db_;
  const std::string& path_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

void execute(sqlite3* db, const std::string& path, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) refuse(db, path);
}

std::int64_t pragma(sqlite3* db, const std::string& path, const char* sql) {
  Statement statement(db, path, sql);
  return statement.step() ? statement.integer(0) : 0;
}

/// A write that happens whole or not at all.
class Transaction {
 public:
  Transaction(sqlite3* db, const std::string& path) : db_(db), path_(path) {
    execute(db, path, "BEGIN IMMEDIATE");
  }
  ~Transaction() {
    if (open_) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    execute(db_, path_, "COMMIT");
    open_ = false;
  }

 private:
  sqlite3* db_;
  const std::string& path_;
  bool open_ = true;
};

/// Creates the tables in an empty file; refuses a file that is not a cache or not whole.
void prepare(sqlite3* db, const std::string& path) {
  sqlite3_busy_timeout(db, patience_ms);
  const bool empty = pragma(db, path, "PRAGMA schema_version") == 0;
  if (!empty && pragma(db, path, "PRAGMA application_id") != application)
    fail("cache {}: it is another program's SQLite file; give another one", path);
  execute(db, path, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
  Transaction transaction(db, path);  // of two processes that create it, one waits here and finds it made
  if (pragma(db, path, "PRAGMA schema_version") == 0) {
    execute(db, path, tables);
    execute(db, path,
            fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", application, version).c_str());
  }
  transaction.commit();
  if (const auto found = pragma(db, path, "PRAGMA user_version"); found != version)
    fail("cache {}: it has version {} and this program reads {}; give another file", path, found, version);
  Statement check(db, path, "PRAGMA quick_check(1)");
  if (check.step() && check.text(0) != "ok")
    fail("cache {}: the file is damaged ({}); move it away or give another one", path, check.text(0));
}

}  // namespace

bool has_tuning_cache() {
  return true;
}

TuningCache::TuningCache(const std::string& path) : path_(path) {
  if (std::filesystem::is_directory(path)) fail("cache {}: is a directory, a file is needed", path);
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
    const std::string reason = sqlite3_errmsg(db_);
    sqlite3_close(db_);
    fail("cache {}: cannot be opened: {}", path, reason);
  }
  try {
    prepare(db_, path_);
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

TuningCache::~TuningCache() {
  sqlite3_close(db_);
}

std::int64_t TuningCache::task_id(const TuningKey& key, bool create) const {
  if (create)
    Statement(db_, path_, "INSERT OR IGNORE INTO task(task, machine, space, evaluator) VALUES(?, ?, ?, ?)")
        .bind(key.task)
        .bind(key.machine)
        .bind(key.space)
        .bind(key.evaluator)
        .step();
  Statement find(db_, path_, "SELECT id FROM task WHERE task=? AND machine=? AND space=? AND evaluator=?");
  find.bind(key.task).bind(key.machine).bind(key.space).bind(key.evaluator);
  return find.step() ? find.integer(0) : 0;
}

std::optional<TuningRecord> TuningCache::result(const TuningKey& key, const std::string& search) const {
  const std::int64_t task = task_id(key, false);
  Statement found(db_, path_, "SELECT trials, space FROM result WHERE task=? AND search=?");
  if (!found.bind(task).bind(search).step()) return std::nullopt;
  TuningRecord record;
  record.trials = static_cast<std::size_t>(found.integer(0));
  record.space = static_cast<std::size_t>(found.integer(1));
  Statement top(db_, path_, "SELECT schedule, us FROM top WHERE task=? AND search=? ORDER BY rank");
  top.bind(task).bind(search);
  while (top.step()) record.top.push_back({parse_schedule(top.text(0)), top.real(1)});
  return record;
}

void TuningCache::put_result(const TuningKey& key, const std::string& search, const TuningRecord& record) {
  Transaction transaction(db_, path_);
  const std::int64_t task = task_id(key, true);
  Statement(db_, path_, "INSERT OR REPLACE INTO result VALUES(?, ?, ?, ?)")
      .bind(task)
      .bind(search)
      .bind(static_cast<std::int64_t>(record.trials))
      .bind(static_cast<std::int64_t>(record.space))
      .step();
  Statement(db_, path_, "DELETE FROM top WHERE task=? AND search=?").bind(task).bind(search).step();
  Statement insert(db_, path_, "INSERT INTO top VALUES(?, ?, ?, ?, ?)");
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
  Statement all(db_, path_, "SELECT schedule, us FROM trial WHERE task=?");
  all.bind(task_id(key, false));
  while (all.step()) trials.emplace(all.text(0), all.real(1));
  return trials;
}

void TuningCache::put_trials(const TuningKey& key, const std::vector<Candidate>& trials) {
  if (trials.empty()) return;
  Transaction transaction(db_, path_);
  const std::int64_t task = task_id(key, true);
  Statement insert(db_, path_, "INSERT OR IGNORE INTO trial VALUES(?, ?, ?)");
  for (const Candidate& trial : trials) {
    insert.bind(task).bind(to_text(trial.schedule)).bind(trial.microseconds).step();
    insert.restart();
  }
  transaction.commit();
}

}  // namespace twofour::emu
