// Operators whose results are known before the network runs, and their values.
#include <cmath>

#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {
namespace {

void set_values(Inference& n, std::vector<double> values) {
  n.output().integral = true;
  n.output().data = std::move(values);
}

void set_list(Inference& n, std::vector<double> values) {
  n.output().dims = {std::int64_t(values.size())};
  n.output().data = std::move(values);
}

}  // namespace

void constant(Inference& n) {
  Tensor& out = n.output();
  out.integral = true;
  for (const Attribute& a : n.node().attributes) {
    if (a.tensor) {
      out.dims = a.tensor->dims;
      out.integral = a.tensor->integral;
      out.data = a.tensor->data;
    } else if (a.integer) {
      out.data = {double(*a.integer)};
    } else if (a.integers) {
      set_list(n, {a.integers->begin(), a.integers->end()});
    } else if (a.number) {
      out.integral = false;
      out.data = {*a.number};
    } else if (a.numbers) {
      out.integral = false;
      set_list(n, *a.numbers);
    } else {
      n.refuse("a constant of attribute '{}' is not known here", a.name);
    }
  }
}

void shape_of(Inference& n) {
  const Shape& x = n.shape(0);
  const std::int64_t rank = n.input(0).rank();
  const auto bound = [&](std::int64_t v) { return v < -rank ? 0 : v < 0 ? v + rank : std::min(v, rank); };
  const std::int64_t start = bound(n.integer("start", 0)), end = bound(n.integer("end", rank));
  const Shape part(x.begin() + start, x.begin() + std::max(start, end));
  n.output().dims = {std::int64_t(part.size())};
  set_values(n, {part.begin(), part.end()});
}

void size_of(Inference& n) {
  set_values(n, {double(n.input(0).elements())});
}

void constant_of_shape(Inference& n) {
  n.output().dims = n.whole_values(0);
  const Constant* value = n.tensor("value");
  n.output().integral = value != nullptr && value->integral;
  for (const std::int64_t d : n.output().dims)
    if (d < 0 || d > largest_size) n.refuse("a size of {} in its result", d);
  if (value != nullptr && (!value->data || value->data->size() != 1)) return;
  if (n.output().elements() <= Constant::most_elements)
    n.output().data.emplace(std::size_t(n.output().elements()), value == nullptr ? 0.0 : (*value->data)[0]);
}

void range(Inference& n) {
  double bounds[3];
  for (const std::size_t i : {0, 1, 2}) {
    const auto v = n.values(i);
    if (v.size() != 1) n.refuse("input {} must be one number", i);
    bounds[i] = v[0];
  }
  const double count = std::max(0.0, std::ceil((bounds[1] - bounds[0]) / bounds[2]));
  if (!(count <= double(largest_size)))
    n.refuse("from {} to {} in steps of {}", bounds[0], bounds[1], bounds[2]);
  n.output().dims = {std::int64_t(count)};
  n.output().integral = n.input(0).integral;
  if (count > double(Constant::most_elements)) return;
  n.output().data.emplace();
  for (double i = 0; i < count; ++i) n.output().data->push_back(bounds[0] + i * bounds[2]);
}

}  // namespace twofour::nas::onnx
