#pragma once
#include <cstdint>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace twofour::isa {

/// True where twofour was built with SQLite; without, opening a Database is refused with the package to
/// install.
bool has_sqlite();

/// A kind of file that twofour keeps in SQLite.
struct DatabaseKind {
  const char* noun;    ///< begins every message: "cache"
  int application;     ///< in the file's header: whose file it is
  int version;         ///< of the tables
  const char* tables;  ///< SQL that creates them
  bool one_process;    ///< a second process that opens the file is refused; else several may write
};

/// A SQLite file with a write-ahead log, so that a killed program loses nothing that was committed. A file
/// that is damaged, that belongs to another program or is of another version is refused with a message that
/// names it, and left as it is.
class Database {
 public:
  /// Opens or creates the file. Throws Error.
  Database(const std::string& path, const DatabaseKind& kind);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql);
  /// Whether commits from now on survive a power failure too (a sync of the disk each); else they survive
  /// only the end of the program, as they do at first.
  void sync_commits(bool sync);
  /// Throws Error that says in words what SQLite refused last.
  [[noreturn]] void refuse() const;
  /// Throws Error that the file is damaged.
  [[noreturn]] void damaged(const std::string& reason) const;

 private:
  friend class Statement;
  void prepare();
  void check_owner();
  std::int64_t number(const char* sql);

  std::string path_;
  DatabaseKind kind_;
  sqlite3* db_ = nullptr;
};

/// One prepared statement; values are bound in order, rows read in order. Throws Error.
class Statement {
 public:
  Statement(Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(const std::string& text);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);  ///< NaN becomes NULL
  bool step();                     ///< to the next row; false after the last
  void restart();                  ///< to be bound and run again

  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  ///< NULL is 0
  bool null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// A write that happens whole or, without commit(), not at all.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace twofour::isa
