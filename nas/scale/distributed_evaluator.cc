#include "twofour/nas/scale/distributed_evaluator.h"

#include "twofour/isa/error.h"
#include "twofour/nas/scale/distributed_batch.h"
#include "twofour/nas/scale/measure_order.h"

namespace twofour::nas {
namespace {

constexpr auto patience = std::chrono::milliseconds(100);

}  // namespace

DistributedEvaluator::DistributedEvaluator(Ranks& ranks, Evaluator& local, const Fingerprint& fingerprint,
                                           DistributedOptions options)
    : ranks_(ranks), local_(local), options_(std::move(options)), workers_(std::size_t(ranks.size())) {
  if (!options_.narrate) options_.narrate = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  greet(fingerprint);
}

DistributedEvaluator::~DistributedEvaluator() {
  for (int rank = 1; rank < ranks_.size(); ++rank)
    if (!ranks_.lost(rank)) ranks_.send(rank, std::string(no_more));
}

void DistributedEvaluator::greet(const Fingerprint& fingerprint) {
  const auto waits = [&] {
    for (int rank = 1; rank < ranks_.size(); ++rank)
      if (workers_[std::size_t(rank)].busy && !ranks_.lost(rank)) return true;
    return false;
  };
  while (waits()) {
    if (options_.check) options_.check();
    const auto message = ranks_.receive(patience);
    if (!message) continue;
    const auto theirs = greeting_from(message->text);
    if (!theirs) continue;  // a late answer to an evaluator before this one
    const std::string name = fmt::format("rank {}", message->rank);
    const std::string text = differences(fingerprint, "rank 0", *theirs, name);
    if (!text.empty()) fail("{} and rank 0 would not measure the same:{}", name, text);
    workers_[std::size_t(message->rank)].busy = false;
  }
}

std::vector<Measurement> DistributedEvaluator::measure(const std::vector<Candidate>& candidates) {
  return measure_each(candidates,
                      {.begin = [](std::size_t, int) {}, .done = [](std::size_t, const Measurement&) {}});
}

std::vector<Measurement> DistributedEvaluator::measure_each(const std::vector<Candidate>& candidates,
                                                            const MeasureEvents& events) {
  if (ranks_.size() == 1) return local_.measure_each(candidates, events);
  return DistributedBatch(ranks_, local_, options_, workers_, orders_, candidates, events).run();
}

}  // namespace twofour::nas
