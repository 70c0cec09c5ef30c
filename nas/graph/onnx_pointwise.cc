// Operators whose results have the shape of what they read: elementwise, normalisation, reductions.
#include <algorithm>

#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {
namespace {

void set_all(Inference& n, const Shape& dims) {
  for (Tensor& t : n.outputs()) {
    t.dims = dims;
    t.integral = n.has(0) && n.input(0).integral;
  }
}

/// Results of a reduction over the chosen axes.
void set_reduced(Inference& n, const std::vector<bool>& chosen, bool keep) {
  const Shape& x = n.shape(0);
  Shape dims;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!chosen[i])
      dims.push_back(x[i]);
    else if (keep)
      dims.push_back(1);
  }
  set_all(n, dims);
}

}  // namespace

void same_shape(Inference& n) {
  set_all(n, n.shape(0));
}

void dynamic_quantise(Inference& n) {
  n.output().dims = n.shape(0);  // the scale and the zero point are scalars
}

void broadcast_all(Inference& n) {
  if (n.opset() < 7 && n.integer("axis", 0) != 0)
    n.refuse("broadcasting along an axis, as before opset 7, is not known here");
  Shape dims = n.shape(0);
  for (std::size_t i = 1; i < n.inputs().size(); ++i) dims = broadcast(n, dims, n.shape(i));
  set_all(n, dims);
  if (n.node().op == "Where") n.output().integral = n.input(1).integral;
}

void broadcast_quantised(Inference& n) {
  set_all(n, broadcast(n, n.shape(0), n.shape(3)));
}

void batch_normalisation(Inference& n) {
  const Shape& x = n.shape(0);
  const std::int64_t channels = x.size() > 1 ? x[1] : 1;
  for (std::size_t i = 1; i < n.inputs().size(); ++i)
    if (n.shape(i) != Shape{channels})
      n.refuse("input {} is {}, but there are {} channels", i, text_of(n.shape(i)), channels);
  for (Tensor& t : n.outputs()) t.dims = {channels};
  n.output().dims = x;
  n.weights_read = 2 * channels;  // mean and variance are folded into a scale and a shift
}

void layer_normalisation(Inference& n) {
  const Shape& x = n.shape(0);
  const std::int64_t first = n.axis(n.integer("axis", -1), n.input(0).rank());
  Shape means(x);  // the mean and the deviation, where they are asked for
  std::fill(means.begin() + first, means.end(), 1);
  set_all(n, means);
  n.output().dims = x;
  for (const std::size_t i : {1, 2})
    if (n.has(i) && broadcast(n, x, n.shape(i)) != x)
      n.refuse("input {} is {}; it must broadcast to {}", i, text_of(n.shape(i)), text_of(x));
}

void reduce(Inference& n) {
  const std::int64_t rank = n.input(0).rank();
  const auto given = n.integers_or_input("axes", 1);
  std::vector<bool> chosen(std::size_t(rank), true);
  if (given && !given->empty())
    chosen = n.axes(*given, rank);
  else if (n.integer("noop_with_empty_axes", 0) != 0)
    chosen.assign(std::size_t(rank), false);
  set_reduced(n, chosen, n.integer("keepdims", 1) != 0);
}

void arg_reduce(Inference& n) {
  const std::int64_t rank = n.input(0).rank();
  set_reduced(n, n.axes({n.integer("axis", 0)}, rank), n.integer("keepdims", 1) != 0);
  n.output().integral = true;
}

}  // namespace twofour::nas::onnx
