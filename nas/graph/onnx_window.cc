// Operators that slide a window: convolutions and pooling. Output sizes as ONNX's operator texts give them.
#include <fmt/ranges.h>

#include <algorithm>

#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {
namespace {

/// One spatial axis.
struct Window {
  std::int64_t input = 1, kernel = 1, stride = 1, dilation = 1;
  std::int64_t pad_begin = 0, pad = 0;  ///< pad: both sides together
  std::int64_t output = 1;

  std::int64_t reach() const { return (kernel - 1) * dilation + 1; }
};

/// SAME: as many outputs as strides fit into the input, padding to suit.
void pad_same(Window& w, bool lower) {
  w.output = (w.input + w.stride - 1) / w.stride;
  w.pad = std::max<std::int64_t>(0, (w.output - 1) * w.stride + w.reach() - w.input);
  w.pad_begin = lower ? (w.pad + 1) / 2 : w.pad / 2;
}

std::int64_t output_size(const Inference& n, const Window& w, bool ceil) {
  const std::int64_t room = w.input + w.pad - w.reach();
  if (room < 0)
    n.refuse("a window of {} (dilation included) does not fit into {} elements and {} of padding", w.reach(),
             w.input, w.pad);
  std::int64_t output = (room + (ceil ? w.stride - 1 : 0)) / w.stride + 1;
  // Windows that would start in the padding behind the input are left out.
  if (ceil && (output - 1) * w.stride >= w.input + w.pad_begin) --output;
  return output;
}

std::vector<Window> windows(const Inference& n, const Shape& x, const std::vector<std::int64_t>& kernel) {
  const std::size_t axes = x.size() - 2;
  const auto strides = n.sizes("strides", axes, 1, 1), dilations = n.sizes("dilations", axes, 1, 1);
  const auto pads = n.sizes("pads", 2 * axes, 0, 0);
  const std::string_view mode = n.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER", valid = mode == "VALID";
  if (!same && !valid && mode != "NOTSET") n.refuse("unknown auto_pad '{}'", mode);
  const bool ceil = n.integer("ceil_mode", 0) != 0;

  std::vector<Window> out(axes);
  for (std::size_t i = 0; i < axes; ++i) {
    Window& w = out[i];
    w = {.input = x[i + 2], .kernel = kernel[i], .stride = strides[i], .dilation = dilations[i]};
    if (w.kernel < 1 || w.kernel > largest_size / w.dilation)
      n.refuse("a kernel of {} with dilation {}", w.kernel, w.dilation);
    if (same) {
      pad_same(w, mode == "SAME_LOWER");
      continue;
    }
    if (!valid) {
      w.pad_begin = pads[i];
      w.pad = pads[i] + pads[i + axes];
    }
    w.output = output_size(n, w, ceil);
  }
  return out;
}

/// Sizes of a convolution in a workload: a single spatial axis counts as the width.
void set_cost(Node& cost, const Shape& x, const std::vector<Window>& axes) {
  const Window row = axes.size() == 2 ? axes[0] : Window{}, column = axes.back();
  cost.batch = x[0];
  cost.channels = x[1];
  cost.height = row.input;
  cost.width = column.input;
  cost.kernel_h = row.kernel;
  cost.kernel_w = column.kernel;
  cost.stride_h = row.stride;
  cost.stride_w = column.stride;
  cost.dilation_h = row.dilation;
  cost.dilation_w = column.dilation;
  cost.pad_h = row.pad;
  cost.pad_w = column.pad;
}

const Shape& batched_images(const Inference& n) {
  const Shape& x = n.shape(0);
  if (x.size() != 3 && x.size() != 4)
    n.refuse("input {} is {}; batch, channels and one or two spatial dimensions are known here", 0,
             text_of(x));
  if (elements_of(x) == 0) n.refuse("input 0 is {}: it is empty", text_of(x));
  return x;
}

void convolve(Inference& n, std::size_t weights) {
  const Shape& x = batched_images(n);
  const Shape& w = n.shape(weights, std::int64_t(x.size()));
  const std::int64_t groups = n.integer("group", 1);
  if (groups < 1 || w[0] < 1 || w[0] % groups != 0) n.refuse("{} filters in {} groups", w[0], groups);
  if (x[1] % groups != 0 || x[1] / groups != w[1])
    n.refuse("{} channels in {} groups, but filters of {} channels", x[1], groups, w[1]);
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  if (const auto given = n.integers("kernel_shape"); given && *given != kernel)
    n.refuse("kernel_shape is {}, but the filters are {}", fmt::join(*given, " x "), text_of(kernel));

  const auto axes = windows(n, x, kernel);
  n.output().dims = {x[0], w[0]};
  for (const Window& a : axes) n.output().dims.push_back(a.output);
  set_cost(n.cost(), x, axes);
  n.cost().filters = w[0];
  n.cost().groups = groups;
}

}  // namespace

void convolution(Inference& n) {
  convolve(n, 1);
}

void quantised_convolution(Inference& n) {
  convolve(n, 3);
}

void pool(Inference& n) {
  const Shape& x = batched_images(n);
  if (!n.integers("kernel_shape")) n.refuse("attribute 'kernel_shape' is missing");
  const auto axes = windows(n, x, n.sizes("kernel_shape", x.size() - 2, 1, 1));
  Shape dims{x[0], x[1]};
  for (const Window& a : axes) dims.push_back(a.output);
  for (Tensor& t : n.outputs()) t.dims = dims;
}

void global_pool(Inference& n) {
  if (n.integer("channels_last", 0) != 0) n.refuse("channels_last is not known here");
  const Shape& x = batched_images(n);
  n.output().dims = {x[0], x[1]};
  n.output().dims.resize(x.size(), 1);
}

}  // namespace twofour::nas::onnx
