// Operators that put tensors together, take parts of them, or change how many elements there are.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "twofour/nas/graph/onnx_rules.h"
#include "twofour/nas/graph/onnx_slice.h"

namespace twofour::nas::onnx {
namespace {

void set_dims(Inference& n, const Shape& dims) {
  for (Tensor& t : n.outputs()) {
    t.dims = dims;
    t.integral = n.input(0).integral;
  }
}

/// Axes that `count` parameters are about: all in order, or those that are named.
std::vector<std::int64_t> parameter_axes(const Inference& n,
                                         const std::optional<std::vector<std::int64_t>>& given,
                                         std::size_t count) {
  std::vector<std::int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  if (given) {
    if (given->size() != count) n.refuse("{} axes for {} parameters", given->size(), count);
    axes = *given;
  }
  n.axes(axes, n.input(0).rank());  // each once
  for (std::int64_t& a : axes) a = n.axis(a, n.input(0).rank());
  return axes;
}

std::vector<std::int64_t> even_parts(const Inference& n, std::int64_t size, std::size_t parts, bool ragged) {
  const auto count = std::int64_t(parts);
  if (!ragged && size % count != 0) n.refuse("{} elements do not split into {} equal parts", size, count);
  std::vector<std::int64_t> out;
  for (std::int64_t left = size, part = (size + count - 1) / count; std::ssize(out) < count;
       left -= out.back())
    out.push_back(std::min(left, part));
  return out;
}

std::int64_t scaled(const Inference& n, std::int64_t size, double scale) {
  const double out = std::floor(double(size) * scale);
  if (!(scale > 0) || out > double(largest_size)) n.refuse("a scale of {} for {} elements", scale, size);
  return std::int64_t(out);
}

void scale_all(Inference& n, const std::vector<double>& scales,
               const std::optional<std::vector<std::int64_t>>& given_axes) {
  Shape dims = n.shape(0);
  if (!given_axes && scales.size() != dims.size()) n.refuse("{} scales for {}", scales.size(), text_of(dims));
  const auto axes = parameter_axes(n, given_axes, scales.size());
  for (std::size_t i = 0; i < axes.size(); ++i)
    dims[std::size_t(axes[i])] = scaled(n, dims[std::size_t(axes[i])], scales[i]);
  set_dims(n, dims);
}

void resize_to(Inference& n, const std::vector<std::int64_t>& sizes,
               const std::optional<std::vector<std::int64_t>>& given_axes) {
  if (const auto policy = n.text("keep_aspect_ratio_policy", "stretch"); policy != "stretch")
    n.refuse("keep_aspect_ratio_policy '{}' is not known here", policy);
  Shape dims = n.shape(0);
  if (!given_axes && sizes.size() != dims.size()) n.refuse("{} sizes for {}", sizes.size(), text_of(dims));
  const auto axes = parameter_axes(n, given_axes, sizes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (sizes[i] < 1 || sizes[i] > largest_size) n.refuse("a size of {}", sizes[i]);
    dims[std::size_t(axes[i])] = sizes[i];
  }
  set_dims(n, dims);
}

bool given_values(const Inference& n, std::size_t i) {
  return n.has(i) && n.input(i).elements() > 0;
}

}  // namespace

std::vector<SliceAxis> slice_axes(const Inference& n) {
  const bool by_attribute = n.integers("starts").has_value();
  const auto starts = n.integers_or_input("starts", 1), ends = n.integers_or_input("ends", 2);
  if (!starts || !ends || starts->size() != ends->size()) n.refuse("starts and ends do not match");
  const auto given = n.integers_or_input("axes", 3);
  const auto axes = parameter_axes(n, given, starts->size());
  std::vector<std::int64_t> steps(axes.size(), 1);
  if (!by_attribute && n.has(4)) steps = n.whole_values(4);
  if (steps.size() != axes.size()) n.refuse("{} steps for {} axes", steps.size(), axes.size());

  std::vector<SliceAxis> out(n.shape(0).size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i].count = n.shape(0)[i];
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t size = n.shape(0)[std::size_t(axes[i])], step = steps[i];
    if (step == 0) n.refuse("a step of 0");
    // Bounds as ONNX clamps them: 0..size going forward, -1..size-1 (and size-1 at most to start) backward.
    const auto bound = [&](std::int64_t v, std::int64_t low, std::int64_t high) {
      return std::clamp(v < -size - 1 ? low : v < 0 ? v + size : v, low, high);
    };
    const bool forward = step > 0;
    const std::int64_t start =
        forward ? bound((*starts)[i], 0, size) : bound((*starts)[i], 0, std::max<std::int64_t>(size - 1, 0));
    const std::int64_t end =
        forward ? bound((*ends)[i], 0, size) : bound((*ends)[i], -1, std::max<std::int64_t>(size - 1, 0));
    const std::int64_t length = forward ? end - start : start - end, stride = forward ? step : -step;
    out[std::size_t(axes[i])] = {start, step, size == 0 || length <= 0 ? 0 : (length - 1) / stride + 1};
  }
  return out;
}

