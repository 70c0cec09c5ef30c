#include "twofour/nas/deploy/export_onnx.h"

#include <set>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/deploy/qdq_layer.h"
#include "twofour/nas/graph/onnx_proto.h"

namespace twofour::nas {
namespace {

namespace pb = ::onnx;
using Dims = std::vector<std::int64_t>;

constexpr int opset = 13, ir_version = 7;  // of ONNX 1.8: the first with scales per channel

/// Appends nodes and constants to a graph; every member returns the name of a tensor.
class GraphWriter {
 public:
  explicit GraphWriter(pb::GraphProto& graph) : graph_(graph) {}

  template <class T>
  std::string constant(const std::string& name, pb::TensorProto::DataType type, const Dims& dims,
                       const std::vector<T>& values) {
    pb::TensorProto& t = *graph_.add_initializer();
    t.set_name(name);
    t.set_data_type(type);
    for (const std::int64_t d : dims) t.add_dims(d);
    t.set_raw_data(values.data(), values.size() * sizeof(T));
    return name;
  }

  std::string floats(const std::string& name, const Dims& dims, const std::vector<float>& values) {
    return constant(name, pb::TensorProto::FLOAT, dims, values);
  }

  pb::NodeProto& node(const std::string& op, const std::string& name,
                      const std::vector<std::string>& inputs) {
    pb::NodeProto& n = *graph_.add_node();
    n.set_op_type(op);
    n.set_name(name);
    for (const std::string& i : inputs) n.add_input(i);
    n.add_output(name);
    return n;
  }

  static void integer(pb::NodeProto& n, const char* name, std::int64_t value) {
    pb::AttributeProto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(pb::AttributeProto::INT);
    a.set_i(value);
  }

  static void integers(pb::NodeProto& n, const char* name, const Dims& values) {
    pb::AttributeProto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(pb::AttributeProto::INTS);
    for (const std::int64_t v : values) a.add_ints(v);
  }

 private:
  pb::GraphProto& graph_;
};

/// Writes the nodes of one layer.
class LayerWriter {
 public:
  LayerWriter(GraphWriter& graph, const Layer& layer, const DeployedLayer& deployed)
      : graph_(graph), layer_(layer), option_(deployed.option), q_(qdq_layer(layer, deployed)) {}

  /// From the names of the tensors that it reads to that of its result.
  std::string write(const std::string& input, const std::string& residual) {
    const std::string x = pool(layer_.pool, "pool", input);
    std::string y = q_.is_float ? float_layer(x) : integer_layer(x);
    if (!residual.empty()) y = op("Add", "add", {y, pool(layer_.residual_pool, "residual_pool", residual)});
    if (layer_.activation == Activation::relu) y = op("Relu", "relu", {y});
    if (layer_.activation == Activation::relu6) y = clip("relu6", y, 6);
    return y;
  }

 private:
  std::string named(const std::string& part) const { return layer_.name + "." + part; }
  std::string op(const std::string& type, const std::string& part, const std::vector<std::string>& inputs) {
    graph_.node(type, named(part), inputs);
    return named(part);
  }

  std::string clip(const std::string& part, const std::string& x, float most) {
    const std::string zero = graph_.floats(named(part + ".min"), {}, {0}),
                      limit = graph_.floats(named(part + ".max"), {}, {most});
    return op("Clip", part, {x, zero, limit});
  }

  std::string pool(const Pool& p, const char* part, const std::string& x) {
    if (p.kind == PoolKind::none) return x;
    if (p.kind == PoolKind::global_average) return op("GlobalAveragePool", part, {x});
    pb::NodeProto& n = graph_.node("MaxPool", named(part), {x});
    GraphWriter::integers(n, "kernel_shape", {p.kernel, p.kernel});
    GraphWriter::integers(n, "strides", {p.stride, p.stride});
    GraphWriter::integers(n, "pads", {p.pad, p.pad, p.pad, p.pad});
    return named(part);
  }

  Dims weight_dims() const {
    return {layer_.shape.out_channels, q_.group_channels, layer_.shape.kernel_h, layer_.shape.kernel_w};
  }
  Dims channel_dims() const { return {layer_.shape.out_channels, 1, 1}; }

  void convolution(const std::vector<std::string>& inputs) {
    const emu::ConvShape& s = layer_.shape;
    pb::NodeProto& n = graph_.node("Conv", layer_.name, inputs);
    GraphWriter::integers(n, "kernel_shape", {s.kernel_h, s.kernel_w});
    GraphWriter::integers(n, "strides", {s.stride, s.stride});
    GraphWriter::integers(n, "pads", {s.pad, s.pad, s.pad, s.pad});
    GraphWriter::integer(n, "group", layer_.groups);
  }

  std::string integer_layer(std::string x) {
    if (q_.levels < 255) x = clip("clip", x, float(q_.levels) * q_.input_step);
    const std::string step = graph_.floats(named("input_scale"), {}, {q_.input_step}),
                      zero =
                          graph_.constant<std::uint8_t>(named("input_zero"), pb::TensorProto::UINT8, {}, {0});
    x = op("QuantizeLinear", "quantised", {x, step, zero});
    x = op("DequantizeLinear", "dequantised", {x, step, zero});
    if (q_.levels < 255) {
      convolution({x, integer_weights()});
      return biased(layer_.name);
    }
    convolution({x, integer_weights(), graph_.floats(named("bias"), {layer_.shape.out_channels}, q_.bias)});
    return layer_.name;
  }

