#include "twofour/nas/train/post_training.h"

#include <chrono>

#include "twofour/isa/error.h"
#include "twofour/nas/compress/obs.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/layerwise_pass.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

isa::Sparsity form_of(Option option) {
  return info(option).sparse ? instruction_of(option).sparsity : isa::Sparsity::dense;
}

void check(const Network& network, const std::vector<Option>& options) {
  if (options.size() != network.layers.size())
    fail("{}: options of {} layers for {}", network.name, options.size(), network.layers.size());
  for (std::size_t i = 0; i < options.size(); ++i)
    if (info(options[i]).sparse && !network.layers[i].sparse_legal())
      fail("{}, layer {}: {} is not legal; choose a dense option", network.name, network.layers[i].name,
           name(options[i]));
}

/// Gives the weights back unless it is told that all went well.
class Backup {
 public:
  Backup(Engine& engine, std::size_t layers) : engine_(engine) {
    for (std::size_t i = 0; i < layers; ++i) parameters_.push_back(engine.layer_parameters(int(i)));
  }
  ~Backup() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) engine_.set_layer_parameters(int(i), parameters_[i]);
  }
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;
  void discard() { parameters_.clear(); }

 private:
  Engine& engine_;
  std::vector<LayerParameters> parameters_;
};

std::vector<GroupPermutation> permute(Engine& engine, const Network& network,
                                      const std::vector<Option>& options, PermutationSettings settings) {
  settings.stop = interrupted;
  std::vector<LayerWeights> weights;
  std::vector<isa::Sparsity> forms;
  for (std::size_t i = 0; i < options.size(); ++i) {
    LayerParameters p = engine.layer_parameters(int(i));
    weights.push_back({std::move(p.weight),
                       {std::move(p.gamma), std::move(p.beta), std::move(p.mean), std::move(p.variance),
                        std::move(p.weight_step)}});
    forms.push_back(form_of(options[i]));
  }
  auto found = permute_network(network, forms, weights, settings);
  check_interrupt();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    auto& c = weights[i].per_channel;
    engine.set_layer_parameters(int(i), {weights[i].weight, c[0], c[1], c[2], c[3], c[4]});
  }
  return found;
}

/// (W - W^) mean(x), a row: what the layer's mean output loses.
std::vector<float> lost_means(const std::vector<float>& before, const std::vector<float>& after,
                              const std::vector<float>& mean) {
  const std::size_t k = mean.size();
  std::vector<float> lost(before.size() / k);
  for (std::size_t row = 0; row < lost.size(); ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i)
      sum += double(before[row * k + i] - after[row * k + i]) * double(mean[i]);
    lost[row] = float(sum);
  }
  return lost;
}

/// Of the weights' sums themselves: the error of pruning everything.
double signal(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments) {
  const auto k = std::size_t(moments.columns);
  double sum = 0;
  for (std::size_t r = 0; r < std::size_t(rows); ++r)
    for (std::size_t i = 0; i < k; ++i) {
      double product = 0;
      for (std::size_t j = 0; j < k; ++j)
        product += double(moments.gram[i * k + j]) * double(weights[r * k + j]);
      sum += product * double(weights[r * k + i]);
    }
  return sum;
}

/// Replaces the weights of the pass's present layer.
LayerError compensate(Engine& engine, const LayerwisePass& pass, const Layer& layer, Option option,
                      double damping) {
  LayerMoments read = pass.input_moments();
  const InputMoments moments = centred({read.columns, std::move(read.gram), read.mean});
  LayerParameters p = engine.layer_parameters(pass.layer());
  const std::int64_t rows = layer.shape.out_channels;
  ObsSettings settings;
  settings.form = form_of(option);
  settings.bits = quantiser(option).weight_bits;
  settings.damping = damping;
  settings.stop = interrupted;
  const ObsResult found = compress_weights(p.weight, rows, moments, settings);
  const double whole = std::max(signal(p.weight, rows, moments), 1e-30);
  const std::vector<float> lost = lost_means(p.weight, found.weights, read.mean);
  for (std::size_t c = 0; c < lost.size(); ++c) {
    if (p.mean.empty())
      p.beta[c] += lost[c];
    else
      p.mean[c] -= lost[c];
  }
  p.weight = found.weights;
  p.weight_step = found.steps;
  engine.set_layer_parameters(pass.layer(), p);
  return {layer.name, found.plain_error / whole, found.error / whole};
}

}  // namespace

PostTrainingResult post_training(Engine& engine, const Network& network, const std::vector<Option>& options,
                                 const Dataset& calibration, const PostTrainingSettings& settings) {
  check(network, options);
  const InterruptGuard guard;
  const auto start = std::chrono::steady_clock::now();
  PostTrainingResult result;
  Backup backup(engine, network.layers.size());
  if (settings.permutation) result.permutations = permute(engine, network, options, settings.search);
  LayerwisePass pass(engine, calibration);
  Progress progress("compressing", std::int64_t(options.size()));
  for (std::size_t i = 0; i < options.size(); ++i) {
    const Layer& layer = network.layers[i];
    const Quantiser q = quantiser(options[i]);
    pass.set_quantiser(q);
    if (settings.obs && !layer.depthwise() && (q.sparse || is_integer(q))) {
      try {
        result.layers.push_back(compensate(engine, pass, layer, options[i], settings.damping));
      } catch (const Error&) {
        check_interrupt();
        throw;
      }
    }
    if (settings.retune) pass.retune_batch_norm();
    pass.advance();
    check_interrupt();
    progress.update(std::int64_t(i + 1), layer.name);
  }
  backup.discard();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace twofour::nas
