#include <torch/torch.h>

#include "twofour/isa/error.h"
#include "twofour/nas/train/engine_impl.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

/// In memory order: of weights O, r, s, c.
std::vector<float> values_of(const Tensor& t) {
  if (!t.defined()) return {};
  const float* data = t.data_ptr<float>();
  return std::vector<float>(data, data + t.numel());
}

void take(const Tensor& to, const std::vector<float>& values, const char* what, const std::string& layer) {
  if (values.empty()) return;
  if (!to.defined() || to.numel() != std::int64_t(values.size()))
    fail("layer {}: {} values for {}, which has {}", layer, values.size(), what,
         to.defined() ? to.numel() : 0);
  std::copy(values.begin(), values.end(), to.data_ptr<float>());
}

}  // namespace

LayerParameters Engine::layer_parameters(int index) const {
  const ModelLayer& l = impl_->model.layers().at(std::size_t(index));
  return {values_of(l.weight), values_of(l.gamma),    values_of(l.beta),
          values_of(l.mean),   values_of(l.variance), values_of(l.weight_step)};
}

void Engine::set_layer_parameters(int index, const LayerParameters& p) {
  const ModelLayer& l = impl_->model.layers().at(std::size_t(index));
  const std::string& name = l.spec.name;
  take(l.weight, p.weight, "the weights", name);
  take(l.gamma, p.gamma, "gamma", name);
  take(l.beta, p.beta, "beta", name);
  take(l.mean, p.mean, "the mean", name);
  take(l.variance, p.variance, "the variance", name);
  take(l.weight_step, p.weight_step, "the steps of the weights", name);
}

}  // namespace twofour::nas
