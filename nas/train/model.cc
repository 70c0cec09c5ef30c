#include "twofour/nas/train/model.h"

#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/train/fake_quant.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr double batch_norm_momentum = 0.1;
constexpr float least_step = 1e-6f;

ModelLayer make_layer(const LayerSpec& spec, bool last) {
  ModelLayer layer;
  layer.spec = spec;
  const double deviation = std::sqrt(2.0 / (double(spec.out_channels) * spec.kernel * spec.kernel));
  layer.weight = (torch::randn({spec.out_channels, spec.in_channels, spec.kernel, spec.kernel}) * deviation)
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

}  // namespace

Model::Model(const ModelSpec& spec, std::uint64_t seed) {
  torch::manual_seed(seed);
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    layers_.push_back(make_layer(spec.layers[i], i + 1 == spec.layers.size()));
}

Tensor Model::layer_input(std::size_t index, const std::vector<Tensor>& tensors) const {
  const LayerSpec& spec = layers_[index].spec;
  const Tensor& x = tensors[std::size_t(spec.input)];
  return spec.pool.kind == PoolKind::global_average ? x.mean({2, 3}, true) : x;
}

Tensor Model::run_layer(std::size_t index, const std::vector<Tensor>& tensors, bool training) {
  ModelLayer& layer = layers_[index];
  const LayerSpec& spec = layer.spec;
  const Tensor x = quantise_input(layer_input(index, tensors), layer.input_step, layer.quantiser);
  const Tensor w = quantise_weight(layer.weight, layer.weight_step, layer.quantiser);
  Tensor y = torch::conv2d(x, w, layer.normalised() ? Tensor() : layer.beta, spec.stride, spec.pad);
  if (layer.normalised())
    y = torch::batch_norm(y, layer.gamma, layer.beta, layer.mean, layer.variance, training,
                          batch_norm_momentum, batch_norm_epsilon, false);
  if (spec.residual >= 0) y = y + tensors[std::size_t(spec.residual)];
  return spec.activation == Activation::relu ? torch::relu_(y) : y;
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
  const torch::NoGradGuard no_grad;
  if (layer.spec.input == 0)
    layer.input_step.fill_(1.0 / activation_levels(q));  // images lie in 0..1
  else if (layer.sample.empty())
    fail("layer {}: integers were asked for before the network was calibrated", layer.spec.name);
  else
    layer.input_step.fill_(
        best_step(layer.sample.data(), std::int64_t(layer.sample.size()), activation_levels(q), false));
  const std::int64_t rows = layer.weight.size(0), k = layer.weight.numel() / rows;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::vector<float> masked = masked_row(layer.weight.data_ptr<float>() + r * k, k, q);
    layer.weight_step.data_ptr<float>()[r] = best_step(masked.data(), k, weight_levels(q), true);
  }
}

void Model::clamp_steps() {
  const torch::NoGradGuard no_grad;
  for (ModelLayer& l : layers_) {
    l.weight_step.clamp_min_(least_step);
    l.input_step.clamp_min_(least_step);
  }
}

}  // namespace twofour::nas
