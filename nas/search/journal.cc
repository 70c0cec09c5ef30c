#include "twofour/nas/search/journal.h"

#include <fmt/ranges.h>
#include <zlib.h>

#include <bit>
#include <limits>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/nas/search/candidate_text.h"

namespace twofour::nas {
namespace {

constexpr const char* tables = R"(
CREATE TABLE fingerprint(field TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE measurement(candidate TEXT PRIMARY KEY, loss REAL, accuracy REAL, seconds REAL NOT NULL,
  crc INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE begun(candidate TEXT PRIMARY KEY, rank INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr isa::DatabaseKind kind{.noun = "journal",
                                 .application = 0x32344A4E,  // "24JN"
                                 .version = 2,
                                 .tables = tables,
                                 .one_process = true};

/// Of the parts of a row, and of where one part ends.
template <class... Parts>
std::int64_t row_crc(const Parts&... parts) {
  uLong crc = 0;
  for (const std::string& part : {fmt::format("{}", parts)...}) {
    crc = crc32(crc, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
    crc = crc32(crc, reinterpret_cast<const Bytef*>("\xFF"), 1);
  }
  return std::int64_t(crc);
}

/// The bits of a number as SQLite gives it back: one NaN, one zero.
std::uint64_t bits(double value) {
  return value != value ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(value + 0.0);
}

double real(const isa::Statement& row, int column) {
  return row.null(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

/// "rank 1", "ranks 1 and 2", "ranks 0, 1 and 2"
std::string ranks_text(const std::set<int>& ranks) {
  if (ranks.size() == 1) return fmt::format("rank {}", *ranks.begin());
  return fmt::format("ranks {} and {}", fmt::join(ranks.begin(), std::prev(ranks.end()), ", "),
                     *ranks.rbegin());
}

std::string unfinished_text(const std::vector<Journal::Begun>& unfinished) {
  if (unfinished.empty()) return "";
  std::set<int> ranks;
  for (const Journal::Begun& begun : unfinished) ranks.insert(begun.rank);
  const bool one = unfinished.size() == 1, one_process = ranks == std::set{0};
  return fmt::format("; {} candidate{} under way when the last run ended{}; {} measured again",
                     unfinished.size(), one ? " was" : "s were",
                     one_process ? "" : ", on " + ranks_text(ranks), one ? "it is" : "they are");
}

}  // namespace

Journal::Journal(const std::string& path, const Fingerprint& fingerprint)
    : path_(path), database_(path, kind) {
  isa::Transaction transaction(database_);
  check_fingerprint(fingerprint);
  load_measurements();
  load_unfinished();
  transaction.commit();
  opening_ = fmt::format("{} measurement{} in {}{}", size(), size() == 1 ? "" : "s", path,
                         unfinished_text(unfinished_));
}

void Journal::check_fingerprint(const Fingerprint& fingerprint) {
  Fingerprint found;
  isa::Statement all(database_, "SELECT field, value, crc FROM fingerprint");
  while (all.step()) {
    found.emplace_back(all.text(0), all.text(1));
    if (all.integer(2) != row_crc(all.text(0), all.text(1)))
      database_.damaged("checksum of its fingerprint's field " + all.text(0));
  }
  if (found.empty()) {
    isa::Statement insert(database_, "INSERT INTO fingerprint VALUES(?, ?, ?)");
    for (const auto& [field, value] : fingerprint) {
      insert.bind(field).bind(value).bind(row_crc(field, value)).step();
      insert.restart();
    }
  } else if (const auto text = differences(found, "journal", fingerprint, "this run"); !text.empty()) {
    fail("journal {}: belongs to another run; give another file, or remove it to start again{}", path_, text);
  }
}

void Journal::load_measurements() {
  isa::Statement all(database_, "SELECT candidate, loss, accuracy, seconds, crc FROM measurement");
  while (all.step()) {
    const std::string text = all.text(0);
    const Measurement m{real(all, 1), real(all, 2)};
    const double seconds = all.real(3);
    if (all.integer(4) != row_crc(text, bits(m.loss), bits(m.accuracy), bits(seconds)))
      database_.damaged("checksum of the measurement of " + text);
    measured_.emplace(candidate_from(text), Finished{m, seconds});
  }
}

void Journal::load_unfinished() {
  isa::Statement all(database_, "SELECT candidate, rank, crc FROM begun");
  while (all.step()) {
    const std::string text = all.text(0);
    if (all.integer(2) != row_crc(text, all.integer(1))) database_.damaged("checksum of the begun " + text);
    unfinished_.push_back({candidate_from(text), int(all.integer(1))});
  }
  if (!unfinished_.empty()) database_.execute("DELETE FROM begun");
}

std::optional<Measurement> Journal::find(const Candidate& candidate) const {
  const auto known = measured_.find(candidate);
  return known == measured_.end() ? std::nullopt : std::optional(known->second.measurement);
}

void Journal::begin(const Candidate& candidate, int rank) {
  const std::string text = candidate_text(candidate);
  database_.sync_commits(false);  // a mark is only for the person who starts it again
  isa::Statement(database_, "INSERT OR REPLACE INTO begun VALUES(?, ?, ?)")
      .bind(text)
      .bind(std::int64_t{rank})
      .bind(row_crc(text, rank))
      .step();
}

double Journal::seconds(const Candidate& candidate) const {
  const auto known = measured_.find(candidate);
  return known == measured_.end() ? 0 : known->second.seconds;
}

void Journal::finish(const Candidate& candidate, const Measurement& measurement, double seconds) {
  const std::string text = candidate_text(candidate);
  database_.sync_commits(true);
  isa::Transaction transaction(database_);
  isa::Statement(database_, "INSERT INTO measurement VALUES(?, ?, ?, ?, ?)")
      .bind(text)
      .bind(measurement.loss)
      .bind(measurement.accuracy)
      .bind(seconds)
      .bind(row_crc(text, bits(measurement.loss), bits(measurement.accuracy), bits(seconds)))
      .step();
  isa::Statement(database_, "DELETE FROM begun WHERE candidate=?").bind(text).step();
  transaction.commit();
  measured_.emplace(candidate, Finished{measurement, seconds});
}

}  // namespace twofour::nas
