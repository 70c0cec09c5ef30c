#pragma once
#include <string>

#include "twofour/nas/graph/network.h"
#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Takes the weights of a file into an engine of that network: of an ONNX model (a name that ends in .onnx;
/// needs the optional ONNX component), or of a checkpoint of another run of the same network. Throws Error as
/// onnx_layer_weights and Engine::import_checkpoint; nothing is changed then.
void load_weights_file(Engine& engine, const Network& network, const std::string& path);

}  // namespace twofour::nas
