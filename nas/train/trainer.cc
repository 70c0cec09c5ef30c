#include "twofour/nas/train/trainer.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

std::string checksum(const std::uint8_t* data, std::size_t size) {
  return fmt::format("{:08x}", crc32(0, data, static_cast<uInt>(size)));
}

std::string describe(const Dataset& d) {
  return fmt::format("{} images {}x{}{}, pixels {}, labels {}", d.count, d.height, d.width,
                     d.channels == 1 ? "" : fmt::format("x{}", d.channels),
                     checksum(d.pixels.data(), d.pixels.size()), checksum(d.labels.data(), d.labels.size()));
}

std::string describe(const Pool& pool) {
  switch (pool.kind) {
    case PoolKind::max: return fmt::format("m{}s{}p{}", pool.kernel, pool.stride, pool.pad);
    case PoolKind::global_average: return "g";
    case PoolKind::none: break;
  }
  return "";
}

const char* name(MaskRule rule) {
  switch (rule) {
    case MaskRule::fixed: return "fixed";
    case MaskRule::annealed: return "annealed";
    default: return "SR-STE";
  }
}

const char* name(StepRule rule) {
  switch (rule) {
    case StepRule::least_square: return "least square";
    case StepRule::wrpn: return "WRPN";
    default: return "learned";
  }
}

const char* name(Distillation distillation) {
  switch (distillation) {
    case Distillation::joint: return "joint";
    case Distillation::fixed: return "fixed teacher";
    default: return "none";
  }
}

std::string join(const std::vector<Option>& options) {
  std::vector<std::string_view> names;
  for (Option o : options) names.push_back(name(o));
  return fmt::format("{}", fmt::join(names, " "));
}

/// A negative gain is moved into the weights: FixedScale is positive.
constexpr double stream_one = 1 << stream_fraction_bits;
constexpr double least_factor = 1.0 / (1u << 31);  ///< below it an accumulator adds less than one word

std::int32_t stream_word(double value) {
  const double word = std::nearbyint(value * stream_one);
  return static_cast<std::int32_t>(std::min(std::max(word, double(INT32_MIN)), double(INT32_MAX)));
}

void deploy_integers(DeployedLayer& out, const LayerExport& in, std::int64_t k) {
  const bool single_bit = info(out.option).weight_bits == 1;
  out.input_scale = FixedScale::of(1.0 / (in.input_step * stream_one));
  for (std::int64_t c = 0; c < out.weights.rows(); ++c) {
    const double factor =
        in.gain[std::size_t(c)] * in.weight_step[std::size_t(c)] * in.input_step * stream_one;
    const int sign = factor < 0 ? -1 : 1;
    out.output_scale.push_back(FixedScale::of(std::max(std::abs(factor), least_factor)));
    for (std::int64_t i = 0; i < k; ++i) {
      const int code = sign * in.codes[std::size_t(c * k + i)];
      out.weights.set_integer(c, i, single_bit ? code > 0 : code);
    }
  }
}

void deploy_halves(DeployedLayer& out, const LayerExport& in, std::int64_t k) {
  for (std::int64_t c = 0; c < out.weights.rows(); ++c) {
    out.float_scale.push_back(in.gain[std::size_t(c)] * stream_one);
    for (std::int64_t i = 0; i < k; ++i) out.weights.set_bits(c, i, in.halves[std::size_t(c * k + i)]);
  }
}

}  // namespace

Quantiser quantiser(Option option) {
  const OptionInfo& o = info(option);
  switch (o.weight) {
    case isa::ElementType::f16: return {Precision::f16, o.sparse};
    case isa::ElementType::bf16: return {Precision::bf16, o.sparse};
    case isa::ElementType::tf32: return {Precision::tf32, o.sparse};
    default: return integer_quantiser(o.weight_bits, o.activation_bits, o.sparse);
  }
}

std::vector<Quantiser> quantisers(const std::vector<Option>& options, StepRule steps) {
  std::vector<Quantiser> list;
  for (Option o : options) {
    list.push_back(quantiser(o));
    list.back().steps = steps;
  }
  return list;
}

std::string describe(const Network& network) {
  constexpr std::string_view activations[] = {"", "+", "6"};
  std::string text = network.name;
  for (const Layer& l : network.layers) {
    const auto& s = l.shape;
    text += fmt::format(" {}:{}x{}x{}-{}k{}s{}p{}i{}r{}{}{}{}{}", l.name, s.height, s.width, s.in_channels,
                        s.out_channels, s.kernel_h, s.stride, s.pad, l.input, l.residual,
                        describe(l.residual_pool), activations[std::size_t(l.activation)], describe(l.pool),
                        l.depthwise() ? "d" : "");
  }
  return text;
}

std::string describe(const TrainPlan& p) {
  return fmt::format(
      "{} epochs of {} images, batch {}, rate {}, warm-up {}, decay {}, smoothing {}, flip {}, shift {}, "
      "seed {}, masks {}, distillation {}",
      p.epochs, p.images_per_epoch, p.batch, p.peak_rate, p.warmup, p.weight_decay, p.label_smoothing, p.flip,
      p.shift, p.seed, name(p.masks), name(p.distillation));
}

