#include "twofour/nas/scale/distributed_batch.h"

#include <algorithm>
#include <thread>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

constexpr auto patience = std::chrono::milliseconds(50);

}  // namespace

DistributedBatch::DistributedBatch(Ranks& ranks, Evaluator& local, const DistributedOptions& options,
                                   std::vector<Worker>& workers, std::uint64_t& orders,
                                   const std::vector<Candidate>& candidates, const MeasureEvents& events)
    : ranks_(ranks),
      local_(local),
      options_(options),
      workers_(workers),
      orders_(orders),
      candidates_(candidates),
      events_(events),
      results_(candidates.size()) {
  for (std::size_t i = 0; i < candidates.size(); ++i) queue_.push_back(i);
}

std::vector<Measurement> DistributedBatch::run() {
  std::thread dispatcher([this] { dispatch(); });
  measure_here();
  dispatcher.join();
  if (failure_) std::rethrow_exception(failure_);
  std::vector<Measurement> measurements;
  for (const auto& result : results_) measurements.push_back(result.value());
  return measurements;
}

void DistributedBatch::fail_with(std::exception_ptr failure) {
  if (!failure_) failure_ = std::move(failure);
  changed_.notify_all();
}

void DistributedBatch::finish(std::size_t index, const Measurement& measurement) {
  if (results_[index]) return;  // also measured by a rank that was lost and came back
  results_[index] = measurement;
  ++measured_;
  changed_.notify_all();
  events_.done(index, measurement);
}

void DistributedBatch::measure_here() {
  while (const auto index = take_one()) {
    try {
      const Measurement measurement = local_.measure({candidates_[*index]}).at(0);
      const std::lock_guard lock(mutex_);
      finish(*index, measurement);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      fail_with(std::current_exception());
    }
    ranks_.wake();
  }
}

/// The next candidate for rank 0; none when all are measured or nobody is to begin another.
std::optional<std::size_t> DistributedBatch::take_one() {
  std::unique_lock lock(mutex_);
  try {
    changed_.wait(lock, [&] { return !queue_.empty() || failure_ || measured_ == results_.size(); });
    if (queue_.empty() || failure_) return std::nullopt;
    if (options_.check) options_.check();
    const std::size_t index = queue_.front();
    queue_.pop_front();
    events_.begin(index, 0);
    return index;
  } catch (...) {
    fail_with(std::current_exception());
    return std::nullopt;
  }
}

void DistributedBatch::dispatch() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      find_lost();
      hand_out();
      if (over()) return;
    }
    const auto message = ranks_.receive(patience);
    const std::lock_guard lock(mutex_);
    if (message) accept(*message);
  }
}

bool DistributedBatch::over() const {
  return (failure_ || measured_ == results_.size()) &&
         std::ranges::none_of(given_, [](const auto& order) { return !order.second.given_up; });
}

void DistributedBatch::find_lost() {
  for (int rank = 1; rank < ranks_.size(); ++rank) {
    Worker& worker = workers_[std::size_t(rank)];
    if (const bool lost = ranks_.lost(rank); lost != worker.lost) {
      worker.lost = lost;
      if (lost) give_up(rank);
    }
  }
}

void DistributedBatch::give_up(int rank) {
  std::string text = ranks_.loss(rank);
  for (auto& [number, order] : given_) {
    if (order.rank != rank || order.given_up) continue;
    order.given_up = true;
    queue_.push_front(order.index);
    text += "; its candidate is measured again";
  }
  options_.narrate(text);
  changed_.notify_all();
}

void DistributedBatch::hand_out() {
  for (int rank = 1; rank < ranks_.size() && !queue_.empty() && !failure_; ++rank) {
    Worker& worker = workers_[std::size_t(rank)];
    if (worker.busy || worker.lost) continue;
    const std::size_t index = queue_.front();
    queue_.pop_front();
    try {
      events_.begin(index, rank);
    } catch (...) {
      return fail_with(std::current_exception());
    }
    given_[++orders_] = {.rank = rank, .index = index};
    worker.busy = true;
    ranks_.send(rank, to_text(MeasureOrder{orders_, candidates_[index]}));
  }
}

void DistributedBatch::accept(const RankMessage& message) {
  if (greeting_from(message.text)) return;  // too late: nobody has compared it
  workers_[std::size_t(message.rank)].busy = false;
  try {
    const MeasureAnswer answer = answer_from(message.text);
    const auto order = given_.find(answer.number);
    if (order == given_.end()) return;  // of an earlier list, from a rank that was lost
    const std::size_t index = order->second.index;
    given_.erase(order);
    if (const auto* error = std::get_if<std::string>(&answer.result))
      fail("rank {}: {}", message.rank, *error);
    std::erase(queue_, index);
    finish(index, std::get<Measurement>(answer.result));
  } catch (...) {
    fail_with(std::current_exception());
  }
}

}  // namespace twofour::nas
