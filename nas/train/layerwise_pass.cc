#include "twofour/nas/train/layerwise_pass.h"

#include <torch/torch.h>

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/nas/train/engine_impl.h"
#include "twofour/nas/train/fake_quant.h"
#include "twofour/nas/train/image_tensor.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr std::int64_t step_sample = 1 << 16;   ///< values that an input step is chosen for
constexpr std::int64_t most_columns = 1 << 16;  ///< of im2col that moments are taken over
constexpr std::int64_t images_at_once = 128;

std::vector<float> values_of(const Tensor& t) {
  const Tensor flat = t.contiguous();
  return std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

/// From the order c, r, s of unfold to r, s, c.
Tensor columns_in_order(std::int64_t channels, std::int64_t window) {
  return torch::arange(channels * window).view({channels, window}).t().reshape({-1});
}

}  // namespace

struct LayerwisePass::State {
  std::vector<Tensor> tensors;  ///< undefined once nobody reads them any more
};

LayerwisePass::LayerwisePass(Engine& engine, const Dataset& images)
    : engine_(engine), state_(std::make_unique<State>()) {
  EngineAccess::check_images(engine_, images);
  if (images.count < 1) fail("post-training needs calibration images");
  state_->tensors.push_back(pixel_images(images, 0, images.count));
}

LayerwisePass::~LayerwisePass() = default;

void LayerwisePass::set_quantiser(Quantiser quantiser) {
  const torch::NoGradGuard no_grad;
  Model& model = EngineAccess::model(engine_);
  const Tensor flat = model.layer_input(std::size_t(layer_), state_->tensors).flatten();
  const std::int64_t stride =
      std::max<std::int64_t>(1, flat.numel() / step_sample) | 1;  // odd: meets every channel
  model.layers()[std::size_t(layer_)].sample = values_of(flat.slice(0, 0, flat.numel(), stride));
  model.set_quantiser(std::size_t(layer_), quantiser);
}

LayerMoments LayerwisePass::input_moments() const {
  const torch::NoGradGuard no_grad;
  Model& model = EngineAccess::model(engine_);
  const ModelLayer& layer = model.layers()[std::size_t(layer_)];
  const LayerSpec& spec = layer.spec;
  const Tensor x = quantise_input(model.layer_input(std::size_t(layer_), state_->tensors), layer.input_step,
                                  layer.quantiser);
  const std::int64_t window = std::int64_t(spec.kernel) * spec.kernel, k = spec.in_channels * window;
  Tensor gram = torch::zeros({k, k}), sum = torch::zeros({k});
  std::int64_t columns = 0;
  for (std::int64_t first = 0; first < x.size(0) && columns < most_columns; first += images_at_once) {
    const Tensor part = x.slice(0, first, std::min(x.size(0), first + images_at_once)).contiguous();
    const Tensor unfolded = torch::im2col(part, {spec.kernel, spec.kernel}, {1, 1}, {spec.pad, spec.pad},
                                          {spec.stride, spec.stride})
                                .permute({1, 0, 2})
                                .reshape({k, -1});
    gram.add_(unfolded.mm(unfolded.t()));
    sum.add_(unfolded.sum(1));
    columns += unfolded.size(1);
  }
  const Tensor order = columns_in_order(spec.in_channels, window);
  return {k, values_of(gram.index_select(0, order).index_select(1, order) / double(columns)),
          values_of(sum.index_select(0, order) / double(columns))};
}

void LayerwisePass::retune_batch_norm() {
  const torch::NoGradGuard no_grad;
  Model& model = EngineAccess::model(engine_);
  const ModelLayer& layer = model.layers()[std::size_t(layer_)];
  if (!layer.normalised()) return;
  const Tensor x = quantise_input(model.layer_input(std::size_t(layer_), state_->tensors), layer.input_step,
                                  layer.quantiser);
  const Tensor w = quantise_weight(layer.weight, layer.weight_step, layer.quantiser);
  const Tensor y = torch::conv2d(x, w, {}, layer.spec.stride, layer.spec.pad, 1, layer.spec.groups);
  layer.mean.copy_(y.mean({0, 2, 3}));
  layer.variance.copy_(y.var({0, 2, 3}, false));
}

void LayerwisePass::advance() {
  const torch::NoGradGuard no_grad;
  Model& model = EngineAccess::model(engine_);
  auto& tensors = state_->tensors;
  tensors.push_back(model.run_layer(std::size_t(layer_), tensors, false));
  ++layer_;
  std::vector<bool> read(tensors.size(), false);
  for (std::size_t i = std::size_t(layer_); i < model.layers().size(); ++i)
    for (const int t : {model.layers()[i].spec.input, model.layers()[i].spec.residual})
      if (t >= 0 && std::size_t(t) < tensors.size()) read[std::size_t(t)] = true;
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (!read[t]) tensors[t] = Tensor();
}

}  // namespace twofour::nas
