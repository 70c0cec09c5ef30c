#include "twofour/nas/train/onnx_weights.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/train/onnx_wiring.h"

namespace twofour::nas {
namespace {

using onnx::ModelNode;
using Numbers = std::vector<double>;

const onnx::Attribute* attribute(const ModelNode& node, std::string_view name) {
  const auto at = std::ranges::find(node.attributes, name, &onnx::Attribute::name);
  return at == node.attributes.end() ? nullptr : &*at;
}

std::int64_t integer(const ModelNode& node, std::string_view name, std::int64_t otherwise) {
  const onnx::Attribute* a = attribute(node, name);
  return a && a->integer ? *a->integer : otherwise;
}

double number(const ModelNode& node, std::string_view name, double otherwise) {
  const onnx::Attribute* a = attribute(node, name);
  return a && a->number ? *a->number : otherwise;
}

/// "1" where all are alike, else "1/2"; `otherwise` if the attribute is absent.
std::string alike(const ModelNode& node, std::string_view name, std::int64_t otherwise) {
  const onnx::Attribute* a = attribute(node, name);
  if (!a || !a->integers || a->integers->empty()) return std::to_string(otherwise);
  const auto& list = *a->integers;
  if (std::ranges::count(list, list[0]) == std::ssize(list)) return std::to_string(list[0]);
  return fmt::format("{}", fmt::join(list, "/"));
}

std::string convolution_text(const ModelNode& node, const onnx::Shape& weights) {
  std::string text = fmt::format("{}, stride {}, border {}", fmt::join(weights, " x "),
                                 alike(node, "strides", 1), alike(node, "pads", 0));
  if (const auto* a = attribute(node, "auto_pad"); a && a->text && *a->text != "NOTSET")
    text += " " + *a->text;
  if (const std::string d = alike(node, "dilations", 1); d != "1") text += ", dilation " + d;
  if (const std::int64_t g = integer(node, "group", 1); g != 1) text += fmt::format(", {} groups", g);
  return text;
}

std::string convolution_text(const Layer& l) {
  const auto& s = l.shape;
  std::string text = fmt::format("{} x {} x {} x {}, stride {}, border {}", s.out_channels,
                                 s.in_channels / l.groups, s.kernel_h, s.kernel_w, s.stride, s.pad);
  if (l.groups != 1) text += fmt::format(", {} groups", l.groups);
  return text;
}

/// One node with weights.
struct Product {
  const ModelNode* node;
  std::string source, text;  ///< what it reads; its shape
  bool used = false;
};

class Matcher {
 public:
  Matcher(const onnx::Model& model, const Network& network)
      : model_(model), network_(network), wiring_(model) {
    for (const ModelNode& node : model.nodes)
      if (wiring_.has_weights(node))
        products_.push_back(
            {&node, wiring_.source(node.inputs[0]), convolution_text(node, weights(node).dims)});
  }

  std::vector<LayerParameters> run() {
    std::vector<LayerParameters> all;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      Product& product = find(layer);
      product.used = true;
      all.push_back(values(layer, *product.node, i + 1 == network_.layers.size()));
      sources_.push_back(layer.residual < 0 ? product.node->outputs[0] : sum_after(layer, *product.node));
    }
    for (const Product& p : products_)
      if (!p.used)
        fail("{}: node '{}' ({}) has no layer in network {}", model_.file, p.node->name, p.text,
             network_.name);
    return all;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(const Layer& layer, fmt::format_string<Args...> text, Args&&... args) const {
    fail("{}: layer {} of network {}: {}", model_.file, layer.name, network_.name,
         fmt::format(text, std::forward<Args>(args)...));
  }

  const onnx::Constant& weights(const ModelNode& node) const {
    const onnx::Constant* w = wiring_.constant(node.inputs[1]);
    if (w == nullptr)
      fail("{}: the weights of node '{}' ({}) are no constant of the file", model_.file, node.name, node.op);
    return *w;
  }

  bool fits(const Layer& layer, const Product& p) const {
    if (p.node->op == "Conv") return p.text == convolution_text(layer);
    const auto& s = layer.shape;
    const auto& dims = weights(*p.node).dims;
    const onnx::Shape wanted = transposed(*p.node) ? onnx::Shape{s.gemm_k(), s.out_channels}
                                                   : onnx::Shape{s.out_channels, s.gemm_k()};
    return dims == wanted && layer.groups == 1 && s.gemm_n() == 1 && s.pad == 0;
  }

  /// The unused node that reads what the layer reads and has its shape.
  Product& find(const Layer& layer) {
    const std::string& source = sources_[std::size_t(layer.input)];
    std::vector<std::string> others;
    for (Product& p : products_) {
      if (p.used || p.source != source) continue;
      if (fits(layer, p)) return p;
      others.push_back(fmt::format("node '{}' ({}) of {}", p.node->name, p.node->op, p.text));
    }
    if (!others.empty())
      refuse(layer, "it is {}, but the file has there {}", convolution_text(layer), fmt::join(others, ", "));
    refuse(layer, "it is {}, but the file has no further node with weights that reads {}",
           convolution_text(layer),
           layer.input == 0 ? "the network's input"
                            : "what layer " + network_.layers[std::size_t(layer.input - 1)].name + " writes");
  }

