#pragma once
// Small ONNX models as plain data, and one node on its own.
#include <string>
#include <utility>
#include <vector>

#include "twofour/nas/graph/onnx_import.h"
#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {

inline Attribute ints(std::string name, std::vector<std::int64_t> values) {
  Attribute a;
  a.name = std::move(name);
  a.integers = std::move(values);
  return a;
}
inline Attribute integer(std::string name, std::int64_t value) {
  Attribute a;
  a.name = std::move(name);
  a.integer = value;
  return a;
}
inline Attribute text(std::string name, std::string value) {
  Attribute a;
  a.name = std::move(name);
  a.text = std::move(value);
  return a;
}

/// A value of known shape, or a list of constant integers.
struct In : Tensor {
  static In of(Shape dims) {
    In in;
    in.dims = std::move(dims);
    return in;
  }
  static In weights(Shape dims) {
    In in = of(std::move(dims));
    in.constant = true;
    return in;
  }
  static In list(std::vector<double> values, bool integral = true) {
    In in = weights({std::int64_t(values.size())});
    in.integral = integral;
    in.data = std::move(values);
    return in;
  }
  static In none() {
    In in;
    in.producer = -2;
    return in;
  }
  bool is_none() const { return producer == -2; }
};

/// One node after its rule: it keeps what the Inference points to.
struct One {
  One(std::string_view op, std::vector<In> given, std::vector<Attribute> attributes = {},
      std::int64_t opset = 13, int results = 1);
  Shape dims(std::size_t i = 0) { return inference->outputs()[i].dims; }

  Model model;
  ModelNode node;
  std::vector<In> inputs;
  std::optional<Inference> inference;
};

/// A graph of the default domain, opset 13.
struct Build {
  Build();
  Build& input(const std::string& name, const std::vector<Dim>& dims) {
    ValueInfo v;
    v.name = name;
    v.dims = dims;
    model.inputs.push_back(v);
    return *this;
  }
  Build& input(const std::string& name, const Shape& dims) {
    std::vector<Dim> open;
    for (const std::int64_t d : dims) open.push_back({d, ""});
    return input(name, open);
  }
  Build& weights(const std::string& name, const Shape& dims) {
    model.constants.push_back({name, dims, false, {}});
    return *this;
  }
  Build& node(const std::string& name, const std::string& op, std::vector<std::string> inputs,
              std::vector<Attribute> attributes = {}) {
    model.nodes.push_back({name, op, "", std::move(inputs), {name}, std::move(attributes)});
    return *this;
  }
  Build& states(const std::string& name, const std::vector<Dim>& dims) {
    ValueInfo v;
    v.name = name;
    v.dims = dims;
    model.stated.push_back(v);
    return *this;
  }
  Model model;
};

}  // namespace twofour::nas::onnx