ModelSpec model_spec(const Network& network) {
  if (network.layers.empty()) fail("network {} has no layers", network.name);
  ModelSpec spec{network.name, int(network.layers[0].shape.height), int(network.layers[0].shape.width), {}};
  for (const Layer& l : network.layers) {
    if (l.shape.kernel_h != l.shape.kernel_w) fail("layer {}: only square kernels can be trained", l.name);
    spec.layers.push_back({l.name, int(l.shape.in_channels), int(l.shape.out_channels), int(l.shape.kernel_h),
                           int(l.shape.stride), int(l.shape.pad), l.input, l.residual, l.activation, l.pool,
                           int(l.groups), l.residual_pool});
  }
  return spec;
}

std::string short_name(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [key, value] : fingerprint) text += key + "=" + value + "\n";
  return checksum(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

DeployedLayer deploy_layer(const Layer& layer, Option option, const LayerExport& exported) {
  const std::int64_t k = layer.weight_columns();
  DeployedLayer out;
  out.option = option;
  out.weights = emu::PackedMatrix(stored_weights(option), layer.shape.out_channels, k);
  if (isa::is_float(info(option).weight))
    deploy_halves(out, exported, k);
  else
    deploy_integers(out, exported, k);
  for (double offset : exported.offset) out.bias.push_back(stream_word(offset));
  return out;
}

std::vector<std::int32_t> stream_words(const Dataset& images) {
  std::vector<std::int32_t> words;
  words.reserve(images.pixels.size());
  for (std::uint8_t p : images.pixels) words.push_back(stream_word(p / 255.0));
  return words;
}

Trainer::Trainer(Network network, Recipe recipe, Dataset train, Dataset heldout, std::string directory)
    : network_(std::move(network)),
      recipe_(std::move(recipe)),
      train_(std::move(train)),
      heldout_(std::move(heldout)),
      directory_(std::move(directory)),
      engine_(std::make_unique<Engine>(model_spec(network_), recipe_.seed, recipe_.threads)) {}

Trainer::Trainer(Network network, Recipe recipe, Dataset train, Dataset heldout, std::string directory,
                 const StartWeights& start)
    : Trainer(std::move(network), std::move(recipe), std::move(train), std::move(heldout),
              std::move(directory)) {
  start_ = start.name;
  engine_ = start.weights->part(model_spec(network_));
  if (start.shared) engine_->retune_batch_norm(calibration_images());
}

Fingerprint Trainer::dense_fingerprint() const {
  return {{"format", "1"},
          {"network", describe(network_)},
          {"training set", describe(train_)},
          {"seed", std::to_string(recipe_.seed)},
          {"start", start_},
          {"plan", describe(recipe_.dense)}};
}

std::vector<EpochRecord> Trainer::train() {
  fingerprint_ = dense_fingerprint();
  options_.clear();
  return engine_->train(recipe_.dense, train_, heldout_, dense_checkpoint(), fingerprint_, "training");
}

Dataset Trainer::calibration_images() const {
  return slice(train_, 0, std::min(train_.count, recipe_.calibration_images));
}

void Trainer::load_dense() {
  engine_->load_weights(dense_checkpoint(), dense_fingerprint());
  engine_->calibrate(calibration_images());
}

Engine& Trainer::teacher() {
  if (!teacher_) {
    teacher_ = std::make_unique<Engine>(model_spec(network_), recipe_.seed, recipe_.threads);
    teacher_->load_weights(dense_checkpoint(), dense_fingerprint());
  }
  return *teacher_;
}

std::vector<EpochRecord> Trainer::fine_tune(const std::vector<Option>& options) {
  TrainPlan plan = recipe_.fine_tune;
  if (recipe_.distil) plan.distillation = Distillation::fixed;
  fingerprint_ = dense_fingerprint();
  fingerprint_.emplace_back("options", join(options));
  fingerprint_.emplace_back("fine-tuning", describe(plan));
  fingerprint_.emplace_back("steps", name(recipe_.steps));
  fingerprint_.emplace_back("calibration images", std::to_string(recipe_.calibration_images));
  options_ = options;
  load_dense();
  engine_->set_quantisers(quantisers(options, recipe_.steps));
  return engine_->train(plan, train_, heldout_,
                        directory_ + "/finetune-" + short_name(fingerprint_) + ".ckpt", fingerprint_,
                        "fine-tuning", recipe_.distil ? &teacher() : nullptr);
}

DeployedNetwork Trainer::export_network() {
  if (options_.size() != network_.layers.size())
    fail("network {}: fine-tune it before it is exported", network_.name);
  DeployedNetwork out{network_, {}};
  for (std::size_t i = 0; i < options_.size(); ++i)
    out.layers.push_back(deploy_layer(network_.layers[i], options_[i], engine_->export_layer(int(i))));
  return out;
}

}  // namespace twofour::nas