void slice(Inference& n) {
  Shape dims;
  for (const SliceAxis& a : slice_axes(n)) dims.push_back(a.count);
  set_dims(n, dims);
  n.elements_read = elements_of(dims);
}

void concat(Inference& n) {
  Shape dims = n.shape(0);
  n.weights_read = 0;
  for (const Tensor* t : n.inputs())
    if (t != nullptr && t->constant) *n.weights_read += t->elements();
  const auto axis = std::size_t(n.axis(n.integer("axis", 1), n.input(0).rank()));
  for (std::size_t i = 1; i < n.inputs().size(); ++i) {
    Shape other = n.shape(i, n.input(0).rank());
    const std::int64_t size = other[axis];
    other[axis] = dims[axis];
    if (other != dims) n.refuse("input {} is {}, input 0 is {}", i, text_of(n.shape(i)), text_of(n.shape(0)));
    dims[axis] += size;
    if (dims[axis] > largest_size) n.refuse("a result of {} elements along axis {}", dims[axis], axis);
  }
  set_dims(n, dims);
}

void split(Inference& n) {
  const Shape& x = n.shape(0);
  const auto axis = std::size_t(n.axis(n.integer("axis", 0), n.input(0).rank()));
  const auto given = n.integers_or_input("split", 1);
  const auto parts = given ? *given : even_parts(n, x[axis], n.outputs().size(), n.opset() >= 18);
  std::int64_t left = x[axis];
  for (const std::int64_t p : parts) {
    if (p < 0 || p > left) n.refuse("parts do not add up to the {} elements of axis {}", x[axis], axis);
    left -= p;
  }
  if (left != 0 || parts.size() != n.outputs().size())
    n.refuse("{} parts for {} results and {} elements of axis {}", parts.size(), n.outputs().size(), x[axis],
             axis);
  set_dims(n, x);
  for (std::size_t i = 0; i < parts.size(); ++i) n.outputs()[i].dims[axis] = parts[i];
}

void gather(Inference& n) {
  const Shape &x = n.shape(0), &indices = n.shape(1);
  const std::int64_t axis = n.axis(n.integer("axis", 0), n.input(0).rank());
  Shape dims(x.begin(), x.begin() + axis);
  dims.insert(dims.end(), indices.begin(), indices.end());
  dims.insert(dims.end(), x.begin() + axis + 1, x.end());
  set_dims(n, dims);
  // Of a table of constants (an embedding) all counts as weights; of activations what is taken.
  const std::int64_t read_indices = n.input(1).constant ? 0 : elements_of(indices);
  n.elements_read = read_indices + (n.input(0).constant ? 0 : elements_of(dims));
  n.weights_read = n.input(0).constant ? n.input(0).elements() : 0;
}

void gather_elements(Inference& n) {
  set_dims(n, n.shape(1, n.input(0).rank()));
  n.elements_read = 2 * n.output().elements();
}

void pad(Inference& n) {
  const auto given = n.integers_or_input("pads", 1);
  if (!given || given->size() % 2 != 0) n.refuse("its pads are missing or not two an axis");
  const std::size_t count = given->size() / 2;
  std::optional<std::vector<std::int64_t>> given_axes;
  if (n.has(3)) given_axes = n.whole_values(3);
  Shape dims = n.shape(0);
  if (!given_axes && count != dims.size()) n.refuse("{} pads for {}", given->size(), text_of(dims));
  const auto axes = parameter_axes(n, given_axes, count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t before = (*given)[i], after = (*given)[i + count];
    if (std::max(std::abs(before), std::abs(after)) > largest_size)
      n.refuse("a pad of {} and {}", before, after);
    dims[std::size_t(axes[i])] += before + after;
  }
  set_dims(n, dims);
}

void resize(Inference& n) {
  std::optional<std::vector<std::int64_t>> axes = n.integers("axes");
  if (n.opset() < 11) return scale_all(n, n.values(1), axes);
  if (given_values(n, 3)) return resize_to(n, n.whole_values(3), axes);
  scale_all(n, n.values(2), axes);
}

void upsample(Inference& n) {
  if (const auto scales = n.numbers("scales")) return scale_all(n, *scales, std::nullopt);
  scale_all(n, n.values(1), std::nullopt);
}

void top_k(Inference& n) {
  const auto k = n.has(1) ? n.whole_values(1) : std::vector<std::int64_t>{n.integer("k", 0)};
  Shape dims = n.shape(0);
  const auto axis = std::size_t(n.axis(n.integer("axis", -1), n.input(0).rank()));
  if (k.size() != 1 || k[0] < 0 || k[0] > dims[axis]) n.refuse("k does not fit {}", text_of(dims));
  dims[axis] = k[0];
  set_dims(n, dims);
}

}  // namespace twofour::nas::onnx
