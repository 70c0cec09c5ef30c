#include "twofour/nas/train/differentiable_engine.h"

#include <fmt/format.h>

#include "twofour/nas/train/space_decisions.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

LatencyTerms terms_of(const SearchTask& task, const ModelSpec& spec,
                      const std::vector<SupernetDecision>& decisions) {
  return latency_terms(spec, decisions, [&](int layer, const std::vector<int>& candidate) {
    return task.latency->layer(candidate, layer).microseconds;
  });
}

std::string note(const GumbelResult& result) {
  double seconds = 0;
  for (const GumbelEpoch& e : result.history) seconds += e.cpu_seconds;
  return fmt::format("{} epochs, {:.0f} CPU s; argmax {:.1f} us", result.history.size(), seconds,
                     result.argmax_us);
}

}  // namespace

DifferentiableEngine::DifferentiableEngine(const Engine& weights, GumbelPlan plan, Dataset train,
                                           Dataset alpha, Dataset calibration, std::string folder,
                                           Fingerprint fingerprint)
    : weights_(weights),
      plan_(std::move(plan)),
      train_(std::move(train)),
      alpha_(std::move(alpha)),
      calibration_(std::move(calibration)),
      folder_(std::move(folder)),
      fingerprint_(std::move(fingerprint)) {}

SearchResult DifferentiableEngine::run(const SearchTask& task) {
  const ModelSpec spec = model_spec(largest_network(*task.space));
  const auto supernet = weights_.part(spec);
  supernet->calibrate(calibration_);
  const auto decisions = supernet_decisions(*task.space);
  GumbelPlan plan = plan_;
  plan.target_us = task.budget_us;
  plan.weights.seed = task.seed;
  Fingerprint key = fingerprint_;
  key.emplace_back("budget", fmt::to_string(task.budget_us));
  key.emplace_back("search plan", fmt::format("{}, warm-up {}, tau {} to {}, alpha rate {}, lambda {}",
                                              describe(plan.weights), plan.warmup_epochs, plan.first_tau,
                                              plan.last_tau, plan.alpha_rate, plan.latency_weight));
  const GumbelResult found =
      gumbel_search(*supernet, decisions, terms_of(task, spec, decisions), plan, train_, alpha_,
                    fmt::format("{}/gumbel-{}.ckpt", folder_, short_name(key)), key, "differentiable search");
  SearchTask most_probable = task;
  most_probable.costs = &found.costs;
  most_probable.evaluator = nullptr;
  SearchResult result = make_search_engine("exact")->run(most_probable);
  result.note = note(found);
  result.seconds = 0;
  for (const GumbelEpoch& e : found.history) result.seconds += e.seconds;
  return result;
}

}  // namespace twofour::nas
