#include "twofour/isa/error.h"
#include "twofour/nas/scale/distributed_evaluator.h"
#include "twofour/nas/scale/measure_order.h"

namespace twofour::nas {
namespace {

constexpr auto patience = std::chrono::milliseconds(100);

MeasureAnswer answer(Evaluator& local, const MeasureOrder& order) {
  try {
    return {order.number, local.measure({order.candidate}).at(0)};
  } catch (const std::exception& error) {
    return {order.number, std::string(error.what())};
  }
}

}  // namespace

void serve(Ranks& ranks, Evaluator& local, const Fingerprint& fingerprint) {
  ranks.send(0, greeting(fingerprint));
  while (!ranks.ended()) {
    if (ranks.lost(0))
      fail("rank {}: {}; start the same command again to go on", ranks.rank(), ranks.loss(0));
    const auto message = ranks.receive(patience);
    if (!message) continue;
    if (message->text == no_more) return;
    ranks.send(0, to_text(answer(local, order_from(message->text))));
  }
}

}  // namespace twofour::nas
