#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

#include "twofour/nas/scale/distributed_evaluator.h"
#include "twofour/nas/scale/measure_order.h"

namespace twofour::nas {

/// One list of candidates being measured by all ranks. The caller's thread measures; a second one hands out
/// candidates and takes answers meanwhile.
class DistributedBatch {
 public:
  using Worker = DistributedEvaluator::Worker;

  DistributedBatch(Ranks& ranks, Evaluator& local, const DistributedOptions& options,
                   std::vector<Worker>& workers, std::uint64_t& orders,
                   const std::vector<Candidate>& candidates, const MeasureEvents& events);

  std::vector<Measurement> run();

 private:
  struct InFlight {
    int rank;
    std::size_t index;
    bool given_up = false;  ///< its rank was lost, and it is in the queue again
  };

  void measure_here();
  std::optional<std::size_t> take_one();
  void dispatch();
  bool over() const;  ///< nothing to do any more, or only what nobody is to begin
  void hand_out();
  void find_lost();
  void give_up(int rank);
  void accept(const RankMessage& message);
  void finish(std::size_t index, const Measurement& measurement);
  void fail_with(std::exception_ptr failure);

  Ranks& ranks_;
  Evaluator& local_;
  const DistributedOptions& options_;
  std::vector<Worker>& workers_;
  std::uint64_t& orders_;
  const std::vector<Candidate>& candidates_;
  const MeasureEvents& events_;

  std::mutex mutex_;  ///< of all below, workers_ and calls of events_
  std::condition_variable changed_;
  std::deque<std::size_t> queue_;
  std::map<std::uint64_t, InFlight> given_;  ///< by order; an answer may come late, from a rank that was lost
  std::vector<std::optional<Measurement>> results_;
  std::size_t measured_ = 0;
  std::exception_ptr failure_;
};

}  // namespace twofour::nas
