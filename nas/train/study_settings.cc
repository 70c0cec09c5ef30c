#include "twofour/nas/train/study_settings.h"

#include <algorithm>
#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_zoo.h"
#include "twofour/nas/train/load_data.h"
#include "twofour/nas/train/weights_file.h"

namespace twofour::nas {
namespace {

constexpr int batch_size = 128;

}  // namespace

StudyScale study_scale(const StudySettings& settings, std::uint64_t seed) {
  StudyScale s;
  s.recipe = {.dense = {.epochs = 4, .batch = batch_size, .peak_rate = 0.3, .shift = 0, .seed = seed},
              .fine_tune = {.epochs = 1,
                            .images_per_epoch = 30000,
                            .batch = batch_size,
                            .peak_rate = 0.02,
                            .shift = 0,
                            .seed = seed},
              .seed = seed,
              .threads = settings.threads};
  if (settings.quick) {
    s.pooled = true;
    s.train_images = 12000, s.heldout_images = 2000, s.test_images = 2000;
    s.measured_images = 500, s.checked_images = 200;
    s.recipe.dense.epochs = 3, s.recipe.dense.peak_rate = 0.1;
    s.recipe.fine_tune.images_per_epoch = 6000;
    s.search_images = 5000;
  }
  s.recipe.fine_tune.masks = settings.masks;
  s.recipe.steps = settings.steps;
  s.recipe.distil = settings.teacher;
  s.shared = s.recipe.dense;
  s.part = s.recipe.dense;
  s.search.alpha_rate = 0.1;                // some tens of steps decide
  s.search.weights = {.epochs = 4, .batch = batch_size, .peak_rate = 0.05, .shift = 0, .seed = seed};
  return s;
}

StudyData study_data(const StudySettings& settings) {
  const StudyScale scale = study_scale(settings, 1);
  LoadedData set = load_data(settings.data);
  const int heldout = std::min(scale.heldout_images, set.train.count / 5);
  const int most = set.train.count - heldout;
  StudyData data{slice(set.train, 0, scale.train_images > 0 ? std::min(scale.train_images, most) : most),
                 slice(set.train, most, heldout),
                 slice(set.test, 0, std::min(scale.test_images, set.test.count)),
                 {}};
  if (scale.pooled)
    for (Dataset* d : {&data.train, &data.heldout, &data.test}) *d = pool_2x2(*d);
  data.description =
      fmt::format("{}, {}x{}: {} training, {} held-out, {} test images", set.name, data.train.height,
                  data.train.width, data.train.count, data.heldout.count, data.test.count);
  return data;
}

Network study_network(const StudySettings& settings, const StudyData& data) {
  return network_by_name(settings.network, data.train.height, data.train.channels, data.train.classes);
}

Trainer study_trainer(const StudySettings& settings, const StudyData& data, const Network& network,
                      std::uint64_t seed) {
  const StudyScale scale = study_scale(settings, seed);
  const std::string folder = made_folder(fmt::format("{}/seed-{}", settings.out, seed));
  if (settings.weights.empty()) return Trainer(network, scale.recipe, data.train, data.heldout, folder);
  Engine start(model_spec(network), seed, settings.threads);
  load_weights_file(start, network, settings.weights);
  Recipe recipe = scale.recipe;
  recipe.dense.epochs = 0;
  return Trainer(network, recipe, data.train, data.heldout, folder, {&start, "weights " + start.checksum()});
}

std::string made_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("{}: the folder cannot be made ({})", path, error.message());
  return path;
}

}  // namespace twofour::nas
