#include "twofour/nas/train/deployment_check.h"

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/stage_cache.h"

namespace twofour::nas {
namespace {

constexpr int batch = 125;  ///< images at a time: bounds the memory of the kept results

struct Tally {
  Comparison total;
  std::int64_t correct = 0;
};

void add(Tally& tally, const Comparison& part) {
  tally.total.compared += part.compared;
  tally.total.differing += part.differing;
  tally.total.differing_per_layer.resize(part.differing_per_layer.size());
  for (std::size_t i = 0; i < part.differing_per_layer.size(); ++i)
    tally.total.differing_per_layer[i] += part.differing_per_layer[i];
}

Tally run(const DeployedNetwork& network, const Dataset& images) {
  const InterruptGuard guard;
  Tally tally;
  Progress progress("emulating and checking", images.count);
  for (int first = 0; first < images.count; first += batch) {
    const Dataset part = slice(images, first, std::min(batch, images.count - first));
    const auto words = stream_words(part);
    const auto emulated = run_emulated(network, words, part.count);
    tally.correct += count_correct(emulated.back().output, part);
    add(tally, compare(emulated, run_reference(network, words, part.count)));
    check_interrupt();
    progress.update(first + part.count);
  }
  return tally;
}

}  // namespace

int count_correct(const std::vector<std::int32_t>& scores, const Dataset& images) {
  const std::size_t classes = scores.size() / std::size_t(images.count);
  int correct = 0;
  for (int i = 0; i < images.count; ++i) {
    const auto row = scores.begin() + std::ptrdiff_t(std::size_t(i) * classes);
    correct += std::max_element(row, row + std::ptrdiff_t(classes)) - row == images.labels[std::size_t(i)];
  }
  return correct;
}

OutputCheck check_deployment(const DeployedNetwork& network, const Dataset& images, const std::string& cache,
                             const Fingerprint& fingerprint) {
  Fingerprint key = fingerprint;
  key.emplace_back("checked images", std::to_string(images.count));
  std::vector<double> numbers = load_numbers(cache, key);
  if (numbers.empty()) {
    const Tally tally = run(network, images);
    for (std::size_t i = 0; i < tally.total.differing_per_layer.size(); ++i)
      if (tally.total.differing_per_layer[i] > 0)
        fmt::print(stderr, "layer {}: {} words differ\n", network.network.layers[i].name,
                   tally.total.differing_per_layer[i]);
    numbers = {double(tally.total.compared), double(tally.total.differing), double(tally.correct)};
    store_numbers(cache, key, numbers);
  }
  return {images.count, std::int64_t(numbers[0]), std::int64_t(numbers[1]), numbers[2] / images.count};
}

}  // namespace twofour::nas
