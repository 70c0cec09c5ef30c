#pragma once
#include <functional>
#include <string>
#include <vector>

#include "twofour/nas/scale/ranks.h"
#include "twofour/nas/search/fingerprint.h"
#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// What rank 0 may be asked for while it measures; both may be empty.
struct DistributedOptions {
  std::function<void()>
      check;  ///< on the caller's thread before each of rank 0's own candidates: throws to stop
  std::function<void(const std::string&)> narrate;  ///< about lost ranks; empty: a line on stderr
};

/// Rank 0's evaluator: hands candidates to the ranks one at a time, and measures itself with `local`
/// meanwhile. Answers are in the order of the candidates, so they are those of one process. Events may come
/// from another thread. The candidate of a lost rank is measured by another. After an exception, here, in an
/// event or on a worker, what is under way is still finished and told of; then the first one is thrown, with
/// its rank.
class DistributedEvaluator : public Evaluator {
 public:
  /// Waits until all workers serve() (or are lost). Throws Error if one has another fingerprint; the message
  /// says which fields differ.
  DistributedEvaluator(Ranks& ranks, Evaluator& local, const Fingerprint& fingerprint,
                       DistributedOptions options = {});
  /// Lets the workers return from serve().
  ~DistributedEvaluator() override;

  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override;
  std::vector<Measurement> measure_each(const std::vector<Candidate>& candidates,
                                        const MeasureEvents& events) override;

  /// A worker, as rank 0 sees it.
  struct Worker {
    bool busy = true;  ///< until it has greeted, and while it has a candidate
    bool lost = false;
  };

 private:
  void greet(const Fingerprint& fingerprint);

  Ranks& ranks_;
  Evaluator& local_;
  DistributedOptions options_;
  std::vector<Worker> workers_;  ///< by rank
  std::uint64_t orders_ = 0;     ///< handed out
};

/// A worker: measures what rank 0 hands it until rank 0's evaluator is gone or the job ends. What `local`
/// throws is carried to rank 0. Throws Error if rank 0 is lost.
void serve(Ranks& ranks, Evaluator& local, const Fingerprint& fingerprint);

}  // namespace twofour::nas
