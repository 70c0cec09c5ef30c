#include "onnx_build.h"

namespace twofour::nas::onnx {

One::One(std::string_view op, std::vector<In> given, std::vector<Attribute> attributes, std::int64_t opset,
         int results)
    : inputs(std::move(given)) {
  model.file = "one.onnx";
  model.opset = opset;
  node = {"n", std::string(op), "", {}, {}, std::move(attributes)};
  std::vector<const Tensor*> pointers;
  for (const In& in : inputs) {
    node.inputs.push_back(in.is_none() ? std::string() : fmt::format("i{}", node.inputs.size()));
    pointers.push_back(in.is_none() ? nullptr : &in);
  }
  for (int i = 0; i < results; ++i) node.outputs.push_back(fmt::format("o{}", i));
  inference.emplace(model, node, pointers);
  find_rule("", node.op)->infer(*inference);
}

Build::Build() {
  model.file = "model.onnx";
  model.name = std::string("g");
  model.opset = 13;
}

}  // namespace twofour::nas::onnx
