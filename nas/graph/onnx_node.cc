#include "twofour/nas/graph/onnx_node.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace twofour::nas::onnx {
namespace {

constexpr std::int64_t whole_limit = std::int64_t{1}
                                     << 62;  ///< beyond any size: INT64_MAX stands for "the end"

}  // namespace

std::int64_t elements_of(const Shape& dims) {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return 0;
  std::int64_t product = 1;
  for (const std::int64_t d : dims)
    if (__builtin_mul_overflow(product, d, &product) || product > largest_size) return largest_size + 1;
  return product;
}

std::int64_t Tensor::elements() const {
  return elements_of(dims);
}

std::string text_of(const Shape& dims) {
  return dims.empty() ? "scalar" : fmt::format("{}", fmt::join(dims, " x "));
}

Inference::Inference(const Model& model, const ModelNode& node, std::vector<const Tensor*> inputs)
    : model_(model), node_(node), inputs_(std::move(inputs)), outputs_(node.outputs.size()) {
  if (outputs_.empty()) refuse("it has no result");
  cost_.name = node.name;
  cost_.op = node.op;
}

const Tensor& Inference::input(std::size_t i) const {
  if (!has(i)) refuse("input {} is missing", i);
  return *inputs_[i];
}

const Shape& Inference::shape(std::size_t i, std::int64_t rank) const {
  if (input(i).rank() != rank)
    refuse("input {} is {}; it must have {} dimensions", i, text_of(shape(i)), rank);
  return shape(i);
}

const Attribute* Inference::attribute(std::string_view name) const {
  for (const Attribute& a : node_.attributes)
    if (a.name == name) return &a;
  return nullptr;
}

std::int64_t Inference::integer(std::string_view name, std::int64_t otherwise) const {
  const Attribute* a = attribute(name);
  if (a == nullptr) return otherwise;
  if (!a->integer) refuse("attribute '{}' must be an integer", name);
  return *a->integer;
}

std::string_view Inference::text(std::string_view name, std::string_view otherwise) const {
  const Attribute* a = attribute(name);
  if (a == nullptr) return otherwise;
  if (!a->text) refuse("attribute '{}' must be a text", name);
  return *a->text;
}

std::optional<std::vector<std::int64_t>> Inference::integers(std::string_view name) const {
  const Attribute* a = attribute(name);
  if (a == nullptr) return std::nullopt;
  if (!a->integers) refuse("attribute '{}' must be a list of integers", name);
  return a->integers;
}

std::optional<std::vector<double>> Inference::numbers(std::string_view name) const {
  const Attribute* a = attribute(name);
  if (a == nullptr) return std::nullopt;
  if (!a->numbers) refuse("attribute '{}' must be a list of numbers", name);
  return a->numbers;
}

const Constant* Inference::tensor(std::string_view name) const {
  const Attribute* a = attribute(name);
  if (a == nullptr) return nullptr;
  if (!a->tensor) refuse("attribute '{}' must be a tensor", name);
  return &*a->tensor;
}

std::vector<double> Inference::values(std::size_t i) const {
  const Tensor& t = input(i);
  if (!t.constant)
    refuse(
        "the shape of its result depends on the values of '{}', which are known only when the network runs",
        node_.inputs[i]);
  if (!t.data)
    refuse(
        "the shape of its result depends on the values of '{}', which are not in the file (external data, or "
        "more than {} of them)",
        node_.inputs[i], Constant::most_elements);
  return *t.data;
}

std::vector<std::int64_t> Inference::whole_values(std::size_t i) const {
  std::vector<std::int64_t> out;
  for (const double v : values(i)) {
    if (v != std::trunc(v)) refuse("input {} holds {}; it must hold integers", i, v);
    out.push_back(std::int64_t(std::clamp(v, -double(whole_limit), double(whole_limit))));
  }
  return out;
}

std::optional<std::vector<std::int64_t>> Inference::integers_or_input(std::string_view name,
                                                                      std::size_t i) const {
  if (auto given = integers(name)) {
    for (std::int64_t& v : *given) v = std::clamp(v, -whole_limit, whole_limit);
    return given;
  }
  if (has(i)) return whole_values(i);
  return std::nullopt;
}

std::vector<std::int64_t> Inference::sizes(std::string_view name, std::size_t count, std::int64_t least,
                                           std::int64_t otherwise) const {
  auto given = integers(name);
  if (!given) return std::vector<std::int64_t>(count, otherwise);
  if (given->size() != count)
    refuse("attribute '{}' has {} numbers instead of {}", name, given->size(), count);
  for (const std::int64_t v : *given)
    if (v < least || v > largest_size)
      refuse("attribute '{}' holds {}; from {} to 2^40 it may be", name, v, least);
  return *given;
}

std::int64_t Inference::axis(std::int64_t value, std::int64_t rank) const {
  if (value < -rank || value >= rank) refuse("axis {} of a tensor of {} dimensions", value, rank);
  return value < 0 ? value + rank : value;
}

std::vector<bool> Inference::axes(const std::vector<std::int64_t>& values, std::int64_t rank) const {
  std::vector<bool> chosen(std::size_t(rank), false);
  for (const std::int64_t v : values) {
    const auto a = std::size_t(axis(v, rank));
    if (chosen[a]) refuse("axis {} is named twice", v);
    chosen[a] = true;
  }
  return chosen;
}

Shape broadcast(const Inference& node, const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& d = out[i + shift];
    if (d == shorter[i] || shorter[i] == 1) continue;
    if (d != 1) node.refuse("shapes {} and {} do not broadcast", text_of(a), text_of(b));
    d = shorter[i];
  }
  return out;
}

}  // namespace twofour::nas::onnx
