#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "twofour/isa/error.h"
#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {
namespace {

struct TensorSize {
  std::int64_t height, width, channels;
  bool operator==(const TensorSize&) const = default;
};

std::string text(const TensorSize& s) {
  return fmt::format("{} x {} x {}", s.height, s.width, s.channels);
}

/// Checks one layer; messages start with its name.
class LayerCheck {
 public:
  LayerCheck(const Layer& layer, const DeployedLayer& deployed) : layer_(layer), deployed_(deployed) {}

  /// Sizes of the tensors so far; the output's is added.
  void wiring(std::vector<TensorSize>& tensors) const {
    const emu::ConvShape& s = layer_.shape;
    if (s.batch != 1 || s.height < 1 || s.width < 1 || s.in_channels < 1 || s.out_channels < 1 ||
        s.kernel_h < 1 || s.kernel_w < 1 || s.stride < 1 || s.pad < 0 || s.height + 2 * s.pad < s.kernel_h ||
        s.width + 2 * s.pad < s.kernel_w)
      refuse("an illegal shape; sizes are at least 1, batch is 1, and the kernel fits the padded image");
    if (layer_.groups != 1 && (layer_.groups != s.in_channels || layer_.groups != s.out_channels))
      refuse(fmt::format("{} groups of {} input and {} output channels; use 1, or one for each channel",
                         layer_.groups, s.in_channels, s.out_channels));
    const TensorSize input = pooled(layer_.input, "input", layer_.pool, tensors);
    const TensorSize expected{s.height, s.width, s.in_channels},
        output{s.out_height(), s.out_width(), s.out_channels};
    if (input != expected)
      refuse(fmt::format("reads tensor {} of {}, but its shape says {}", layer_.input, text(input),
                         text(expected)));
    if (layer_.residual != -1) residual(output, tensors);
    tensors.push_back(output);
  }