  std::string biased(const std::string& y) {
    return op("Add", "biased", {y, graph_.floats(named("bias"), channel_dims(), q_.bias)});
  }

  std::string integer_weights() {
    const Dims channels{layer_.shape.out_channels};
    const std::string codes = graph_.constant(named("codes"), pb::TensorProto::INT8, weight_dims(), q_.codes),
                      scale = graph_.floats(named("weight_scale"), channels, q_.scale),
                      zero = graph_.constant(named("weight_zero"), pb::TensorProto::INT8, channels,
                                             std::vector<std::int8_t>(q_.scale.size()));
    pb::NodeProto& n = graph_.node("DequantizeLinear", named("weights"), {codes, scale, zero});
    GraphWriter::integer(n, "axis", 0);
    if (const int bits = info(option_).weight_bits; bits < 8)
      n.set_doc_string(fmt::format("codes of {} bits, from -{} to {}, stored in int8", bits,
                                   largest_weight(option_), largest_weight(option_)));
    return named("weights");
  }

  std::string cast(const std::string& part, const std::string& x, pb::TensorProto::DataType to) {
    GraphWriter::integer(graph_.node("Cast", named(part), {x}), "to", to);
    return named(part);
  }

  std::string float_layer(std::string x) {
    x = cast("half", x, pb::TensorProto::FLOAT16);
    x = cast("float", x, pb::TensorProto::FLOAT);
    const std::string halves =
        graph_.constant(named("halves"), pb::TensorProto::FLOAT16, weight_dims(), q_.halves);
    convolution({x, cast("weights", halves, pb::TensorProto::FLOAT)});
    const std::string y =
        op("Mul", "scaled", {layer_.name, graph_.floats(named("scale"), channel_dims(), q_.scale)});
    return biased(y);
  }

  GraphWriter& graph_;
  const Layer& layer_;
  Option option_;
  QdqLayer q_;
};

void set_value(pb::ValueInfoProto& value, const std::string& name, const Dims& sizes) {
  value.set_name(name);
  pb::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(pb::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t size : sizes) type.mutable_shape()->add_dim()->set_dim_value(size);
}

void add_metadata(pb::ModelProto& model, const std::string& key, const std::string& value) {
  pb::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

/// "int8-2:4 by mma.sp...; weights 2:4 along the channels".
std::string option_text(Option o) {
  const isa::Instruction& i = instruction_of(o);
  std::string text = fmt::format("{} by {}", name(o), isa::ptx_name(i));
  if (!info(o).sparse) return text;
  const bool pairs = i.sparsity == isa::Sparsity::pairs_of_eight;
  return text + (pairs ? "; weights 4:8 in pairs along the channels" : "; weights 2:4 along the channels");
}

void check_names(const Network& network) {
  std::set<std::string> taken{"image", "scores"};
  for (const Layer& layer : network.layers)
    if (!taken.insert(layer.name).second)
      fail("network '{}': the layer name '{}' is taken; ONNX needs different names", network.name,
           layer.name);
}

pb::ModelProto model_of(const DeployedNetwork& net) {
  pb::ModelProto model;
  model.set_ir_version(ir_version);
  model.set_producer_name("twofour");
  model.add_opset_import()->set_version(opset);
  pb::GraphProto& graph = *model.mutable_graph();
  graph.set_name(net.network.name.empty() ? "network" : net.network.name);
  GraphWriter writer(graph);
  std::vector<std::string> tensors{"image"};
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& layer = net.network.layers[i];
    const auto tensor = [&](int t) { return t < 0 ? "" : tensors[std::size_t(t)]; };
    tensors.push_back(
        LayerWriter(writer, layer, net.layers[i]).write(tensor(layer.input), tensor(layer.residual)));
    add_metadata(model, "twofour." + layer.name, option_text(net.layers[i].option));
  }
  GraphWriter::integer(writer.node("Flatten", "scores", {tensors.back()}), "axis", 1);
  const emu::ConvShape &first = net.network.layers.front().shape, &last = net.network.layers.back().shape;
  set_value(*graph.add_input(), "image", {first.in_channels, first.height, first.width});
  set_value(*graph.add_output(), "scores", {last.gemm_m() * last.gemm_n()});
  return model;
}

}  // namespace

bool can_write_onnx() {
  return true;
}

std::string deployed_onnx(const DeployedNetwork& net) {
  check_network(net);
  check_names(net.network);
  std::string bytes;
  if (!model_of(net).SerializeToString(&bytes))
    fail("network '{}': larger than the 2 GiB that an ONNX file may have", net.network.name);
  return bytes;
}

void write_onnx(const std::string& path, const DeployedNetwork& net) {
  isa::write_file(path, deployed_onnx(net));
}

}  // namespace twofour::nas
