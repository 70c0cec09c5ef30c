#include "twofour/nas/train/study_space.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/scale/distributed_evaluator.h"
#include "twofour/nas/search/costs.h"
#include "twofour/nas/search/journal.h"
#include "twofour/nas/search/space_problem.h"
#include "twofour/nas/search/uncertainty.h"
#include "twofour/nas/space/space_file.h"
#include "twofour/nas/train/candidate_evaluator.h"
#include "twofour/nas/train/differentiable_engine.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/shared_weights.h"
#include "twofour/nas/train/study_rows.h"

namespace twofour::nas {
namespace {

std::string text_of(const SpaceChoice& choice) {
  return choice.file.empty() ? default_space_text(choice.group == "MSPS" ? "msps" : "asps")
                             : isa::read_file(choice.file);
}

void check_budgets(const StudySettings& settings, const StudySpace& s, double baseline_us) {
  const double least = s.latency->us(fastest_candidate(s.space, *s.latency, HUGE_VAL)) / baseline_us;
  for (const double budget : settings.budgets)
    if (budget < least)
      fail(
          "a budget of {} is too small for {}: its fastest network takes {:.4f} of the uniform sparse int8 "
          "network's "
          "{:.1f} us; use {:.2f} or more",
          budget, s.group, least, baseline_us, std::ceil(100 * least) / 100);
}

/// A group's name as part of a file's name.
std::string file_name(std::string group) {
  std::ranges::replace(group, '/', '-');
  return group;
}

}  // namespace

std::vector<StudySpace> study_spaces(const StudySettings& settings, const Network& backbone,
                                     const isa::Machine& machine, double baseline_us) {
  std::vector<StudySpace> spaces;
  for (const SpaceChoice& choice : settings.spaces) {
    StudySpace s{choice.group, text_of(choice), {}, nullptr};
    s.space = parse_space(s.text, choice.file.empty() ? "built-in space" : choice.file, backbone);
    s.latency = std::make_unique<SpaceLatency>(s.space, machine, settings.batch);
    check_budgets(settings, s, baseline_us);
    spaces.push_back(std::move(s));
  }
  return spaces;
}

SpaceSearch::SpaceSearch(const StudyContext& context, const StudySpace& space, std::uint64_t seed,
                         const StudyScale& scale, const std::string& folder, Trainer& dense)
    : context_(context),
      group_(space.group),
      space_text_(space.text),
      space_(space.space),
      latency_(*space.latency),
      seed_(seed),
      scale_(scale),
      folder_(folder),
      dense_(dense) {}

SpaceSearch::~SpaceSearch() = default;

bool SpaceSearch::has_sizes() const {
  return std::ranges::any_of(space_.decisions,
                             [](const Decision& d) { return d.kind != DecisionKind::option; });
}

/// Rank 0 trains; the others then find the finished checkpoint.
void SpaceSearch::make_weights() {
  if (!has_sizes()) return;
  const std::string stage = fmt::format("{} weights, seed {}", group_, seed_);
  context_.stages.wait(stage);
  Fingerprint key = dense_.fingerprint();
  key.emplace_back("space", describe(largest_network(space_)));
  key.emplace_back("shared plan", describe(scale_.shared));
  weights_name_ = short_name(key);
  auto trained = train_shared_weights(space_, scale_.shared, context_.settings.threads, context_.data.train,
                                      calibration_images(), context_.data.heldout,
                                      fmt::format("{}/shared-{}.ckpt", folder_, weights_name_), key,
                                      group_ + " shared weights");
  shared_ = std::move(trained.weights);
  context_.stages.finish(stage);
  if (context_.ranks.rank() != 0) return;
  for (const EpochRecord& e : trained.history)
    context_.report.training.push_back(
        {seed_, group_ + " shared weights", e.epoch, e.loss, e.heldout_accuracy});
}

Fingerprint SpaceSearch::fingerprint() const {
  Fingerprint key = dense_.fingerprint();
  key.emplace_back("space", space_text_);
  key.emplace_back("evaluator", CandidateEvaluator::version);
  key.emplace_back("shared weights", weights_name_);
  key.emplace_back("measured images", std::to_string(scale_.measured_images));
  return key;
}

std::vector<ChosenNetwork> SpaceSearch::run() {
  make_weights();
  const Engine& weights = shared_ ? *shared_ : dense_.engine();
  CandidateEvaluator local(space_, weights, calibration_images(),
                           slice(context_.data.heldout, 0, scale_.measured_images));
  if (context_.ranks.rank() != 0) {
    serve(context_.ranks, local, fingerprint());
    return {};
  }
  DistributedEvaluator distributed(context_.ranks, local, fingerprint());
  Journal journal(fmt::format("{}/{}.journal", folder_, file_name(group_)), fingerprint());
  fmt::print(stderr, "{}\n", journal.opening());
  JournalledEvaluator evaluator(journal, distributed);
  return search_all(evaluator);
}

std::vector<ChosenNetwork> SpaceSearch::search_all(JournalledEvaluator& evaluator) {
  fmt::print(stderr, "-- seed {}: {}: costs of every choice alone\n", seed_, group_);
  measure_all_costs(evaluator);
  std::vector<ChosenNetwork> found;
  for (const double budget : context_.settings.budgets)
    for (const std::string& engine : context_.settings.engines)
      found.push_back(search_one(engine, budget, evaluator));
  return found;
}

void SpaceSearch::measure_all_costs(JournalledEvaluator& evaluator) {
  const auto start = std::chrono::steady_clock::now();
  costs_ = measure_costs(space_, uniform_candidate(space_, Option::fp16, Option::fp16), evaluator,
                         [] { check_interrupt(); });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() +
                         evaluator.recalled_seconds();
  context_.report.searches.push_back({seed_, group_, "costs of single choices", 0,
                                      evaluator.measured() + evaluator.recalled(), seconds,
                                      "used by all engines but random and differentiable"});
}

ChosenNetwork SpaceSearch::search_one(const std::string& engine, double budget,
                                      JournalledEvaluator& evaluator) {
  const std::string label = fmt::format("seed {}: {} {} {:.2f}x", seed_, group_, engine, budget);
  Progress progress(label, context_.settings.evaluations);
  const bool measures = engine != "exact" && engine != "differentiable";
  SearchTask task{.space = &space_,
                  .latency = &latency_,
                  .costs = &costs_,
                  .evaluator = &evaluator,
                  .budget_us = budget * context_.baseline_us,
                  .evaluations = context_.settings.evaluations,
                  .seed = seed_,
                  .progress =
                      [&](const SearchProgress& p) {
                        if (measures) progress.update(p.done);
                      },
                  .stop = [] { return interrupted(); }};
  const double recalled_before = evaluator.recalled_seconds();
  SearchResult result = run_engine(engine, task);
  result.seconds += evaluator.recalled_seconds() - recalled_before;
  context_.report.searches.push_back(
      {seed_, group_, engine, budget, result.evaluations, result.seconds, result.note});
  ChosenNetwork chosen{{.seed = seed_, .group = group_, .method = engine, .budget = budget},
                       architecture(space_, result.best.candidate),
                       {}};
  if (has_sizes()) chosen.start = {shared_.get(), weights_name_, true};
  chosen.row.predicted_cost = predicted_cost(costs_, result.best.candidate);
  if (result.best.measured) chosen.row.measured_loss = result.best.measured->loss;
  fmt::print(stderr, "{}: {:.1f} us, {} measured in {:.1f} s{}{}\n", label, result.best.latency_us,
             result.evaluations, result.seconds, result.note.empty() ? "" : ", ", result.note);
  if (result.stopped)
    fmt::print(stderr, "stopped; the best so far:\n{}", nas::space_text(space_, result.best.candidate));
  check_interrupt();
  if (engine == "exact") add_uncertainty(budget, result.best.candidate);
  return chosen;
}

SearchResult SpaceSearch::run_engine(const std::string& engine, const SearchTask& task) {
  if (engine != "differentiable") return make_search_engine(engine)->run(task);
  const Dataset images = slice(context_.data.train, 0, scale_.search_images);
  const int weights = images.count * 4 / 5;
  DifferentiableEngine differentiable(
      shared_ ? *shared_ : dense_.engine(), scale_.search, slice(images, 0, weights),
      slice(images, weights, images.count - weights), calibration_images(), folder_, fingerprint());
  return differentiable.run(task);
}

void SpaceSearch::add_uncertainty(double budget, const Candidate& candidate) {
  for (const BandOutcome& o :
       survives_band(space_, latency_, costs_, budget * context_.baseline_us, candidate))
    context_.report.uncertainty.push_back(
        {seed_, group_, budget, o.name, o.differing, int(space_.decisions.size()), o.regret, o.choice_meets});
}

Dataset SpaceSearch::calibration_images() const {
  return slice(context_.data.train, 0, std::min(context_.data.train.count, scale_.recipe.calibration_images));
}

}  // namespace twofour::nas