  void operands() const {
    const OptionInfo& option = info(deployed_.option);
    const emu::PackedMatrix& w = deployed_.weights;
    if (w.type() != stored_weights(option.option))
      refuse(fmt::format("weights of type {}, but {} needs {}", isa::name(w.type()), option.name,
                         isa::name(stored_weights(option.option))));
    if (layer_.depthwise() && deployed_.option != Option::int8 && deployed_.option != Option::fp16)
      refuse(fmt::format("depthwise layers take int8 or fp16, not {}", option.name));
    if (w.rows() != layer_.shape.gemm_m() || w.cols() != layer_.weight_columns())
      refuse(fmt::format("weights of {} x {}, but its shape needs {} x {}", w.rows(), w.cols(),
                         layer_.shape.gemm_m(), layer_.weight_columns()));
    if (option.sparse) sparsity();
    per_channel(deployed_.bias.size(), "biases");
    if (option.weight == isa::ElementType::f16)
      float_operands();
    else
      integer_operands();
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const { fail("layer '{}': {}", layer_.name, what); }

  TensorSize tensor(int index, std::string_view role, const std::vector<TensorSize>& tensors) const {
    if (index < 0 || index >= int(tensors.size()))
      refuse(fmt::format("its {} is tensor {}; use one that exists before it, 0 to {}", role, index,
                         tensors.size() - 1));
    return tensors[std::size_t(index)];
  }

  void residual(const TensorSize& output, const std::vector<TensorSize>& tensors) const {
    const TensorSize added = pooled(layer_.residual, "residual", layer_.residual_pool, tensors);
    if (added != output)
      refuse(fmt::format("adds residual tensor {} of {} to an output of {}", layer_.residual, text(added),
                         text(output)));
  }

  /// A tensor's size after a pool.
  TensorSize pooled(int index, std::string_view role, const Pool& p,
                    const std::vector<TensorSize>& tensors) const {
    TensorSize size = tensor(index, role, tensors);
    if (p.kind == PoolKind::none) return size;
    if (index == 0) refuse("pools the image; only tensors that a layer wrote can be pooled");
    if (p.kind == PoolKind::global_average) return {1, 1, size.channels};
    if (p.kernel < 1 || p.stride < 1 || p.pad < 0 || p.pad > p.kernel / 2 ||
        std::min(size.height, size.width) + 2 * p.pad < p.kernel)
      refuse(
          fmt::format("a max pool of {} with stride {} and border {} over {}; the border is at most half the "
                      "window, which fits the padded tensor",
                      p.kernel, p.stride, p.pad, text(size)));
    size.height = (size.height + 2 * p.pad - p.kernel) / p.stride + 1;
    size.width = (size.width + 2 * p.pad - p.kernel) / p.stride + 1;
    return size;
  }

  void per_channel(std::size_t count, std::string_view what) const {
    if (std::int64_t(count) != layer_.shape.out_channels)
      refuse(fmt::format("{} {}, but {} output channels; give one each", count, what,
                         layer_.shape.out_channels));
  }

  void sparsity() const {
    if (!layer_.sparse_legal())
      refuse(fmt::format("{} input and {} output channels take no sparse weights; use multiples of 16 and 8",
                         layer_.shape.in_channels, layer_.shape.out_channels));
    emu::SparsityViolation first{};
    if (const std::int64_t bad = emu::count_violations(deployed_.weights, &first); bad > 0)
      refuse(fmt::format(
          "{} groups of its weights are not sparse, first in row {} at column {}; prune them first", bad,
          first.row, first.first_column));
  }

  void integer_operands() const {
    const std::int64_t largest = largest_weight(deployed_.option), k = layer_.weight_columns();
    if (deployed_.weights.type() != isa::ElementType::b1)
      for (std::int64_t r = 0; r < deployed_.weights.rows(); ++r)
        for (std::int64_t c = 0; c < k; ++c)
          if (std::abs(deployed_.weights.integer(r, c)) > largest)
            refuse(fmt::format("weight {} in row {}, column {}; {} takes -{} to {}",
                               deployed_.weights.integer(r, c), r, c, name(deployed_.option), largest,
                               largest));
    // The plane of the sign alone counts 2^(p-1).
    const bool planes = is_bit_serial(deployed_.option) && info(deployed_.option).weight_bits > 1;
    if (k * (largest + planes) * activation_levels(deployed_.option) > INT32_MAX)
      refuse(fmt::format("sums over K = {} could leave 32 bits; use a smaller K or fewer bits", k));
    per_channel(deployed_.output_scale.size(), "output scales");
    scale(deployed_.input_scale);
    for (const FixedScale& s : deployed_.output_scale) scale(s);
  }

  void scale(const FixedScale& s) const {
    if (s.shift < 1 || s.shift > 62) refuse(fmt::format("a fixed-point shift of {}; use 1 to 62", s.shift));
  }

  void float_operands() const {
    for (std::int64_t r = 0; r < deployed_.weights.rows(); ++r)
      for (std::int64_t c = 0; c < deployed_.weights.cols(); ++c)
        if ((deployed_.weights.bits(r, c) & 0x7c00u) == 0x7c00u)
          refuse(fmt::format("the weight in row {}, column {} is infinite or NaN", r, c));
    per_channel(deployed_.float_scale.size(), "float scales");
    for (const double s : deployed_.float_scale)
      if (!std::isfinite(s)) refuse(fmt::format("a float scale of {}; it must be finite", s));
  }

  const Layer& layer_;
  const DeployedLayer& deployed_;
};

}  // namespace

void check_network(const DeployedNetwork& net) {
  const std::vector<Layer>& layers = net.network.layers;
  if (layers.empty() || layers.size() != net.layers.size())
    fail("network '{}': {} layers, {} of them deployed; deploy each, and at least one", net.network.name,
         layers.size(), net.layers.size());
  const emu::ConvShape& first = layers[0].shape;
  std::vector<TensorSize> tensors{{first.height, first.width, first.in_channels}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerCheck check(layers[i], net.layers[i]);
    check.wiring(tensors);
    check.operands();
  }
}

void check_images(const DeployedNetwork& net, const std::vector<std::int32_t>& images, int batch) {
  const emu::ConvShape& s = net.network.layers.at(0).shape;
  const std::int64_t pixels = s.height * s.width * s.in_channels;
  if (batch < 1) fail("network '{}': a batch of {}; run at least one image", net.network.name, batch);
  if (std::int64_t(images.size()) != batch * pixels)
    fail("network '{}': {} image words for a batch of {}; it takes {} x {} x {} words an image",
         net.network.name, images.size(), batch, s.height, s.width, s.in_channels);
}

}  // namespace twofour::nas
