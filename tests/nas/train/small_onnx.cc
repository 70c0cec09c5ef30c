#include "small_onnx.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "twofour/nas/graph/network_builder.h"

namespace twofour::nas {
namespace {

/// channels x side x side.
struct Plane {
  int channels, side;
  std::vector<double> data;
  double& at(int c, int y, int x) { return data[std::size_t((c * side + y) * side + x)]; }
};

Plane convolve(Plane in, const onnx::Constant& w, int stride, int pad, int groups) {
  const int filters = int(w.dims[0]), depth = int(w.dims[1]), k = int(w.dims[2]);
  Plane out{filters, (in.side + 2 * pad - k) / stride + 1, {}};
  for (int f = 0; f < filters; ++f)
    for (int y = 0; y < out.side; ++y)
      for (int x = 0; x < out.side; ++x) {
        double sum = 0;
        for (int c = 0; c < depth; ++c)
          for (int r = 0; r < k; ++r)
            for (int s = 0; s < k; ++s) {
              const int yy = y * stride + r - pad, xx = x * stride + s - pad;
              if (yy < 0 || xx < 0 || yy >= in.side || xx >= in.side) continue;
              sum += in.at(f / (filters / groups) * depth + c, yy, xx) *
                     (*w.data)[std::size_t(((f * depth + c) * k + r) * k + s)];
            }
        out.data.push_back(sum);
      }
  return out;
}

void add_bias(Plane& x, const std::vector<double>& b) {
  for (int i = 0; i < int(x.data.size()); ++i)
    x.data[std::size_t(i)] += b[std::size_t(i / (x.side * x.side))];
}

void relu(Plane& x) {
  for (double& v : x.data) v = std::max(v, 0.0);
}

void normalise(Plane& x, onnx::Model& m, const std::string& name, double epsilon) {
  const auto& scale = *constant(m, name + ".scale").data;
  const auto& shift = *constant(m, name + ".shift").data;
  const auto& mean = *constant(m, name + ".mean").data;
  const auto& variance = *constant(m, name + ".variance").data;
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const std::size_t c = i / std::size_t(x.side * x.side);
    x.data[i] = scale[c] * (x.data[i] - mean[c]) / std::sqrt(variance[c] + epsilon) + shift[c];
  }
}

class Writer {
 public:
  onnx::Model model;

  std::string random(const std::string& name, const onnx::Shape& dims, double low, double high) {
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(float(low + (high - low) * double(random_() % 10007) / 10006));
    model.constants.push_back({name, dims, false, values});
    return name;
  }

  std::string op(const std::string& name, const std::string& kind, const std::vector<std::string>& inputs,
                 std::vector<onnx::Attribute> attributes = {}) {
    model.nodes.push_back({name, kind, "", inputs, {name}, std::move(attributes)});
    return name;
  }

  std::string conv(const std::string& name, const std::string& in, const onnx::Shape& dims,
                   std::int64_t stride, std::int64_t pad, bool bias, std::int64_t groups = 1) {
    std::vector<std::string> inputs{in, random(name + ".weight", dims, -0.5, 0.6)};
    if (bias) inputs.push_back(random(name + ".bias", {dims[0]}, -0.3, 0.3));
    return op(name, "Conv", inputs,
              {list("strides", {stride, stride}), list("pads", {pad, pad, pad, pad}),
               integer("group", groups), list("kernel_shape", {dims[2], dims[3]})});
  }

  std::string norm(const std::string& name, const std::string& in, std::int64_t channels, double epsilon) {
    const std::vector<std::string> inputs{
        in, random(name + ".scale", {channels}, -1, 1.5), random(name + ".shift", {channels}, -0.3, 0.5),
        random(name + ".mean", {channels}, -0.3, 0.3), random(name + ".variance", {channels}, 0.01, 0.5)};
    onnx::Attribute a;
    a.name = "epsilon";
    a.number = epsilon;
    return op(name, "BatchNormalization", inputs, {a});
  }

  static onnx::Attribute list(const std::string& name, std::vector<std::int64_t> values) {
    onnx::Attribute a;
    a.name = name;
    a.integers = std::move(values);
    return a;
  }
  static onnx::Attribute integer(const std::string& name, std::int64_t value) {
    onnx::Attribute a;
    a.name = name;
    a.integer = value;
    return a;
  }

 private:
  std::mt19937 random_{17};
};

}  // namespace

