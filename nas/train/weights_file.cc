#include "twofour/nas/train/weights_file.h"

#include "twofour/isa/file.h"
#include "twofour/nas/train/onnx_weights.h"

namespace twofour::nas {

void load_weights_file(Engine& engine, const Network& network, const std::string& path) {
  if (!path.ends_with(".onnx")) {
    engine.import_checkpoint(path);
    return;
  }
  const onnx::Model model = onnx::parse_model(isa::read_file(path), path, onnx::Constant::all_elements);
  const std::vector<LayerParameters> layers = onnx_layer_weights(model, network);
  for (std::size_t i = 0; i < layers.size(); ++i) engine.set_layer_parameters(int(i), layers[i]);
}

}  // namespace twofour::nas
