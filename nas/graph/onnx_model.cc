#include "twofour/nas/graph/onnx_model.h"

#include <cstring>
#include <limits>

#include "twofour/emu/numerics/half.h"
#include "twofour/isa/error.h"
#include "twofour/nas/graph/onnx_proto.h"

namespace twofour::nas::onnx {
namespace {

namespace pb = ::onnx;

bool is_integral(int type) {
  switch (type) {
    case pb::TensorProto::UINT8:
    case pb::TensorProto::INT8:
    case pb::TensorProto::UINT16:
    case pb::TensorProto::INT16:
    case pb::TensorProto::INT32:
    case pb::TensorProto::INT64:
    case pb::TensorProto::BOOL:
    case pb::TensorProto::UINT32:
    case pb::TensorProto::UINT64: return true;
    default: return false;
  }
}

template <class Repeated>
std::vector<double> doubles(const Repeated& values) {
  return {values.begin(), values.end()};
}

/// Little-endian words of raw_data.
template <class T>
std::vector<double> words(const std::string& raw) {
  std::vector<double> out(raw.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
    out[i] = double(value);
  }
  return out;
}

/// Values of f16 words.
std::vector<double> halves(std::vector<double> bits) {
  for (double& b : bits) b = emu::half_to_float(static_cast<std::uint16_t>(b));
  return bits;
}

std::optional<std::vector<double>> elements_of(const pb::TensorProto& t) {
  if (t.data_location() == pb::TensorProto::EXTERNAL) return std::nullopt;
  const bool raw = t.has_raw_data();
  switch (t.data_type()) {
    case pb::TensorProto::INT64: return raw ? words<std::int64_t>(t.raw_data()) : doubles(t.int64_data());
    case pb::TensorProto::INT32: return raw ? words<std::int32_t>(t.raw_data()) : doubles(t.int32_data());
    case pb::TensorProto::BOOL: return raw ? words<std::uint8_t>(t.raw_data()) : doubles(t.int32_data());
    case pb::TensorProto::FLOAT: return raw ? words<float>(t.raw_data()) : doubles(t.float_data());
    case pb::TensorProto::FLOAT16:
      return halves(raw ? words<std::uint16_t>(t.raw_data()) : doubles(t.int32_data()));
    case pb::TensorProto::DOUBLE: return raw ? words<double>(t.raw_data()) : doubles(t.double_data());
    default: return std::nullopt;
  }
}

/// The number of elements, or a number above `most` where there are more or a size is bad.
std::int64_t count_up_to_limit(const Shape& dims, std::int64_t most) {
  std::int64_t count = 1;
  for (const std::int64_t d : dims) {
    if (d == 0) return 0;
    if (d < 0 || d > most / count) return most + 1;
    count *= d;
  }
  return count;
}

Constant constant_of(const pb::TensorProto& t, std::int64_t most) {
  Constant c{t.name(), {t.dims().begin(), t.dims().end()}, is_integral(t.data_type()), std::nullopt};
  const std::int64_t count = count_up_to_limit(c.dims, most);
  if (count > most) return c;
  c.data = elements_of(t);
  if (c.data && std::int64_t(c.data->size()) != count) c.data.reset();
  return c;
}

Attribute attribute_of(const pb::AttributeProto& a, std::int64_t most) {
  Attribute out;
  out.name = a.name();
  switch (a.type()) {
    case pb::AttributeProto::INT: out.integer = a.i(); break;
    case pb::AttributeProto::FLOAT: out.number = double(a.f()); break;
    case pb::AttributeProto::STRING: out.text = a.s(); break;
    case pb::AttributeProto::INTS: out.integers.emplace(a.ints().begin(), a.ints().end()); break;
    case pb::AttributeProto::FLOATS: out.numbers = doubles(a.floats()); break;
    case pb::AttributeProto::TENSOR: out.tensor = constant_of(a.t(), most); break;
    default: break;  // graphs and the like: no rule asks for them
  }
  return out;
}

ModelNode node_of(const pb::NodeProto& n, int index, std::int64_t most) {
  ModelNode out{n.name(),
                n.op_type(),
                n.domain() == "ai.onnx" ? "" : n.domain(),
                {n.input().begin(), n.input().end()},
                {n.output().begin(), n.output().end()},
                {}};
  if (out.name.empty()) out.name = out.outputs.empty() ? fmt::format("#{}", index) : out.outputs[0];
  for (const auto& a : n.attribute()) out.attributes.push_back(attribute_of(a, most));
  return out;
}

ValueInfo value_of(const pb::ValueInfoProto& v) {
  ValueInfo out;
  out.name = v.name();
  out.tensor = v.type().has_tensor_type();
  if (!out.tensor || !v.type().tensor_type().has_shape()) return out;
  out.integral = is_integral(v.type().tensor_type().elem_type());
  out.dims.emplace();
  for (const auto& d : v.type().tensor_type().shape().dim())
    out.dims->push_back({d.has_dim_value() ? std::optional(d.dim_value()) : std::nullopt,
                         d.dim_param() == "?" ? "" : d.dim_param()});  // Paddle's for "no name"
  return out;
}

std::int64_t opset_of(const pb::ModelProto& proto) {
  for (const auto& import : proto.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") return import.version();
  return 0;
}

pb::ModelProto parse(const std::string& bytes, const std::string& file) {
  if (bytes.size() > std::size_t(std::numeric_limits<int>::max()))
    fail("{}: larger than 2 GiB, which no ONNX file may be; store the weights as external data", file);
  google::protobuf::SetLogHandler(nullptr);  // its complaints would come before ours
  pb::ModelProto proto;
  if (bytes.empty()) fail("{}: the file is empty", file);
  if (!proto.ParseFromArray(bytes.data(), int(bytes.size())))
    fail("{}: not an ONNX model, or cut short; export or copy it again", file);
  if (!proto.has_graph()) fail("{}: not an ONNX model: it holds no graph", file);
  return proto;
}

}  // namespace

bool can_read_models() {
  return true;
}

Model parse_model(const std::string& bytes, const std::string& file, std::int64_t most_elements) {
  const pb::ModelProto proto = parse(bytes, file);
  const pb::GraphProto& graph = proto.graph();
  Model model;
  model.file = file;
  model.name = graph.name();
  model.opset = opset_of(proto);
  for (int i = 0; i < graph.node_size(); ++i) model.nodes.push_back(node_of(graph.node(i), i, most_elements));
  for (const auto& t : graph.initializer()) model.constants.push_back(constant_of(t, most_elements));
  for (const auto& t : graph.sparse_initializer())
    model.constants.push_back(
        {t.values().name(), {t.dims().begin(), t.dims().end()}, is_integral(t.values().data_type()), {}});
  for (const auto& v : graph.input()) model.inputs.push_back(value_of(v));
  for (const auto& v : graph.value_info()) model.stated.push_back(value_of(v));
  for (const auto& v : graph.output()) model.stated.push_back(value_of(v));
  return model;
}

}  // namespace twofour::nas::onnx
