// Whole models, made by models/make_models.py; the numbers here are worked out by hand from the networks.
#include <gtest/gtest.h>

#include <map>

#include "twofour/nas/graph/onnx_import.h"

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
