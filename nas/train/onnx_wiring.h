#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "twofour/nas/graph/onnx_model.h"

namespace twofour::nas {

/// Who makes and who reads the values of an ONNX graph.
class OnnxWiring {
 public:
  explicit OnnxWiring(const onnx::Model& model);

  /// A constant of the file: an initializer, the value of a Constant node, or an Identity of one; else null.
  const onnx::Constant* constant(const std::string& value) const;
  /// Inputs that are not constants.
  std::vector<std::string> variables(const onnx::ModelNode& node) const;
  /// Whether it makes products with weights: Conv, Gemm, MatMul with a constant.
  bool has_weights(const onnx::ModelNode& node) const;
  /// Whether two values of the network meet in it.
  bool joins(const onnx::ModelNode& node) const;
  /// The result of the last node with weights or of the last join on the way to a value; "" for the network's
  /// input.
  std::string source(std::string value) const;
  /// The only reader of a value, or null.
  const onnx::ModelNode* reader(const std::string& value) const;

 private:
  std::unordered_map<std::string, const onnx::Constant*> constants_;
  std::unordered_map<std::string, const onnx::ModelNode*> makers_;
  std::unordered_map<std::string, std::vector<const onnx::ModelNode*>> readers_;
};

}  // namespace twofour::nas
