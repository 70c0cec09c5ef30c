#pragma once
#include <vector>

#include "twofour/nas/graph/network.h"
#include "twofour/nas/graph/onnx_model.h"
#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// The weights that a network's layers have in an ONNX model (parsed with all elements). Layers and Conv,
/// Gemm and MatMul nodes are matched along the graph: a layer is a node that reads what the layer reads, of
/// the same shape, the first in the file's order where there are several. Batch normalisations may be nodes
/// or folded already (then gamma = 1, mean = 0, variance = 1 - epsilon, beta = bias). Throws Error that names
/// the file, the layer and both shapes where they differ, weights that are not in the file, and nodes that no
/// layer is for.
std::vector<LayerParameters> onnx_layer_weights(const onnx::Model& model, const Network& network);

}  // namespace twofour::nas
