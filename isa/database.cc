#include "twofour/isa/database.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

constexpr int patience_ms = 5000;       ///< for another process that writes
constexpr int owner_patience_ms = 500;  ///< for one that has the file for itself, and may be about to end

constexpr std::uintmax_t least_page = 512;

}  // namespace

bool has_sqlite() {
  return true;
}

void Database::damaged(const std::string& reason) const {
  fail("{} {}: the file is damaged ({}); move it away or give another one", kind_.noun, path_, reason);
}

void Database::refuse() const {
  const int code = sqlite3_errcode(db_) & 0xFF;
  const std::string reason = sqlite3_errmsg(db_);
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail("{} {}: another process is {} it ({}); wait for it or give another file; nothing was lost",
           kind_.noun, path_, kind_.one_process ? "using" : "writing to", reason);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      fail("{} {}: the file is damaged or no SQLite file ({}); move it away or give another one", kind_.noun,
           path_, reason);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      fail("{} {}: cannot be written ({}); the file and its folder must be writable", kind_.noun, path_,
           reason);
    case SQLITE_FULL:
    case SQLITE_IOERR:
      fail("{} {}: cannot be written ({}: {}); what it holds is whole", kind_.noun, path_, reason,
           std::strerror(sqlite3_system_errno(db_)));
    default: fail("{} {}: {}", kind_.noun, path_, reason);
  }
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) refuse();
}

void Database::sync_commits(bool sync) {
  execute(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::check_owner() {
  if (number("PRAGMA application_id") != kind_.application)
    fail("{} {}: it is another program's SQLite file; give another one", kind_.noun, path_);
  if (const auto found = number("PRAGMA user_version"); found != kind_.version)
    fail("{} {}: it has version {} and this program reads {}; give another file", kind_.noun, path_, found,
         kind_.version);
}

/// Creates the tables in an empty file; refuses a file that is not ours or not whole. Writes nothing before
/// it is known to be ours.
void Database::prepare() {
  sqlite3_busy_timeout(db_, kind_.one_process ? owner_patience_ms : patience_ms);
  if (kind_.one_process)
    execute("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");  // held until closed
  if (number("PRAGMA schema_version") != 0) check_owner();
  execute("PRAGMA journal_mode=WAL");
  sync_commits(false);
  Transaction transaction(*this);  // of two processes that create it, one waits here and finds it made
  if (number("PRAGMA schema_version") == 0) {
    execute(kind_.tables);
    execute(
        fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kind_.application, kind_.version));
  }
  transaction.commit();
  check_owner();
  Statement check(*this, "PRAGMA quick_check(1)");
  if (check.step() && check.text(0) != "ok") damaged(check.text(0));
}

Database::Database(const std::string& path, const DatabaseKind& kind) : path_(path), kind_(kind) {
  if (std::filesystem::is_directory(path)) fail("{} {}: is a directory, a file is needed", kind.noun, path);
  std::error_code no_file;
  const auto size = std::filesystem::file_size(path, no_file);
  if (!no_file && size > 0 && size < least_page)  // which SQLite would take for an empty one
    fail("{} {}: the file is damaged or no SQLite file (too short); move it away or give another one",
         kind.noun, path);
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
    const std::string reason = sqlite3_errmsg(db_);
    sqlite3_close(db_);
    fail("{} {}: cannot be opened: {}", kind.noun, path, reason);
  }
  try {
    if (sqlite3_db_readonly(db_, "main") == 1)
      fail("{} {}: cannot be written; the file and its folder must be writable", kind.noun, path);
    prepare();
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

Database::~Database() {
  sqlite3_close(db_);
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v2(database.db_, sql, -1, &statement_, nullptr) != SQLITE_OK) database.refuse();
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(const std::string& text) {
  sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Statement& Statement::bind(double number) {
  sqlite3_bind_double(statement_, ++bound_, number);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.refuse();
  return code == SQLITE_ROW;
}

void Statement::restart() {
  sqlite3_reset(statement_);
  bound_ = 0;
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? "" : std::string(bytes, std::size_t(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

bool Statement::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database) : database_(database) {
  database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {  // SQLite has rolled back by itself
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace twofour::isa
