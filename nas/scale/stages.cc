#include "twofour/nas/scale/stages.h"

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

constexpr auto patience = std::chrono::milliseconds(100);

std::string finished(const std::string& stage) {
  return "finished " + stage;
}

}  // namespace

void Stages::wait(const std::string& stage) {
  if (ranks_.rank() == 0) return;
  while (!ranks_.ended()) {
    if (ranks_.lost(0))
      fail("rank {}: {}; start the same command again to go on", ranks_.rank(), ranks_.loss(0));
    const auto message = ranks_.receive(patience);
    if (message && message->text == finished(stage)) return;
  }
  fail("rank {}: rank 0 ended before it finished \"{}\"", ranks_.rank(), stage);
}

void Stages::wait_for_end() {
  if (ranks_.rank() == 0) return;
  while (!ranks_.ended() && !ranks_.lost(0)) ranks_.receive(patience);
}

void Stages::finish(const std::string& stage) {
  if (ranks_.rank() != 0) return;
  for (int rank = 1; rank < ranks_.size(); ++rank)
    if (!ranks_.lost(rank)) ranks_.send(rank, finished(stage));
}

}  // namespace twofour::nas