  /// The sum with the layer's residual.
  std::string sum_after(const Layer& layer, const ModelNode& product) const {
    const ModelNode* node = &product;
    do {
      node = wiring_.reader(node->outputs[0]);
      if (node == nullptr || wiring_.has_weights(*node))
        refuse(layer, "it ends in a residual add, but after node '{}' the file has none", product.name);
    } while (!wiring_.joins(*node));
    const std::string& residual = sources_[std::size_t(layer.residual)];
    const auto operands = wiring_.variables(*node);
    if (std::ranges::none_of(operands, [&](const std::string& v) { return wiring_.source(v) == residual; }))
      refuse(layer, "node '{}' adds another tensor than the layer's residual", node->name);
    return node->outputs[0];
  }

  static bool transposed(const ModelNode& node) {
    return node.op == "MatMul" || (node.op == "Gemm" && integer(node, "transB", 0) == 0);
  }

  Numbers numbers(const Layer& layer, const std::string& value, std::int64_t count) const {
    const onnx::Constant* c = wiring_.constant(value);
    if (c == nullptr) refuse(layer, "'{}' is no constant of the file", value);
    if (!c->data) refuse(layer, "the elements of '{}' are not in the file; store them in it", value);
    Numbers all = *c->data;
    if (all.size() == 1) all.resize(std::size_t(count), all[0]);
    if (std::int64_t(all.size()) != count)
      refuse(layer, "'{}' has {} elements for {}", value, all.size(), count);
    return all;
  }

  /// Cout x K, K in the order r, s, c; the file's is c, r, s.
  Numbers kernel(const Layer& layer, const ModelNode& node) const {
    const std::int64_t rows = layer.shape.out_channels, columns = layer.weight_columns();
    Numbers w = numbers(layer, node.inputs[1], rows * columns);
    if (transposed(node)) {
      Numbers turned(w.size());
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c)
          turned[std::size_t(r * columns + c)] = w[std::size_t(c * rows + r)];
      w = std::move(turned);
    }
    const double alpha = node.op == "Gemm" ? number(node, "alpha", 1) : 1;
    for (double& x : w) x *= alpha;
    return channels_last(w, layer.shape.kernel_h * layer.shape.kernel_w, columns);
  }

  static Numbers channels_last(const Numbers& w, std::int64_t pixels, std::int64_t columns) {
    Numbers out(w.size());
    const std::int64_t channels = columns / pixels;
    for (std::int64_t i = 0; i < std::int64_t(w.size()); ++i) {
      const std::int64_t row = i / columns, channel = i % columns / pixels, pixel = i % pixels;
      out[std::size_t(row * columns + pixel * channels + channel)] = w[std::size_t(i)];
    }
    return out;
  }

  /// The node's own bias and that of an Add behind it; `last` becomes the last of the two nodes.
  Numbers bias(const Layer& layer, const ModelNode*& last) const {
    const std::int64_t channels = layer.shape.out_channels;
    Numbers b(std::size_t(channels), 0.0);
    const auto add = [&](const std::string& value, double factor) {
      const Numbers more = numbers(layer, value, channels);
      for (std::size_t c = 0; c < b.size(); ++c) b[c] += factor * more[c];
    };
    if (last->inputs.size() > 2 && !last->inputs[2].empty())
      add(last->inputs[2], last->op == "Gemm" ? number(*last, "beta", 1) : 1);
    const ModelNode* next = wiring_.reader(last->outputs[0]);
    if (next == nullptr || next->op != "Add" || wiring_.joins(*next)) return b;
    add(next->inputs[wiring_.constant(next->inputs[0]) == nullptr ? 1 : 0], 1);
    last = next;
    return b;
  }

  LayerParameters values(const Layer& layer, const ModelNode& node, bool classifier) const {
    const std::int64_t channels = layer.shape.out_channels;
    const ModelNode* last = &node;
    Numbers w = kernel(layer, node), beta = bias(layer, last), mean(std::size_t(channels), 0.0),
            gamma(mean.size(), 1.0), variance(mean.size(), 1 - LayerParameters::epsilon);
    const ModelNode* norm = wiring_.reader(last->outputs[0]);
    if (norm != nullptr && norm->op == "BatchNormalization" && norm->inputs.size() >= 5) {
      gamma = numbers(layer, norm->inputs[1], channels);
      mean = numbers(layer, norm->inputs[3], channels);
      variance = numbers(layer, norm->inputs[4], channels);
      for (double& v : variance) v += number(*norm, "epsilon", 1e-5) - LayerParameters::epsilon;
      for (std::size_t c = 0; c < mean.size(); ++c) mean[c] -= beta[c];
      beta = numbers(layer, norm->inputs[2], channels);
    }
    if (classifier) fold(w, gamma, beta, mean, variance);
    const auto floats = [](const Numbers& n) { return std::vector<float>(n.begin(), n.end()); };
    if (classifier) return {floats(w), {}, floats(beta), {}, {}};
    return {floats(w), floats(gamma), floats(beta), floats(mean), floats(variance)};
  }

  /// Weights and bias that need no normalisation.
  static void fold(Numbers& w, const Numbers& gamma, Numbers& beta, const Numbers& mean,
                   const Numbers& variance) {
    const std::size_t columns = w.size() / beta.size();
    for (std::size_t c = 0; c < beta.size(); ++c) {
      const double gain = gamma[c] / std::sqrt(variance[c] + LayerParameters::epsilon);
      for (std::size_t k = 0; k < columns; ++k) w[c * columns + k] *= gain;
      beta[c] -= mean[c] * gain;
    }
  }

  const onnx::Model& model_;
  const Network& network_;
  OnnxWiring wiring_;
  std::vector<Product> products_;
  std::vector<std::string> sources_{""};  ///< of each tensor of the network
};

}  // namespace

std::vector<LayerParameters> onnx_layer_weights(const onnx::Model& model, const Network& network) {
  return Matcher(model, network).run();
}

}  // namespace twofour::nas
