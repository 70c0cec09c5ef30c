#include "twofour/nas/train/model.h"

#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/train/fake_quant.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr float least_step = 1e-6f;

ModelLayer make_layer(const LayerSpec& spec, bool last) {
  ModelLayer layer;
  layer.spec = spec;
  const int inputs = spec.in_channels / spec.groups;
  const double deviation =
      std::sqrt(2.0 * spec.groups / (double(spec.out_channels) * spec.kernel * spec.kernel));
  layer.weight = (torch::randn({spec.out_channels, inputs, spec.kernel, spec.kernel}) * deviation)
                     .contiguous(torch::MemoryFormat::ChannelsLast)
                     .set_requires_grad(true);
  layer.beta = torch::zeros({spec.out_channels}).set_requires_grad(true);
  if (!last) {
    layer.gamma = torch::ones({spec.out_channels}).set_requires_grad(true);
    layer.mean = torch::zeros({spec.out_channels});
    layer.variance = torch::ones({spec.out_channels});
  }
  layer.weight_step = torch::ones({spec.out_channels}).set_requires_grad(true);
  layer.input_step = torch::ones({1}).set_requires_grad(spec.input != 0);
  return layer;
}

/// Views of the first channels and the centre of the kernel.
ModelLayer part_of(const ModelLayer& whole, const LayerSpec& spec) {
  const LayerSpec& from = whole.spec;
  const std::int64_t cut = (from.kernel - spec.kernel) / 2, rows = spec.out_channels,
                     columns = spec.groups > 1 ? 1 : spec.in_channels;
  if (cut < 0 || (from.kernel - spec.kernel) % 2 != 0 || rows > whole.weight.size(0) ||
      columns > whole.weight.size(1) || spec.input != from.input || spec.residual != from.residual)
    fail("layer {}: {} to {} channels with a {}x{} kernel are no part of {} to {} with {}x{}", spec.name,
         spec.in_channels, spec.out_channels, spec.kernel, spec.kernel, from.in_channels, from.out_channels,
         from.kernel, from.kernel);
  ModelLayer layer = whole;
  layer.spec = spec;
  layer.sample.clear();
  layer.known_steps.clear();
  layer.mask.reset();
  layer.weight = whole.weight.slice(0, 0, rows)
                     .slice(1, 0, columns)
                     .slice(2, cut, cut + spec.kernel)
                     .slice(3, cut, cut + spec.kernel);
  for (Tensor* t : {&layer.gamma, &layer.beta, &layer.mean, &layer.variance, &layer.weight_step})
    if (t->defined()) *t = t->slice(0, 0, rows);
  return layer;
}

void check_bits(const LayerSpec& spec, Quantiser q) {
  for (int bits : {q.weight_bits, q.activation_bits})
    if (bits < 1 || bits > 8)
      fail("layer {}: integers of {} bits were asked for; use 1 to 8", spec.name, bits);
}

Tensor pooled(const Tensor& x, const Pool& pool) {
  switch (pool.kind) {
    case PoolKind::max: return torch::max_pool2d(x, pool.kernel, pool.stride, pool.pad);
    case PoolKind::global_average: return x.mean({2, 3}, true);
    case PoolKind::none: break;
  }
  return x;
}

Tensor activated(Tensor y, Activation activation) {
  switch (activation) {
    case Activation::relu: return torch::relu_(y);
    case Activation::relu6: return torch::hardtanh(y, 0, 6);
    case Activation::none: break;
  }
  return y;
}

}  // namespace

Model::Model(const ModelSpec& spec, std::uint64_t seed) {
  torch::manual_seed(seed);
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    layers_.push_back(make_layer(spec.layers[i], i + 1 == spec.layers.size()));
}

Model Model::part(const ModelSpec& spec) const {
  if (spec.layers.size() != layers_.size())
    fail("network {} is no part of one that has {} layers, not {}", spec.name, layers_.size(),
         spec.layers.size());
  Model model;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    model.layers_.push_back(part_of(layers_[i], spec.layers[i]));
  return model;
}

Model Model::copy() const {
  const torch::NoGradGuard no_grad;
  Model model = *this;
  for (ModelLayer& l : model.layers_)
    for (Tensor* t : {&l.weight, &l.gamma, &l.beta, &l.mean, &l.variance, &l.weight_step, &l.input_step})
      if (t->defined())
        *t = t->detach()
                 .clone(t->dim() == 4 ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous)
                 .set_requires_grad(t->requires_grad());
  return model;
}

Tensor Model::layer_input(std::size_t index, const std::vector<Tensor>& tensors) const {
  const LayerSpec& spec = layers_[index].spec;
  return pooled(tensors[std::size_t(spec.input)], spec.pool);
}

