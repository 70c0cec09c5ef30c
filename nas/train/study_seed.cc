#include "twofour/nas/train/study_seed.h"

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/stage_cache.h"
#include "twofour/nas/train/study_deploy.h"
#include "twofour/nas/train/study_rows.h"
#include "twofour/nas/train/study_space.h"

namespace twofour::nas {
StudySeed::StudySeed(const StudyContext& context, std::uint64_t seed)
    : context_(context),
      seed_(seed),
      scale_(study_scale(context.settings, seed)),
      folder_(fmt::format("{}/seed-{}", context.settings.out, seed)),
      dense_(study_trainer(context.settings, context.data, context.backbone, seed)) {}

StudySeed::~StudySeed() = default;

void StudySeed::run() {
  train();
  if (context_.ranks.rank() == 0) add_baselines();
  for (const StudySpace& space : context_.spaces) search(space);
  if (context_.ranks.rank() != 0) return;
  for (const ChosenNetwork& chosen : chosen_) finish(chosen);
}

/// Rank 0 trains; the others then find the finished checkpoint.
void StudySeed::train() {
  context_.stages.wait(fmt::format("training, seed {}", seed_));
  const auto history = dense_.train();
  context_.stages.finish(fmt::format("training, seed {}", seed_));
  add_history("fp32", history);
}

void StudySeed::add_baselines() {
  for (const std::string& option : context_.settings.baselines) {
    ChosenNetwork c{
        {.seed = seed_, .group = "uniform", .method = option},
        {context_.backbone, uniform_options(context_.backbone, parse_option(option), Option::int8)},
        {}};
    chosen_.push_back(std::move(c));
  }
}

void StudySeed::search(const StudySpace& space) {
  SpaceSearch searched(context_, space, seed_, scale_, folder_, dense_);
  auto found = searched.run();
  chosen_.insert(chosen_.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  if (auto weights = searched.release_shared_weights()) shared_.push_back(std::move(weights));
}

void StudySeed::finish(const ChosenNetwork& chosen) {
  NetworkRow row = chosen.row;
  const std::string label = name(row);
  fmt::print(stderr, "-- seed {}: {}\n", seed_, label);
  describe_network(row, chosen.architecture, context_.settings.batch, context_.machine);
  std::unique_ptr<Trainer> part;
  if (chosen.start.weights) {
    Recipe recipe = scale_.recipe;
    recipe.dense = scale_.part;
    const std::string folder = made_folder(
        fmt::format("{}/net-{}", folder_, short_name({{"network", describe(chosen.architecture.network)}})));
    part = std::make_unique<Trainer>(chosen.architecture.network, recipe, context_.data.train,
                                     context_.data.heldout, folder, chosen.start);
    add_history(label + ", fp32", part->train());
  }
  Trainer& trainer = part ? *part : dense_;
  const auto history = trainer.fine_tune(chosen.architecture.options);
  add_history(label, history);
  row.heldout_accuracy = history.back().heldout_accuracy;
  row.accuracy = test_accuracy(trainer);
  deploy(row, trainer);
  context_.report.networks.push_back(std::move(row));
}

void StudySeed::add_history(const std::string& run, const std::vector<EpochRecord>& history) {
  for (const EpochRecord& e : history)
    context_.report.training.push_back({seed_, run, e.epoch, e.loss, e.heldout_accuracy});
}

double StudySeed::test_accuracy(Trainer& trainer) {
  Fingerprint key = trainer.fingerprint();
  key.emplace_back("test set", context_.data.description);
  const std::string path = fmt::format("{}/test-{}.json", folder_, short_name(key));
  std::vector<double> numbers = load_numbers(path, key);
  if (numbers.empty()) {
    numbers = {trainer.evaluate(context_.data.test).accuracy()};
    store_numbers(path, key, numbers);
  }
  return numbers[0];
}

void StudySeed::deploy(NetworkRow& row, Trainer& trainer) {
  const DeployedNetwork network = trainer.export_network();
  const int images = std::min(scale_.checked_images, context_.data.test.count);
  check_deployed(row, network, slice(context_.data.test, 0, images), context_.settings.batch,
                 context_.machine, fmt::format("{}/check-{}", folder_, short_name(trainer.fingerprint())),
                 trainer.fingerprint());
  if (row.group == "uniform") return;
  std::string file = name(row);
  std::ranges::replace_if(
      file, [](char c) { return c == ' ' || c == '/'; }, '-');
  export_deployed(network, context_.settings.batch, context_.machine,
                  made_folder(folder_ + "/networks") + "/" + file);
}

}  // namespace twofour::nas
