#include "twofour/nas/graph/onnx_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "twofour/nas/graph/onnx_slice.h"

namespace twofour::nas::onnx {
namespace {

using Values = std::vector<double>;

const Values& values(const Inference& n, std::size_t i) {
  return *n.input(i).data;
}

/// Steps of a row-major array, one an axis.
std::vector<std::int64_t> strides(const Shape& dims) {
  std::vector<std::int64_t> out(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) out[i - 1] = out[i] * dims[i];
  return out;
}

/// For every element of `dims`, row-major: `first` plus steps[axis] times its index on that axis.
std::vector<std::int64_t> places(const Shape& dims, std::int64_t first,
                                 const std::vector<std::int64_t>& steps) {
  std::vector<std::int64_t> out(std::size_t(elements_of(dims)));
  Shape index(dims.size(), 0);
  for (std::int64_t& place : out) {
    place = first;
    for (std::size_t a = 0; a < dims.size(); ++a) place += index[a] * steps[a];
    for (std::size_t a = dims.size(); a-- > 0 && ++index[a] == dims[a];) index[a] = 0;
  }
  return out;
}

Values taken(const Values& from, const std::vector<std::int64_t>& at) {
  Values out;
  for (const std::int64_t p : at) out.push_back(from[std::size_t(p)]);
  return out;
}

/// Input i with as many elements as the broadcast result.
Values spread(Inference& n, std::size_t i) {
  const Shape &dims = n.output().dims, &x = n.shape(i);
  const auto own = strides(x);
  std::vector<std::int64_t> steps(dims.size(), 0);
  const std::size_t shift = dims.size() - x.size();
  for (std::size_t a = 0; a < x.size(); ++a) steps[a + shift] = x[a] == 1 ? 0 : own[a];
  return taken(values(n, i), places(dims, 0, steps));
}

double quotient(double a, double b, bool integral) {
  return integral ? std::trunc(a / b) : a / b;
}
/// Integers: the remainder has the divisor's sign.
double remainder(double a, double b, bool integral) {
  return integral ? a - b * std::floor(a / b) : std::fmod(a, b);
}

using Binary = double (*)(double, double, bool);
Binary binary(std::string_view op) {
  if (op == "Add" || op == "Sum") return [](double a, double b, bool) { return a + b; };
  if (op == "Sub") return [](double a, double b, bool) { return a - b; };
  if (op == "Mul") return [](double a, double b, bool) { return a * b; };
  if (op == "Div") return quotient;
  if (op == "Mod") return remainder;
  if (op == "Pow") return [](double a, double b, bool) { return std::pow(a, b); };
  if (op == "Min") return [](double a, double b, bool) { return std::min(a, b); };
  if (op == "Max") return [](double a, double b, bool) { return std::max(a, b); };
  if (op == "Equal") return [](double a, double b, bool) { return double(a == b); };
  if (op == "Greater") return [](double a, double b, bool) { return double(a > b); };
  if (op == "Less") return [](double a, double b, bool) { return double(a < b); };
  if (op == "GreaterOrEqual") return [](double a, double b, bool) { return double(a >= b); };
  if (op == "LessOrEqual") return [](double a, double b, bool) { return double(a <= b); };
  if (op == "And") return [](double a, double b, bool) { return double(a != 0 && b != 0); };
  if (op == "Or") return [](double a, double b, bool) { return double(a != 0 || b != 0); };
  return nullptr;
}

using Unary = double (*)(double);
Unary unary(std::string_view op) {
  if (op == "Neg") return [](double a) { return -a; };
  if (op == "Abs") return [](double a) { return std::abs(a); };
  if (op == "Floor") return [](double a) { return std::floor(a); };
  if (op == "Ceil") return [](double a) { return std::ceil(a); };
  if (op == "Round") return [](double a) { return std::nearbyint(a); };
  if (op == "Sqrt") return [](double a) { return std::sqrt(a); };
  if (op == "Reciprocal") return [](double a) { return 1 / a; };
  if (op == "Not") return [](double a) { return double(a == 0); };
  return nullptr;
}

Binary reduction(std::string_view op) {
  if (op == "ReduceProd") return binary("Mul");
  if (op == "ReduceSum") return binary("Add");
  if (op == "ReduceMax") return binary("Max");
  if (op == "ReduceMin") return binary("Min");
  return nullptr;
}

Values combined(Inference& n, Binary f) {
  Values out = spread(n, 0);
  const bool integral = n.input(0).integral;
  for (std::size_t i = 1; i < n.inputs().size(); ++i) {
    const Values other = spread(n, i);
    for (std::size_t e = 0; e < out.size(); ++e) out[e] = f(out[e], other[e], integral);
  }
  return out;
}

Values chosen(Inference& n) {
  const Values condition = spread(n, 0), yes = spread(n, 1), no = spread(n, 2);
  Values out;
  for (std::size_t e = 0; e < condition.size(); ++e) out.push_back(condition[e] != 0 ? yes[e] : no[e]);
  return out;
}

Values joined(Inference& n) {
  const auto axis = n.axis(n.integer("axis", 1), n.input(0).rank());
  const Shape& dims = n.output().dims;
  const std::int64_t before = elements_of({dims.begin(), dims.begin() + axis});
  Values out;
  for (std::int64_t row = 0; row < before; ++row)
    for (std::size_t i = 0; i < n.inputs().size(); ++i) {
      const auto part = std::ptrdiff_t(values(n, i).size()) / before;
      const auto from = values(n, i).begin() + row * part;
      out.insert(out.end(), from, from + part);
    }
  return out;
}

Values sliced(Inference& n) {
  const auto own = strides(n.shape(0));
  std::int64_t first = 0;
  std::vector<std::int64_t> steps;
  const auto axes = slice_axes(n);
  for (std::size_t a = 0; a < axes.size(); ++a) {
    first += axes[a].start * own[a];
    steps.push_back(axes[a].count > 1 ? axes[a].step * own[a] : 0);
  }
  return taken(values(n, 0), places(n.output().dims, first, steps));
}

Values gathered(Inference& n) {
  const auto axis = n.axis(n.integer("axis", 0), n.input(0).rank());
  const Shape& x = n.shape(0);
  const std::int64_t size = x[std::size_t(axis)];
  const std::int64_t before = elements_of({x.begin(), x.begin() + axis});
  const std::int64_t after = elements_of({x.begin() + axis + 1, x.end()});
  Values out;
  for (std::int64_t row = 0; row < before; ++row)
    for (const std::int64_t index : n.whole_values(1)) {
      if (index < -size || index >= size) n.refuse("index {} of {} elements", index, size);
      const auto from = values(n, 0).begin() + (row * size + (index < 0 ? index + size : index)) * after;
      out.insert(out.end(), from, from + after);
    }
  return out;
}

Values turned(Inference& n) {
  const Shape& x = n.shape(0);
  const auto perm = n.integers("perm");
  const auto own = strides(x);
  std::vector<std::int64_t> steps(own.rbegin(), own.rend());
  for (std::size_t a = 0; perm && a < steps.size(); ++a)
    steps[a] = own[std::size_t(n.axis((*perm)[a], n.input(0).rank()))];
  return taken(values(n, 0), places(n.output().dims, 0, steps));
}

/// Only over all axes, or of a list: what exporters do with shapes.
std::optional<Values> reduced(Inference& n, Binary f) {
  const Values& x = values(n, 0);
  if (n.output().elements() != 1 || x.empty()) return std::nullopt;
  double out = x[0];
  for (std::size_t e = 1; e < x.size(); ++e) out = f(out, x[e], false);
  return Values{out};
}

Values cast(Inference& n) {
  constexpr std::int64_t onnx_bool = 9;
  constexpr std::int64_t floats[] = {1, 10, 11, 16};  // float, float16, double, bfloat16
  const std::int64_t to = n.integer("to", 1);
  n.output().integral = std::find(std::begin(floats), std::end(floats), to) == std::end(floats);
  Values out = values(n, 0);
  for (double& v : out) v = to == onnx_bool ? double(v != 0) : n.output().integral ? std::trunc(v) : v;
  return out;
}

std::optional<Values> result_of(Inference& n) {
  const std::string_view op = n.node().op;
  for (const auto same : {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})
    if (op == same) return values(n, 0);
  if (const Binary f = binary(op)) return combined(n, f);
  if (const Binary f = reduction(op)) return reduced(n, f);
  if (const Unary f = unary(op)) {
    Values out = values(n, 0);
    for (double& v : out) v = f(v);
    return out;
  }
  if (op == "Expand") return spread(n, 0);
  if (op == "Where") return chosen(n);
  if (op == "Concat") return joined(n);
  if (op == "Slice") return sliced(n);
  if (op == "Gather") return gathered(n);
  if (op == "Transpose") return turned(n);
  if (op == "Cast") return cast(n);
  return std::nullopt;
}

bool is_known(const Tensor* t) {
  return t == nullptr || t->data.has_value();
}

}  // namespace

void fold(Inference& n) {
  Tensor& out = n.output();
  if (out.data || n.inputs().empty() || !n.has(0)) return;
  if (!std::all_of(n.inputs().begin(), n.inputs().end(), is_known)) return;
  if (out.elements() > Constant::most_elements) return;
  if (out.elements() == 0) {
    out.data.emplace();
    return;
  }
  out.data = result_of(n);
}

}  // namespace twofour::nas::onnx