Tensor Model::run_layer(std::size_t index, const std::vector<Tensor>& tensors, bool training) {
  ModelLayer& layer = layers_[index];
  const LayerSpec& spec = layer.spec;
  const Tensor x = quantise_input(layer_input(index, tensors), layer.input_step, layer.quantiser);
  const Tensor w =
      quantise_weight(layer.weight, layer.weight_step, layer.quantiser, {pruned_gradient_, layer.mask});
  Tensor y =
      torch::conv2d(x, w, layer.normalised() ? Tensor() : layer.beta, spec.stride, spec.pad, 1, spec.groups);
  if (layer.normalised())
    y = torch::batch_norm(y, layer.gamma, layer.beta, layer.mean, layer.variance, training,
                          batch_norm_momentum_, batch_norm_epsilon, false);
  if (spec.residual >= 0) y = y + pooled(tensors[std::size_t(spec.residual)], spec.residual_pool);
  return activated(y, spec.activation);
}

std::vector<Tensor> Model::forward_all(const Tensor& images, bool training) {
  std::vector<Tensor> tensors{images};
  for (std::size_t i = 0; i < layers_.size(); ++i) tensors.push_back(run_layer(i, tensors, training));
  return tensors;
}

Tensor Model::forward(const Tensor& images, bool training) {
  return forward_all(images, training).back().flatten(1);
}

Tensor Model::forward_from(std::vector<Tensor> tensors, std::size_t first) {
  tensors.resize(first + 1);
  for (std::size_t i = first; i < layers_.size(); ++i) tensors.push_back(run_layer(i, tensors, false));
  return tensors.back().flatten(1);
}

std::vector<std::pair<std::string, Tensor>> Model::named_tensors() const {
  std::vector<std::pair<std::string, Tensor>> named;
  for (const ModelLayer& l : layers_) {
    const auto add = [&](const char* field, const Tensor& t) {
      if (t.defined()) named.emplace_back(l.spec.name + "/" + field, t);
    };
    add("weight", l.weight);
    add("gamma", l.gamma);
    add("beta", l.beta);
    add("mean", l.mean);
    add("variance", l.variance);
    add("weight_step", l.weight_step);
    add("input_step", l.input_step);
    add("mask", l.mask);
  }
  return named;
}

std::vector<Tensor> Model::decayed_parameters() const {
  std::vector<Tensor> parameters;
  for (const ModelLayer& l : layers_) parameters.push_back(l.weight);
  return parameters;
}

std::vector<Tensor> Model::other_parameters() const {
  std::vector<Tensor> parameters;
  for (const ModelLayer& l : layers_)
    for (const Tensor& t : {l.gamma, l.beta, l.weight_step, l.input_step})
      if (t.defined() && t.requires_grad()) parameters.push_back(t);
  return parameters;
}

void Model::set_quantiser(std::size_t index, Quantiser q) {
  ModelLayer& layer = layers_[index];
  layer.quantiser = q;
  if (!is_integer(q)) return;
  check_bits(layer.spec, q);
  const torch::NoGradGuard no_grad;
  layer.weight_step.set_requires_grad(q.steps == StepRule::learned);
  layer.input_step.set_requires_grad(q.steps == StepRule::learned && layer.spec.input != 0);
  for (const KnownSteps& known : layer.known_steps)
    if (known.quantiser == q) {
      layer.weight_step.copy_(known.weight_step);
      layer.input_step.copy_(known.input_step);
      return;
    }
  compute_steps(layer);
  if (keeps_steps_) layer.known_steps.push_back({q, layer.weight_step.clone(), layer.input_step.clone()});
}

void Model::compute_steps(ModelLayer& layer) {
  const Quantiser q = layer.quantiser;
  if (layer.spec.input == 0)
    layer.input_step.fill_(1.0 / activation_levels(q));  // images lie in 0..1
  else if (layer.sample.empty())
    fail("layer {}: integers were asked for before the network was calibrated", layer.spec.name);
  else
    layer.input_step.fill_(activation_step(layer.sample, q));
  const Tensor weight = layer.weight.contiguous(torch::MemoryFormat::ChannelsLast);
  const std::int64_t rows = weight.size(0), k = weight.numel() / rows;
  at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      layer.weight_step.data_ptr<float>()[r] = weight_step(weight.data_ptr<float>() + r * k, k, q);
  });
}

void Model::clamp_steps() {
  const torch::NoGradGuard no_grad;
  for (ModelLayer& l : layers_) {
    l.weight_step.clamp_min_(least_step);
    l.input_step.clamp_min_(least_step);
  }
}

}  // namespace twofour::nas
