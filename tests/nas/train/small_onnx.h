#pragma once
// A small residual network, the same as an ONNX model with random weights, and its forward pass in plain
// loops.
#include "twofour/nas/graph/network.h"
#include "twofour/nas/graph/onnx_model.h"
#include "twofour/nas/train/dataset.h"

namespace twofour::nas {

/// 8x8 colours: stem 3->4 stride 2, 2x2 max pool, then 4->8 -> 8 (depthwise 8 between) around a projection of
/// the pooled tensor, global average, 3 classes.
Network small_network();

/// As exporters write it: the stem with a batch normalisation of epsilon 1e-3, layer "a" with one folded into
/// its bias, "b" with a bias and a batch normalisation, the projection after them, a transposed Gemm.
onnx::Model small_onnx();

onnx::ModelNode& node(onnx::Model& model, std::string_view name);
onnx::Constant& constant(onnx::Model& model, std::string_view name);

/// Class scores of one image, from the model's constants.
std::vector<double> small_scores(onnx::Model& model, const Dataset& data, int image);

}  // namespace twofour::nas
