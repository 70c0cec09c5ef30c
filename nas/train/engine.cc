#include "twofour/nas/train/engine.h"

#include <torch/torch.h>

#include <cmath>
#include <thread>

#include "twofour/isa/error.h"
#include "twofour/nas/train/checkpoint.h"
#include "twofour/nas/train/engine_impl.h"
#include "twofour/nas/train/fake_quant.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/training_run.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr int evaluation_batch = 500;
constexpr std::int64_t sample_size = 1 << 16;  ///< values a layer keeps when it is calibrated

struct Batch {
  Tensor images, labels;
};

/// Images [first, last) of the set, pixel / 255.
Batch plain_batch(const Dataset& data, int first, int last) {
  const std::int64_t n = last - first;
  Tensor images = torch::empty({n, 1, data.height, data.width}), labels = torch::empty({n}, torch::kLong);
  const std::uint8_t* from = data.image(first);
  float* to = images.data_ptr<float>();
  for (std::int64_t i = 0; i < images.numel(); ++i) to[i] = float(from[i]) / 255.0f;
  for (std::int64_t i = 0; i < n; ++i)
    labels.data_ptr<std::int64_t>()[i] = data.labels[std::size_t(first + i)];
  return {images, labels};
}

void add_score(Score& score, const Tensor& scores, const Tensor& labels) {
  const int n = int(labels.size(0));
  const double loss = torch::cross_entropy_loss(scores, labels).item<double>();
  score.loss = (score.loss * score.images + loss * n) / (score.images + n);
  score.images += n;
  score.correct += scores.argmax(1).eq(labels).sum().item<int>();
}

}  // namespace

Engine::Engine(ModelSpec spec, std::uint64_t seed, int threads) {
  torch::set_num_threads(threads > 0 ? threads : int(std::max(1u, std::thread::hardware_concurrency())));
  impl_ = std::make_unique<Impl>(std::move(spec), seed);
}

Engine::~Engine() = default;

void Engine::calibrate(const Dataset& images) {
  impl_->check_images(images);
  Model& model = impl_->model;
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < model.layers().size(); ++i) model.set_quantiser(i, {});
  const auto tensors = model.forward_all(plain_batch(images, 0, images.count).images, false);
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Tensor flat = model.layer_input(i, tensors).flatten();
    const std::int64_t stride =
        std::max<std::int64_t>(1, flat.numel() / sample_size) | 1;  // odd: meets every channel
    const Tensor sample = flat.slice(0, 0, flat.numel(), stride).contiguous();
    model.layers()[i].sample.assign(sample.data_ptr<float>(), sample.data_ptr<float>() + sample.numel());
  }
}

void Engine::set_quantisers(const std::vector<Quantiser>& quantisers) {
  if (quantisers.size() != impl_->model.layers().size())
    fail("{} quantisers for the {} layers of {}", quantisers.size(), impl_->model.layers().size(),
         impl_->spec.name);
  for (std::size_t i = 0; i < quantisers.size(); ++i) impl_->model.set_quantiser(i, quantisers[i]);
}

std::vector<EpochRecord> Engine::train(const TrainPlan& plan, const Dataset& images, const Dataset& heldout,
                                       const std::string& checkpoint, const Fingerprint& fingerprint,
                                       const std::string& label) {
  impl_->check_images(images);
  return run_training(impl_->model,
                      {plan, images, checkpoint, fingerprint, label, [&] { return evaluate(heldout); }});
}

void Engine::load_weights(const std::string& checkpoint, const Fingerprint& fingerprint) {
  load_checkpoint(checkpoint, fingerprint, impl_->model.named_tensors(), nullptr);
}

Score Engine::evaluate(const Dataset& images) {
  impl_->check_images(images);
  const torch::NoGradGuard no_grad;
  Score score;
  for (int first = 0; first < images.count; first += evaluation_batch) {
    const Batch batch = plain_batch(images, first, std::min(images.count, first + evaluation_batch));
    add_score(score, impl_->model.forward(batch.images, false), batch.labels);
  }
  return score;
}

