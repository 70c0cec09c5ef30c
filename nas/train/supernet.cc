#include "twofour/nas/train/supernet.h"

#include <algorithm>

#include "twofour/nas/train/mixed_quant.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr double batch_norm_momentum = 0.1;
constexpr float least_step = 1e-6f;

/// What the quantiser does to activations, and nothing else.
Quantiser activation_form(Quantiser q) {
  q.sparse = false;
  q.weight_bits = q.activation_bits;
  return q;
}

/// sizes x (R * S): 1 in the centre.
Tensor centre_masks(const std::vector<int>& sizes, int kernel) {
  Tensor masks = torch::zeros({std::int64_t(sizes.size()), kernel, kernel});
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const int first = (kernel - sizes[i]) / 2;
    masks[std::int64_t(i)].slice(0, first, first + sizes[i]).slice(1, first, first + sizes[i]).fill_(1);
  }
  return masks.flatten(1);
}

/// sizes x channels: 1 in the first ones.
Tensor prefix_masks(const std::vector<int>& sizes, int channels) {
  Tensor masks = torch::zeros({std::int64_t(sizes.size()), channels});
  for (std::size_t i = 0; i < sizes.size(); ++i) masks[std::int64_t(i)].slice(0, 0, sizes[i]).fill_(1);
  return masks;
}

Tensor activate(Tensor y, Activation activation) {
  switch (activation) {
    case Activation::none: break;
    case Activation::relu: return torch::relu_(y);
    case Activation::relu6: return torch::clamp(y, 0, 6);
  }
  return y;
}

}  // namespace

Supernet::Supernet(Model& model, std::vector<SupernetDecision> decisions)
    : model_(model), decisions_(std::move(decisions)) {
  for (std::size_t i = 0; i < model_.layers().size(); ++i) layers_.push_back(make_layer(i));
}

Supernet::Layer Supernet::make_layer(std::size_t index) {
  const ModelLayer& from = model_.layers()[index];
  Layer layer;
  for (std::size_t d = 0; d < decisions_.size(); ++d) {
    const SupernetDecision& decision = decisions_[d];
    if (std::find(decision.layers.begin(), decision.layers.end(), int(index)) == decision.layers.end())
      continue;
    switch (decision.kind) {
      case SupernetDecision::Kind::option:
        layer.option = int(d);
        layer.quantisers = decision.quantisers;
        break;
      case SupernetDecision::Kind::kernel:
        layer.kernel = int(d);
        layer.kernel_masks = centre_masks(decision.sizes, from.spec.kernel);
        break;
      case SupernetDecision::Kind::width:
        layer.width = int(d);
        layer.width_masks = prefix_masks(decision.sizes, from.spec.out_channels);
        break;
    }
  }
  set_steps(index, layer);
  return layer;
}

void Supernet::set_steps(std::size_t index, Layer& layer) {
  const ModelLayer& from = model_.layers()[index];
  const std::int64_t options = std::int64_t(layer.quantisers.size());
  std::vector<Tensor> weight_steps, input_steps;
  std::vector<std::int64_t> form_of;
  for (Quantiser q : layer.quantisers) {
    model_.set_quantiser(index, q);
    const bool integer = is_integer(q);
    weight_steps.push_back(integer ? from.weight_step.detach().clone() : torch::ones_like(from.weight_step));
    const auto found = std::find(layer.forms.begin(), layer.forms.end(), activation_form(q));
    form_of.push_back(found - layer.forms.begin());
    if (found != layer.forms.end()) continue;
    layer.forms.push_back(activation_form(q));
    input_steps.push_back(integer ? from.input_step.detach().clone() : torch::ones({1}));
  }
  model_.set_quantiser(index, {});
  layer.sharing = torch::zeros({std::int64_t(layer.forms.size()), options});
  for (std::int64_t o = 0; o < options; ++o) layer.sharing[form_of[std::size_t(o)]][o] = 1;
  layer.weight_steps = torch::stack(weight_steps).detach().set_requires_grad(true);
  layer.input_steps = torch::cat(input_steps).detach().set_requires_grad(from.spec.input != 0);
}

Tensor Supernet::run_layer(std::size_t index, const std::vector<Tensor>& tensors,
                           const std::vector<Tensor>& shares, Phase phase) {
  const Layer& layer = layers_[index];
  const ModelLayer& from = model_.layers()[index];
  const LayerSpec& spec = from.spec;
  const auto parameter = [&](const Tensor& t) { return phase == Phase::weights ? t : t.detach(); };
  const Tensor& option_shares = shares[std::size_t(layer.option)];
  const Tensor x = mix_inputs(model_.layer_input(index, tensors), torch::mv(layer.sharing, option_shares),
                              parameter(layer.input_steps), layer.forms);
  Tensor w =
      mix_weights(parameter(from.weight), option_shares, parameter(layer.weight_steps), layer.quantisers);
  if (layer.kernel >= 0)
    w = w * torch::matmul(shares[std::size_t(layer.kernel)], layer.kernel_masks)
                .view({1, 1, spec.kernel, spec.kernel});
  Tensor y = torch::conv2d(x, w, from.normalised() ? Tensor() : parameter(from.beta), spec.stride, spec.pad,
                           1, spec.groups);
  if (from.normalised()) {
    const bool running = phase != Phase::shares;
    y = torch::batch_norm(y, parameter(from.gamma), parameter(from.beta), running ? from.mean : Tensor(),
                          running ? from.variance : Tensor(), phase != Phase::evaluation, batch_norm_momentum,
                          batch_norm_epsilon, false);
  }
  if (layer.width >= 0)
    y = y *
        torch::matmul(shares[std::size_t(layer.width)], layer.width_masks).view({1, spec.out_channels, 1, 1});
  if (spec.residual >= 0) y = y + tensors[std::size_t(spec.residual)];
  return activate(y, spec.activation);
}

Tensor Supernet::forward(const Tensor& images, const std::vector<Tensor>& shares, Phase phase) {
  std::vector<Tensor> tensors{images};
  for (std::size_t i = 0; i < layers_.size(); ++i) tensors.push_back(run_layer(i, tensors, shares, phase));
  return tensors.back().flatten(1);
}

NamedTensors Supernet::named_tensors() const {
  NamedTensors named = model_.named_tensors();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string prefix = model_.layers()[i].spec.name + "/search_";
    named.emplace_back(prefix + "weight_steps", layers_[i].weight_steps);
    named.emplace_back(prefix + "input_steps", layers_[i].input_steps);
  }
  return named;
}

std::vector<Tensor> Supernet::decayed_parameters() const {
  return model_.decayed_parameters();
}

std::vector<Tensor> Supernet::other_parameters() const {
  std::vector<Tensor> parameters;
  for (const ModelLayer& l : model_.layers())
    for (const Tensor& t : {l.gamma, l.beta})
      if (t.defined()) parameters.push_back(t);
  for (const Layer& l : layers_)
    for (const Tensor& t : {l.weight_steps, l.input_steps})
      if (t.requires_grad()) parameters.push_back(t);
  return parameters;
}

void Supernet::clamp_steps() {
  const torch::NoGradGuard no_grad;
  for (Layer& l : layers_) {
    l.weight_steps.clamp_min_(least_step);
    l.input_steps.clamp_min_(least_step);
  }
}

}  // namespace twofour::nas
