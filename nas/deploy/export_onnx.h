#pragma once
#include <string>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// Whether this build can write ONNX files.
bool can_write_onnx();

/// A deployed network as an ONNX model (opset 13) in QDQ format. Input "image": batch x C x H x W floats (the
/// stream word over 2^16), open batch; output "scores": batch x (channels * pixels). Integer layers: the
/// activations through QuantizeLinear and DequantizeLinear to uint8 (a Clip before it where they have fewer
/// levels), weights int8 codes through a DequantizeLinear with a scale an output channel, a Conv with a float
/// bias. Layers of fewer bits add their bias behind the Conv, because runtimes round a Conv's bias to units
/// of its accumulator, which are coarse there; their codes are stored in int8, as a doc_string says. fp16
/// layers: activations cast to float16 and back, a Conv of float16 weights in float, scale and bias behind
/// it. metadata_props names each layer's option and its sparse form. The rounding of stream words between
/// layers is not in the model. Throws Error as check_network and qdq_layer, and says what to install where
/// the build lacks ONNX.
std::string deployed_onnx(const DeployedNetwork& net);
void write_onnx(const std::string& path, const DeployedNetwork& net);

}  // namespace twofour::nas