Network small_network() {
  NetworkBuilder net("small", 8, 3, 3);
  NetworkTensor x = net.convolution("stem", net.image(), {4, 3, 2});
  const NetworkTensor pooled = net.max_pool(x, 2, 2, 0);
  x = net.convolution("a", pooled, {8, 3});
  x = net.convolution("deep", x, {8, 3, 1, 1, 8});
  const NetworkTensor projection = net.convolution("projection", pooled, {8, 1}, Activation::none);
  x = net.convolution("b", x, {8, 1});
  net.add_residual(projection);
  return net.pooled_classifier(x);
}

onnx::Model small_onnx() {
  Writer w;
  w.model.file = "small.onnx";
  w.model.opset = 13;
  auto x = w.op("stem.relu", "Relu",
                {w.norm("stem.norm", w.conv("stem", "image", {4, 3, 3, 3}, 2, 1, false), 4, 1e-3)});
  const auto pooled =
      w.op("pool", "MaxPool", {x}, {Writer::list("kernel_shape", {2, 2}), Writer::list("strides", {2, 2})});
  x = w.op("a.relu", "Relu", {w.conv("a", pooled, {8, 4, 3, 3}, 1, 1, true)});
  x = w.op("deep.relu", "Relu",
           {w.norm("deep.norm", w.conv("deep", x, {8, 1, 3, 3}, 1, 1, false, 8), 8, 1e-5)});
  x = w.norm("b.norm", w.conv("b", x, {8, 8, 1, 1}, 1, 0, true), 8, 1e-5);
  const auto projection =
      w.norm("projection.norm", w.conv("projection", pooled, {8, 4, 1, 1}, 1, 0, false), 8, 1e-5);
  x = w.op("sum.relu", "Relu", {w.op("sum", "Add", {x, projection})});
  x = w.op("flat", "Flatten", {w.op("mean", "GlobalAveragePool", {x})});
  w.op("fc", "Gemm", {x, w.random("fc.weight", {3, 8}, -1, 1), w.random("fc.bias", {3}, -0.5, 0.5)},
       {Writer::integer("transB", 1)});
  return std::move(w.model);
}

onnx::ModelNode& node(onnx::Model& model, std::string_view name) {
  return *std::ranges::find(model.nodes, name, &onnx::ModelNode::name);
}
onnx::Constant& constant(onnx::Model& model, std::string_view name) {
  return *std::ranges::find(model.constants, name, &onnx::Constant::name);
}

std::vector<double> small_scores(onnx::Model& m, const Dataset& data, int image) {
  Plane x{3, 8, {}};
  for (int c = 0; c < 3; ++c)
    for (int p = 0; p < 64; ++p) x.data.push_back(data.image(image)[p * 3 + c] / 255.0);
  x = convolve(x, constant(m, "stem.weight"), 2, 1, 1);
  normalise(x, m, "stem.norm", 1e-3);
  relu(x);
  Plane pooled{4, 2, {}};
  for (int c = 0; c < 4; ++c)
    for (int y = 0; y < 2; ++y)
      for (int z = 0; z < 2; ++z)
        pooled.data.push_back(std::max({x.at(c, 2 * y, 2 * z), x.at(c, 2 * y, 2 * z + 1),
                                        x.at(c, 2 * y + 1, 2 * z), x.at(c, 2 * y + 1, 2 * z + 1)}));
  x = convolve(pooled, constant(m, "a.weight"), 1, 1, 1);
  add_bias(x, *constant(m, "a.bias").data);
  relu(x);
  x = convolve(x, constant(m, "deep.weight"), 1, 1, 8);
  normalise(x, m, "deep.norm", 1e-5);
  relu(x);
  x = convolve(x, constant(m, "b.weight"), 1, 0, 1);
  add_bias(x, *constant(m, "b.bias").data);
  normalise(x, m, "b.norm", 1e-5);
  Plane projection = convolve(pooled, constant(m, "projection.weight"), 1, 0, 1);
  normalise(projection, m, "projection.norm", 1e-5);
  for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] += projection.data[i];
  relu(x);
  std::vector<double> scores = *constant(m, "fc.bias").data;
  for (int o = 0; o < 3; ++o)
    for (int c = 0; c < 8; ++c)
      for (int p = 0; p < 4; ++p)
        scores[std::size_t(o)] +=
            (*constant(m, "fc.weight").data)[std::size_t(o * 8 + c)] * x.at(c, p / 2, p % 2) / 4;
  return scores;
}

}  // namespace twofour::nas
