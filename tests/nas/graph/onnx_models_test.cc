// Whole models, made by models/make_models.py; the numbers here are worked out by hand from the networks.
#include <gtest/gtest.h>

#include <map>

#include "twofour/nas/graph/onnx_import.h"
#include "twofour/nas/graph/workload_builtin.h"

namespace twofour::nas {
namespace {

std::map<std::string, Node> nodes_of(const std::string& model, const OnnxOptions& options) {
  const std::string path = TWOFOUR_SOURCE_DIR "/tests/nas/graph/models/" + model + ".onnx";
  std::map<std::string, Node> out;
  for (const Node& n : import_onnx(path, options).workload.nodes) out.emplace(n.name, n);
  return out;
}

void expect_product(const Node& n, NodeKind kind, std::vector<std::int64_t> batch_m_n_k) {
  EXPECT_EQ(n.kind, kind) << n.name;
  EXPECT_EQ((std::vector{n.batch, n.m, n.n, n.k}), batch_m_n_k) << n.name;
}

void expect_same(const Node& a, const Node& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.op, b.op) << b.name;
  EXPECT_EQ(a.kind, b.kind) << b.name;
  EXPECT_EQ(a.inputs, b.inputs) << b.name;
  const auto sizes = [](const Node& n) {
    return std::vector{n.batch,    n.height,     n.width,       n.channels,     n.filters,
                       n.kernel_h, n.kernel_w,   n.stride_h,    n.stride_w,     n.pad_h,
                       n.pad_w,    n.dilation_h, n.dilation_w,  n.groups,       n.m,
                       n.n,        n.k,          n.elements_in, n.elements_out, n.weights};
  };
  EXPECT_EQ(sizes(a), sizes(b)) << b.name;
}

TEST(OnnxModels, ResNet50IsTheOneThatIsBuiltIn) {
  const Workload file =
      import_onnx(TWOFOUR_SOURCE_DIR "/tests/nas/graph/models/resnet50.onnx", {.batch = 8}).workload;
  const Workload built_in = builtin_workload("resnet50", {.batch = 8});
  EXPECT_EQ(file.name, built_in.name);
  EXPECT_EQ(file.batch, 8);
  ASSERT_EQ(file.nodes.size(), built_in.nodes.size());
  for (std::size_t i = 0; i < file.nodes.size(); ++i) expect_same(file.nodes[i], built_in.nodes[i]);
  EXPECT_EQ(macs(file), 8 * 4'089'184'256);  // torchvision's 4.09 G multiply-adds
}

TEST(OnnxModels, TransformerBlock) {
  // 3 sequences of 10 tokens, 64 features, 4 heads of 16.
  const auto nodes = nodes_of("transformer_block", {.batch = 3, .dims = {{"sequence", 10}}});
  for (const char* projection : {"q", "k", "v", "o"})
    expect_product(nodes.at(projection), NodeKind::gemm, {1, 30, 64, 64});
  expect_product(nodes.at("up"), NodeKind::gemm, {1, 30, 256, 64});
  expect_product(nodes.at("down"), NodeKind::gemm, {1, 30, 64, 256});
  expect_product(nodes.at("scores"), NodeKind::batched_gemm, {12, 10, 10, 16});
  expect_product(nodes.at("context"), NodeKind::batched_gemm, {12, 10, 16, 10});
  EXPECT_EQ(nodes.at("softmax").kind, NodeKind::softmax);
  EXPECT_EQ(nodes.at("softmax").elements_in, 12 * 10 * 10);
  EXPECT_EQ(nodes.at("query.heads").kind, NodeKind::movement);
  EXPECT_EQ(nodes.at("merge.reshape").kind, NodeKind::view);
  EXPECT_EQ(nodes.at("merge.reshape").elements_out, 3 * 10 * 64);
  EXPECT_EQ(nodes.at("norm1.mean").elements_out, 30);
  EXPECT_FALSE(nodes.contains("query.sizes"));  // known beforehand
  std::int64_t weights = 0;
  for (const auto& [name, n] : nodes) weights += n.weights;
  EXPECT_EQ(weights, 4 * (64 * 64 + 64) + 64 * 256 + 256 + 256 * 64 + 64 + 4 * 64);
}

TEST(OnnxModels, QuantiseDequantise) {
  const auto nodes = nodes_of("cnn_qdq", {.batch = 4});
  const Node& conv = nodes.at("conv");
  EXPECT_EQ((std::vector{conv.batch, conv.height, conv.width, conv.channels, conv.filters, conv.kernel_h,
                         conv.pad_w}),
            (std::vector<std::int64_t>{4, 8, 8, 16, 32, 3, 2}));
  EXPECT_EQ(conv.weights, 32 * 16 * 9 + 32);
  EXPECT_EQ(conv.inputs.size(), 1U);
  EXPECT_FALSE(nodes.contains("conv.weight.dq"));  // dequantised once, not at every run
  EXPECT_EQ(nodes.at("y.q").kind, NodeKind::elementwise);
  EXPECT_EQ(nodes.at("y.q").elements_in, 4 * 32 * 8 * 8);
  expect_product(nodes.at("fc"), NodeKind::gemm, {1, 4, 10, 32});
}

TEST(OnnxModels, QuantisedOperators) {
  const auto nodes = nodes_of("cnn_qlinear", {});
  const Node& conv = nodes.at("conv");
  EXPECT_EQ(conv.kind, NodeKind::convolution);
  EXPECT_EQ((std::vector{conv.batch, conv.channels, conv.filters, conv.groups, conv.stride_h}),
            (std::vector<std::int64_t>{2, 16, 32, 2, 2}));
  EXPECT_EQ(conv.elements_out, 2 * 32 * 4 * 4);
  EXPECT_EQ(conv.weights, 32 * 8 * 9 + 32);
  EXPECT_EQ(nodes.at("pool").elements_out, 2 * 32 * 2 * 2);
  expect_product(nodes.at("fc1"), NodeKind::gemm, {1, 2, 64, 128});
  expect_product(nodes.at("fc2"), NodeKind::gemm, {1, 2, 10, 64});
  EXPECT_EQ(nodes.at("fc2").op, "MatMulInteger");
}

}  // namespace
}  // namespace twofour::nas
