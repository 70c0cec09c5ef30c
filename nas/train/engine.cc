#include "twofour/nas/train/engine.h"

#include <torch/torch.h>
#include <zlib.h>

#include <cmath>
#include <thread>

#include "twofour/isa/error.h"
#include "twofour/nas/train/checkpoint.h"
#include "twofour/nas/train/engine_impl.h"
#include "twofour/nas/train/fake_quant.h"
#include "twofour/nas/train/image_tensor.h"
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
  Tensor labels = torch::empty({n}, torch::kLong);
  for (std::int64_t i = 0; i < n; ++i)
    labels.data_ptr<std::int64_t>()[i] = data.labels[std::size_t(first + i)];
  return {pixel_images(data, first, last), labels};
}

void add_score(Score& score, const Tensor& scores, const Tensor& labels) {
  const int n = int(labels.size(0));
  const double loss = torch::cross_entropy_loss(scores, labels).item<double>();
  score.loss = (score.loss * score.images + loss * n) / (score.images + n);
  score.images += n;
  score.correct += scores.argmax(1).eq(labels).sum().item<int>();
}

/// Sets the momentum of a model's batch normalisations back at the end.
struct MomentumGuard {
  explicit MomentumGuard(Model& m) : model(m) {}
  ~MomentumGuard() { model.set_batch_norm_momentum(default_batch_norm_momentum); }
  MomentumGuard(const MomentumGuard&) = delete;
  MomentumGuard& operator=(const MomentumGuard&) = delete;
  Model& model;
};

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

void Engine::keep_steps() {
  impl_->model.keep_steps();
}

void Engine::set_quantisers(const std::vector<Quantiser>& quantisers) {
  if (quantisers.size() != impl_->model.layers().size())
    fail("{} quantisers for the {} layers of {}", quantisers.size(), impl_->model.layers().size(),
         impl_->spec.name);
  for (std::size_t i = 0; i < quantisers.size(); ++i) impl_->model.set_quantiser(i, quantisers[i]);
}

std::vector<EpochRecord> Engine::train(const TrainPlan& plan, const Dataset& images, const Dataset& heldout,
                                       const std::string& checkpoint, const Fingerprint& fingerprint,
                                       const std::string& label, Engine* teacher) {
  impl_->check_images(images);
  Fingerprint whole = fingerprint;
  if (plan.distillation != Distillation::none || teacher != nullptr) {
    check_teacher(plan, teacher);
    teacher->impl_->check_images(images);
    if (plan.distillation == Distillation::fixed) whole.emplace_back("teacher", teacher->checksum());
  }
  return run_training(impl_->model, {plan,
                                     images,
                                     checkpoint,
                                     whole,
                                     label,
                                     [&] { return evaluate(heldout); },
                                     {},
                                     teacher ? &teacher->impl_->model : nullptr});
}

void Engine::check_teacher(const TrainPlan& plan, const Engine* teacher) const {
  if (plan.distillation == Distillation::none) fail("a teacher was given, but the plan says no distillation");
  if (teacher == nullptr) fail("the plan says distillation, but no teacher was given");
  if (teacher == this) fail("network {} cannot be its own teacher: give another engine", impl_->spec.name);
  const int classes = impl_->spec.layers.back().out_channels,
            known = teacher->impl_->spec.layers.back().out_channels;
  if (classes != known)
    fail("teacher {} knows {} classes, {} knows {}: they must be the same", teacher->impl_->spec.name, known,
         impl_->spec.name, classes);
  for (float value : teacher->state())
    if (!std::isfinite(value))
      fail("teacher {} has weights that are not finite: train it again", teacher->impl_->spec.name);
}

void Engine::retune_batch_norm(const Dataset& images) {
  impl_->check_images(images);
  if (images.count < 2) fail("batch normalisation needs 2 images or more, not {}", images.count);
  const torch::NoGradGuard no_grad;
  Model& model = impl_->model;
  const MomentumGuard guard(model);
  for (ModelLayer& layer : model.layers())
    if (layer.normalised()) layer.mean.zero_(), layer.variance.zero_();  // NaN times 0 would stay
  const std::int64_t batches = (images.count + evaluation_batch - 1) / evaluation_batch;
  for (std::int64_t b = 0; b < batches; ++b) {
    const int first = int(images.count * b / batches), last = int(images.count * (b + 1) / batches);
    model.set_batch_norm_momentum(double(last - first) / last);
    model.forward(plain_batch(images, first, last).images, true);
  }
}

void Engine::load_weights(const std::string& checkpoint, const Fingerprint& fingerprint) {
  load_checkpoint(checkpoint, fingerprint, impl_->model.named_tensors(), nullptr);
}

void Engine::import_checkpoint(const std::string& checkpoint) {
  constexpr std::string_view step = "_step";
  NamedTensors wanted;
  for (const auto& named : impl_->model.named_tensors())
    if (named.first.rfind(step) != named.first.size() - step.size()) wanted.push_back(named);
  import_tensors(checkpoint, impl_->spec.name, wanted);
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

std::string Engine::checksum() const {
  const std::vector<float> all = state();
  const auto* bytes = reinterpret_cast<const Bytef*>(all.data());
  return fmt::format("{:08x}", crc32_z(0, bytes, all.size() * sizeof(float)));
}

}  // namespace twofour::nas
