#pragma once
#include <string_view>

#include "twofour/nas/graph/onnx_node.h"

namespace twofour::nas::onnx {

/// How an operator's results and cost follow from its inputs. libonnx's own shape inference is not used: that
/// of Debian 12 (1.12) stops at opset 17, does not compute with values and divides by a stride of 0.
struct Rule {
  std::string_view op;
  NodeKind kind;
  void (*infer)(Inference&);
};

/// The rule of an operator, or nullptr. Domains: "" (ONNX itself) and "com.microsoft" (quantised operators).
const Rule* find_rule(std::string_view domain, std::string_view op);

// onnx_window.cc
void convolution(Inference& n);            ///< Conv, ConvInteger: X, W, ...
void quantised_convolution(Inference& n);  ///< QLinearConv: x and w are inputs 0 and 3
void pool(Inference& n);
void global_pool(Inference& n);

// onnx_matrix.cc
void gemm(Inference& n);
void matmul(Inference& n);            ///< MatMul, MatMulInteger: A, B, ...
void quantised_matmul(Inference& n);  ///< QLinearMatMul: a and b are inputs 0 and 3

// onnx_pointwise.cc
void same_shape(Inference& n);  ///< every result has the shape of input 0
void dynamic_quantise(Inference& n);
void broadcast_all(Inference& n);
void broadcast_quantised(Inference& n);  ///< QLinearAdd, QLinearMul: inputs 0 and 3
void batch_normalisation(Inference& n);
void layer_normalisation(Inference& n);
void reduce(Inference& n);
void arg_reduce(Inference& n);

// onnx_layout.cc
void reshape(Inference& n);
void flatten(Inference& n);
void squeeze(Inference& n);
void unsqueeze(Inference& n);
void transpose(Inference& n);
void expand(Inference& n);
void tile(Inference& n);
void depth_to_space(Inference& n);
void space_to_depth(Inference& n);

// onnx_select.cc
void concat(Inference& n);
void split(Inference& n);
void slice(Inference& n);
void gather(Inference& n);
void gather_elements(Inference& n);
void pad(Inference& n);
void resize(Inference& n);
void upsample(Inference& n);
void top_k(Inference& n);

// onnx_constant.cc: results that are constants
void constant(Inference& n);
void shape_of(Inference& n);
void size_of(Inference& n);
void constant_of_shape(Inference& n);
void range(Inference& n);

}  // namespace twofour::nas::onnx
