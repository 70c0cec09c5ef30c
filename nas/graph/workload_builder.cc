#include "twofour/nas/graph/workload_builder.h"

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// A node that makes no products.
Node plain(const std::string& name, const std::string& op, NodeKind kind, std::int64_t elements_in,
           std::int64_t weights = 0) {
  Node node;
  node.name = name;
  node.op = op;
  node.kind = kind;
  node.elements_in = elements_in;
  node.weights = weights;
  return node;
}

}  // namespace

WorkloadBuilder::WorkloadBuilder(std::string name, std::int64_t batch) {
  if (batch < 1 || batch > 1 << 20)
    fail("network {}: batch is {}; it must lie between 1 and 2^20", name, batch);
  workload_.name = std::move(name);
  workload_.batch = batch;
}

Value WorkloadBuilder::image(std::int64_t size) const {
  if (size < 1 || size > 1 << 14)
    fail("network {}: the image size is {}; it must lie between 1 and 16384", workload_.name, size);
  return {-1, workload_.batch, size, size, 3};
}

Value WorkloadBuilder::tokens(std::int64_t sequence, std::int64_t width) const {
  if (sequence < 1 || sequence > 1 << 17)
    fail("network {}: the sequence has {} tokens; it must have between 1 and 131072", workload_.name,
         sequence);
  return {-1, workload_.batch, sequence, 1, width};
}

Value WorkloadBuilder::append(Node node, std::vector<int> inputs, Value shape) {
  node.inputs = std::move(inputs);
  node.elements_out = shape.elements();
  workload_.nodes.push_back(std::move(node));
  shape.node = static_cast<int>(workload_.nodes.size()) - 1;
  return shape;
}

Value WorkloadBuilder::convolution(const std::string& name, const Value& in, const ConvSpec& spec) {
  Node n = plain(name, "Conv", NodeKind::convolution, 0);
  n.batch = in.batch;
  n.height = in.height;
  n.width = in.width;
  n.channels = in.channels;
  n.filters = spec.filters;
  n.kernel_h = n.kernel_w = spec.kernel;
  n.stride_h = n.stride_w = spec.stride;
  n.pad_h = n.pad_w = 2 * spec.padding;
  n.groups = spec.groups;
  n.elements_in = in.elements();
  n.weights =
      spec.filters * (in.channels / spec.groups) * spec.kernel * spec.kernel + (spec.bias ? spec.filters : 0);
  const Value out{-1, in.batch, output_height(n), output_width(n), spec.filters};
  if (out.height < 1 || out.width < 1)
    fail("network {}: at {} the tensor is {} x {}, smaller than the window; use a larger image",
         workload_.name, name, in.height, in.width);
  return append(std::move(n), {in.node}, out);
}

Value WorkloadBuilder::batch_norm(const std::string& name, const Value& in) {
  return append(plain(name, "BatchNormalization", NodeKind::normalisation, in.elements(), 2 * in.channels),
                {in.node}, in);
}

Value WorkloadBuilder::elementwise(const std::string& name, const std::string& op, const Value& in) {
  return append(plain(name, op, NodeKind::elementwise, in.elements()), {in.node}, in);
}

Value WorkloadBuilder::add(const std::string& name, const Value& a, const Value& b) {
  return append(plain(name, "Add", NodeKind::elementwise, a.elements() + b.elements()), {a.node, b.node}, a);
}

Value WorkloadBuilder::add_constant(const std::string& name, const Value& in, std::int64_t constants) {
  return append(plain(name, "Add", NodeKind::elementwise, in.elements(), constants), {in.node}, in);
}

Value WorkloadBuilder::pool(const std::string& name, const Value& in, std::int64_t kernel,
                            std::int64_t stride, std::int64_t padding) {
  const auto size = [&](std::int64_t s) { return (s + 2 * padding - kernel) / stride + 1; };
  if (in.height + 2 * padding < kernel || in.width + 2 * padding < kernel)
    fail("network {}: at {} the tensor is {} x {}, smaller than the window; use a larger image",
         workload_.name, name, in.height, in.width);
  return append(plain(name, "MaxPool", NodeKind::pooling, in.elements()), {in.node},
                {-1, in.batch, size(in.height), size(in.width), in.channels});
}

Value WorkloadBuilder::global_pool(const std::string& name, const Value& in) {
  return append(plain(name, "GlobalAveragePool", NodeKind::pooling, in.elements()), {in.node},
                {-1, in.batch, 1, 1, in.channels});
}

Value WorkloadBuilder::linear(const std::string& name, const Value& in, std::int64_t features) {
  Node n = plain(name, "Gemm", NodeKind::gemm, 0);
  n.m = in.batch * in.height * in.width;
  n.n = features;
  n.k = in.channels;
  n.elements_in = in.elements();
  n.weights = n.n * n.k + n.n;
  return append(std::move(n), {in.node}, {-1, in.batch, in.height, in.width, features});
}

Value WorkloadBuilder::layer_norm(const std::string& name, const Value& in) {
  return append(plain(name, "LayerNormalization", NodeKind::normalisation, in.elements(), 2 * in.channels),
                {in.node}, in);
}

Value WorkloadBuilder::softmax(const std::string& name, const Value& in) {
  return append(plain(name, "Softmax", NodeKind::softmax, in.elements()), {in.node}, in);
}

Value WorkloadBuilder::attention_product(const std::string& name, const Value& a, const Value& b,
                                         std::int64_t heads, std::int64_t rows, std::int64_t columns,
                                         std::int64_t inner) {
  Node n = plain(name, "MatMul", NodeKind::batched_gemm, 0);
  n.batch = a.batch * heads;
  n.m = rows;
  n.n = columns;
  n.k = inner;
  n.elements_in = a.elements() + b.elements();
  return append(std::move(n), {a.node, b.node}, {-1, a.batch, rows, 1, heads * columns});
}

Value WorkloadBuilder::movement(const std::string& name, const std::string& op, const Value& in,
                                const Value& shape, std::int64_t constants) {
  return append(plain(name, op, NodeKind::movement, in.elements(), constants), {in.node}, shape);
}

Value WorkloadBuilder::view(const std::string& name, const std::string& op, const Value& in,
                            const Value& shape) {
  return append(plain(name, op, NodeKind::view, in.elements()), {in.node}, shape);
}

Workload WorkloadBuilder::finish() {
  check(workload_);
  return std::move(workload_);
}

}  // namespace twofour::nas
