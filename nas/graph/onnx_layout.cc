// Operators that give the same elements another shape or order.
#include <algorithm>

#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {
namespace {

void set_dims(Inference& n, Shape dims) {
  n.output().dims = std::move(dims);
  n.output().integral = n.input(0).integral;
}

/// Sizes that a file gives, 0 to 2^40 each.
void check_sizes(const Inference& n, const Shape& dims) {
  for (const std::int64_t d : dims)
    if (d < 0 || d > largest_size) n.refuse("a size of {} in its result", d);
}

}  // namespace

void reshape(Inference& n) {
  const auto wanted = n.integers_or_input("shape", 1);
  if (!wanted) n.refuse("input 1, the new shape, is missing");
  const Shape& x = n.shape(0);
  const bool copy_zero = n.integer("allowzero", 0) == 0;
  Shape dims = *wanted;
  std::size_t open = dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && copy_zero) {
      if (i >= x.size()) n.refuse("size {} of the new shape is to be copied from {}", i, text_of(x));
      dims[i] = x[i];
    } else if (dims[i] == -1) {
      if (open < dims.size()) n.refuse("the new shape has two sizes of -1");
      open = i;
      dims[i] = 1;
    }
  }
  check_sizes(n, dims);
  const std::int64_t have = elements_of(x), want = elements_of(dims);
  if (open < dims.size()) {
    if (want == 0 || have % want != 0)
      n.refuse("{} elements of {} do not fill the new shape", have, text_of(x));
    dims[open] = have / want;
  } else if (have != want) {
    n.refuse("{} cannot become {}", text_of(x), text_of(dims));
  }
  set_dims(n, dims);
}

void flatten(Inference& n) {
  const Shape& x = n.shape(0);
  const std::int64_t given = n.integer("axis", 1), rank = n.input(0).rank();
  const std::int64_t at = given == rank ? rank : n.axis(given, rank);
  set_dims(n, {elements_of({x.begin(), x.begin() + at}), elements_of({x.begin() + at, x.end()})});
}

void squeeze(Inference& n) {
  const Shape& x = n.shape(0);
  const auto given = n.integers_or_input("axes", 1);
  const auto chosen = given ? n.axes(*given, n.input(0).rank()) : std::vector<bool>{};
  Shape dims;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (given && chosen[i] && x[i] != 1) n.refuse("dimension {} of {} is not 1", i, text_of(x));
    if (given ? !chosen[i] : x[i] != 1) dims.push_back(x[i]);
  }
  set_dims(n, dims);
}

void unsqueeze(Inference& n) {
  const auto given = n.integers_or_input("axes", 1);
  if (!given) n.refuse("its axes are missing");
  const auto chosen = n.axes(*given, n.input(0).rank() + std::int64_t(given->size()));
  auto next = n.shape(0).begin();
  Shape dims;
  for (const bool is_new : chosen) dims.push_back(is_new ? 1 : *next++);
  set_dims(n, dims);
}

void transpose(Inference& n) {
  const Shape& x = n.shape(0);
  const auto given = n.integers("perm");
  Shape dims(x.rbegin(), x.rend());
  if (given) {
    if (given->size() != x.size()) n.refuse("perm has {} axes for {}", given->size(), text_of(x));
    n.axes(*given, n.input(0).rank());  // each once
    for (std::size_t i = 0; i < x.size(); ++i)
      dims[i] = x[std::size_t(n.axis((*given)[i], n.input(0).rank()))];
  }
  set_dims(n, dims);
}

void expand(Inference& n) {
  const Shape wanted = n.whole_values(1);
  check_sizes(n, wanted);
  set_dims(n, broadcast(n, n.shape(0), wanted));
}

void tile(Inference& n) {
  const Shape repeats = n.whole_values(1);
  Shape dims = n.shape(0);
  if (repeats.size() != dims.size()) n.refuse("{} repeats for {}", repeats.size(), text_of(dims));
  check_sizes(n, repeats);
  for (std::size_t i = 0; i < dims.size(); ++i)
    if (__builtin_mul_overflow(dims[i], repeats[i], &dims[i]))
      n.refuse("{} repeats of {}", repeats[i], text_of(n.shape(0)));
  set_dims(n, dims);
}

void depth_to_space(Inference& n) {
  const Shape& x = n.shape(0, 4);
  const std::int64_t block = n.integer("blocksize", 0);
  if (block < 1 || block > largest_size / block || x[1] % (block * block) != 0)
    n.refuse("blocksize {} for {} channels", block, x[1]);
  set_dims(n, {x[0], x[1] / (block * block), x[2] * block, x[3] * block});
}

void space_to_depth(Inference& n) {
  const Shape& x = n.shape(0, 4);
  const std::int64_t block = n.integer("blocksize", 0);
  if (block < 1 || block > largest_size / block || x[2] % block != 0 || x[3] % block != 0)
    n.refuse("blocksize {} for an image of {} x {}", block, x[2], x[3]);
  set_dims(n, {x[0], elements_of({x[1], block, block}), x[2] / block, x[3] / block});
}

}  // namespace twofour::nas::onnx