Engine::Sensitivity Engine::sensitivity(const Dataset& images,
                                        const std::vector<std::vector<Quantiser>>& options) {
  impl_->check_images(images);
  const torch::NoGradGuard no_grad;
  const InterruptGuard guard;
  Model& model = impl_->model;
  Sensitivity result;
  for (const auto& list : options) result.score.emplace_back(list.size());
  Progress progress("sensitivity", std::int64_t(images.count) * std::int64_t(options.size()));
  for (int first = 0; first < images.count; first += evaluation_batch) {
    const int last = std::min(images.count, first + evaluation_batch);
    const Batch batch = plain_batch(images, first, last);
    for (std::size_t i = 0; i < options.size(); ++i) model.set_quantiser(i, {});
    const auto tensors = model.forward_all(batch.images, false);
    add_score(result.full, tensors.back().flatten(1), batch.labels);
    for (std::size_t i = 0; i < options.size(); ++i) {
      for (std::size_t o = 0; o < options[i].size(); ++o) {
        model.set_quantiser(i, options[i][o]);
        add_score(result.score[i][o], model.forward_from(tensors, i), batch.labels);
      }
      model.set_quantiser(i, {});
      check_interrupt();
      progress.update(std::int64_t(first) * std::int64_t(options.size()) +
                      std::int64_t(last - first) * std::int64_t(i + 1));
    }
  }
  return result;
}

LayerExport Engine::export_layer(int index) {
  const torch::NoGradGuard no_grad;
  const ModelLayer& layer = impl_->model.layers()[std::size_t(index)];
  const Quantiser q = layer.quantiser;
  const std::int64_t rows = layer.weight.size(0), k = layer.weight.numel() / rows;
  LayerExport out;
  out.quantiser = q;
  std::vector<float> codes(std::size_t(k), 0.0f);
  for (std::int64_t r = 0; r < rows; ++r) {
    weight_codes(layer.weight.data_ptr<float>() + r * k, k, layer.weight_step.data_ptr<float>()[r], q,
                 codes.data());
    for (float c : codes) {
      if (is_integer(q)) out.codes.push_back(static_cast<std::int8_t>(c));
      if (q.precision == Precision::f16) out.halves.push_back(static_cast<c10::Half>(c).x);
    }
    const double beta = layer.beta.data_ptr<float>()[r];
    double gain = 1, mean = 0;
    if (layer.normalised()) {
      gain = layer.gamma.data_ptr<float>()[r] /
             std::sqrt(double(layer.variance.data_ptr<float>()[r]) + batch_norm_epsilon);
      mean = layer.mean.data_ptr<float>()[r];
    }
    out.gain.push_back(gain);
    out.offset.push_back(beta - mean * gain);
    if (is_integer(q)) out.weight_step.push_back(layer.weight_step.data_ptr<float>()[r]);
  }
  if (is_integer(q)) out.input_step = layer.input_step.item<float>();
  return out;
}

std::vector<std::vector<float>> Engine::input_codes(const Dataset& images) {
  const torch::NoGradGuard no_grad;
  Model& model = impl_->model;
  const auto tensors = model.forward_all(plain_batch(images, 0, images.count).images, false);
  std::vector<std::vector<float>> codes;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const ModelLayer& layer = model.layers()[i];
    codes.emplace_back();
    if (!is_integer(layer.quantiser)) continue;
    const Tensor x = model.layer_input(i, tensors).permute({0, 2, 3, 1}).contiguous();
    const float inverse = 1 / layer.input_step.item<float>(),
                levels = float(activation_levels(layer.quantiser));
    for (std::int64_t j = 0; j < x.numel(); ++j)
      codes.back().push_back(activation_code(x.data_ptr<float>()[j], inverse, levels));
  }
  return codes;
}

std::vector<float> Engine::state() const {
  std::vector<float> all;
  for (const auto& [name, tensor] : impl_->model.named_tensors()) {
    const Tensor t = tensor.detach().contiguous();
    all.insert(all.end(), t.data_ptr<float>(), t.data_ptr<float>() + t.numel());
  }
  return all;
}

}  // namespace twofour::nas
