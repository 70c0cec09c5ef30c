#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "twofour/isa/database.h"
#include "twofour/nas/search/fingerprint.h"
#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// The measurements of one search in a SQLite file (isa::Database), each on disk before the next begins: a
/// killed program loses at most what was under way, and since engines are deterministic the same search goes
/// on from here to the same end. One process has it open at a time. Every row has a checksum; a file with a
/// row that fails is refused. For one thread at a time.
class Journal {
 public:
  struct Begun {
    Candidate candidate;
    int rank = 0;  ///< the process that had it
  };

  /// Opens or creates the file. Throws Error for a file that is damaged, another program's, open in another
  /// process, not writable, or of another fingerprint (the message says which fields differ); it is left as
  /// it is.
  Journal(const std::string& path, const Fingerprint& fingerprint);

  std::optional<Measurement> find(const Candidate& candidate) const;
  /// The candidate is under way on that rank.
  void begin(const Candidate& candidate, int rank);
  /// It was measured, in so many seconds; on disk when this returns.
  void finish(const Candidate& candidate, const Measurement& measurement, double seconds);
  /// That finding out took; 0 for a candidate that was not measured.
  double seconds(const Candidate& candidate) const;

  std::size_t size() const { return measured_.size(); }  ///< measurements
  /// Begun by the run before this one and not finished.
  const std::vector<Begun>& unfinished() const { return unfinished_; }
  /// "120 measurements in FILE; 3 candidates were under way when the last run ended, on ranks 1 and 2; they
  /// are measured again": for the person who started the run. Describes the file as it was opened.
  const std::string& opening() const { return opening_; }

 private:
  void check_fingerprint(const Fingerprint& fingerprint);
  void load_measurements();
  void load_unfinished();

  struct Finished {
    Measurement measurement;
    double seconds = 0;
  };

  std::string path_;
  isa::Database database_;
  std::map<Candidate, Finished> measured_;
  std::vector<Begun> unfinished_;
  std::string opening_;
};

/// Answers from the journal what was measured before, and commits what the other evaluator measures as soon
/// as it is known. A candidate that is asked for twice is measured once.
class JournalledEvaluator : public Evaluator {
 public:
  JournalledEvaluator(Journal& journal, Evaluator& evaluator) : journal_(journal), evaluator_(evaluator) {}

  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override;

  std::int64_t measured() const { return measured_; }            ///< by the other evaluator
  std::int64_t recalled() const { return recalled_; }            ///< answers from the journal
  double recalled_seconds() const { return recalled_seconds_; }  ///< that measuring those took

 private:
  Journal& journal_;
  Evaluator& evaluator_;
  std::int64_t measured_ = 0, recalled_ = 0;
  double recalled_seconds_ = 0;
};

}  // namespace twofour::nas
