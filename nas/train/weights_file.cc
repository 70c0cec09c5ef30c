#include "twofour/nas/train/weights_file.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/train/onnx_weights.h"

namespace twofour::nas {
namespace {

void check_finite(const std::vector<float>& values, const std::string& path, const std::string& layer) {
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
    fail("{}: the weights of layer {} hold NaN or infinity; give weights that training ended well with", path,
         layer);
}

}  // namespace

void load_weights_file(Engine& engine, const Network& network, const std::string& path) {
  if (!path.ends_with(".onnx")) {
    engine.import_checkpoint(path);
    return;
  }
  const onnx::Model model = onnx::parse_model(isa::read_file(path), path, onnx::Constant::all_elements);
  const std::vector<LayerParameters> layers = onnx_layer_weights(model, network);
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const auto* values :
         {&layers[i].weight, &layers[i].gamma, &layers[i].beta, &layers[i].mean, &layers[i].variance})
      check_finite(*values, path, network.layers[i].name);
  for (std::size_t i = 0; i < layers.size(); ++i) engine.set_layer_parameters(int(i), layers[i]);
}

}  // namespace twofour::nas
