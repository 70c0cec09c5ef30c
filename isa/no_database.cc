// Built in place of database.cc where SQLite is not installed: no Database can be opened, so the rest is
// never reached.
#include "twofour/isa/database.h"
#include "twofour/isa/error.h"

namespace twofour::isa {

bool has_sqlite() {
  return false;
}

Database::Database(const std::string& path, const DatabaseKind& kind) : path_(path), kind_(kind) {
  fail("{} {}: this twofour was built without SQLite; install libsqlite3-dev and build again", kind.noun,
       path);
}
Database::~Database() = default;
void Database::execute(const std::string&) {}
void Database::sync_commits(bool) {}
void Database::refuse() const {
  fail("{} {}", kind_.noun, path_);
}
void Database::damaged(const std::string& reason) const {
  fail("{} {}: {}", kind_.noun, path_, reason);
}

Statement::Statement(Database& database, const char*) : database_(database) {}
Statement::~Statement() = default;
Statement& Statement::bind(const std::string&) {
  return *this;
}
Statement& Statement::bind(std::int64_t) {
  return *this;
}
Statement& Statement::bind(double) {
  return *this;
}
bool Statement::step() {
  return false;
}
void Statement::restart() {}
std::string Statement::text(int) const {
  return "";
}
std::int64_t Statement::integer(int) const {
  return 0;
}
double Statement::real(int) const {
  return 0;
}
bool Statement::null(int) const {
  return true;
}

Transaction::Transaction(Database& database) : database_(database) {}
Transaction::~Transaction() = default;
void Transaction::commit() {}

}  // namespace twofour::isa
