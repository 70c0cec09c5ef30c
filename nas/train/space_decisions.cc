#include "twofour/nas/train/space_decisions.h"

#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

SupernetDecision::Kind kind_of(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::option: return SupernetDecision::Kind::option;
    case DecisionKind::kernel: return SupernetDecision::Kind::kernel;
    case DecisionKind::width: break;
  }
  return SupernetDecision::Kind::width;
}

}  // namespace

std::vector<SupernetDecision> supernet_decisions(const Space& space) {
  std::vector<SupernetDecision> decisions;
  for (const Decision& d : space.decisions) {
    SupernetDecision out{kind_of(d.kind), d.name, d.layers, {}, d.sizes};
    for (Option option : d.options) out.quantisers.push_back(quantiser(option));
    decisions.push_back(out);
  }
  return decisions;
}

}  // namespace twofour::nas
