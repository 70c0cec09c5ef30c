#include "twofour/nas/train/onnx_wiring.h"

namespace twofour::nas {

OnnxWiring::OnnxWiring(const onnx::Model& model) {
  for (const onnx::Constant& c : model.constants) constants_[c.name] = &c;
  for (const onnx::ModelNode& node : model.nodes) {
    for (const std::string& out : node.outputs) makers_[out] = &node;
    for (const std::string& in : node.inputs) readers_[in].push_back(&node);
    if (node.outputs.empty()) continue;
    if (node.op == "Constant" && !node.attributes.empty() && node.attributes[0].tensor)
      constants_[node.outputs[0]] = &*node.attributes[0].tensor;
    if (node.op == "Identity" && !node.inputs.empty() && constant(node.inputs[0]) != nullptr)
      constants_[node.outputs[0]] = constant(node.inputs[0]);
  }
}

const onnx::Constant* OnnxWiring::constant(const std::string& value) const {
  const auto at = constants_.find(value);
  return at == constants_.end() ? nullptr : at->second;
}

std::vector<std::string> OnnxWiring::variables(const onnx::ModelNode& node) const {
  std::vector<std::string> values;
  for (const std::string& in : node.inputs)
    if (!in.empty() && constant(in) == nullptr) values.push_back(in);
  return values;
}

bool OnnxWiring::has_weights(const onnx::ModelNode& node) const {
  if (node.op == "Conv" || node.op == "Gemm") return node.inputs.size() >= 2;
  return node.op == "MatMul" && node.inputs.size() == 2 && constant(node.inputs[1]) != nullptr;
}

bool OnnxWiring::joins(const onnx::ModelNode& node) const {
  for (const char* op : {"Add", "Sum", "Sub", "Mul", "Concat"})
    if (node.op == op) return variables(node).size() > 1;
  return false;
}

std::string OnnxWiring::source(std::string value) const {
  for (;;) {
    const auto maker = makers_.find(value);
    if (maker == makers_.end()) return "";
    const onnx::ModelNode& node = *maker->second;
    if (has_weights(node) || joins(node)) return node.outputs[0];
    const auto inputs = variables(node);
    if (inputs.empty()) return "";
    value = inputs[0];
  }
}

const onnx::ModelNode* OnnxWiring::reader(const std::string& value) const {
  const auto at = readers_.find(value);
  return at == readers_.end() || at->second.size() != 1 ? nullptr : at->second[0];
}

}  // namespace twofour::nas
