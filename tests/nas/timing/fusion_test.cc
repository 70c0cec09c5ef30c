#include "twofour/nas/timing/fusion.h"

#include <gtest/gtest.h>

#include "twofour/nas/graph/workload_builder.h"
#include "twofour/nas/graph/workload_builtin.h"
#include "twofour/nas/timing/residency.h"

namespace twofour::nas {
namespace {

using Nodes = std::vector<int>;

TEST(Fusion, AConvolutionTakesWhatFollowsIt) {
  WorkloadBuilder net("chain", 1);
  auto x = net.convolution("conv", net.image(32), {64, 3, 1, 1});  // 0
  x = net.elementwise("relu", "Relu", net.batch_norm("bn", x));    // 1, 2
  net.pool("pool", x, 2, 2, 0);                                    // 3
  const auto kernels = fuse(net.finish(), true);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].nodes, (Nodes{0, 1, 2}));
  EXPECT_EQ(kernels[1].nodes, (Nodes{3}));
  EXPECT_EQ(kernels[1].inputs, (Nodes{2}));
}

/// conv -> conv -> bn -> add(first conv) -> relu; with `extra`, something else reads the second conv's bn.
Workload residual(bool extra) {
  WorkloadBuilder net("residual", 1);
  const auto a = net.convolution("a", net.image(32), {64, 3, 1, 1});              // 0
  const auto b = net.batch_norm("b.bn", net.convolution("b", a, {64, 3, 1, 1}));  // 1, 2
  net.elementwise("relu", "Relu", net.add("add", b, a));                          // 3, 4
  if (extra) net.pool("pool", b, 2, 2, 0);                                        // 5
  return net.finish();
}

TEST(Fusion, AResidualIsReadByTheEpilogueOfTheLaterConvolution) {
  const auto kernels = fuse(residual(false), true);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].nodes, (Nodes{0}));
  EXPECT_EQ(kernels[1].nodes, (Nodes{1, 2, 3, 4}));
  EXPECT_EQ(kernels[1].residuals, (Nodes{0}));
}

TEST(Fusion, StopsAtATensorThatSomethingElseReads) {
  const auto kernels = fuse(residual(true), true);
  ASSERT_EQ(kernels.size(), 4u);
  EXPECT_EQ(kernels[1].nodes, (Nodes{1, 2}));
  EXPECT_EQ(kernels[2].nodes, (Nodes{3, 4}));
  EXPECT_NE(kernels[2].note.find("another reader"), std::string::npos) << kernels[2].note;
}

TEST(Fusion, ADecomposedGeluIsOneEpilogue) {
  WorkloadBuilder net("gelu", 1);
  const auto x = net.linear("up", net.tokens(8, 16), 64);                          // 0
  const auto e = net.elementwise("erf", "Erf", net.elementwise("div", "Div", x));  // 1, 2
  net.add("product", net.elementwise("plus", "Add", e), x);                        // 3, 4
  const auto kernels = fuse(net.finish(), true);
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_EQ(kernels[0].nodes, (Nodes{0, 1, 2, 3, 4}));
  EXPECT_TRUE(kernels[0].residuals.empty());
}

TEST(Fusion, AnOperandThatComesLaterIsNotWaitedFor) {
  WorkloadBuilder net("late", 1);
  const auto image = net.image(32);
  const auto a = net.convolution("a", image, {64, 3, 1, 1});  // 0
  const auto b = net.convolution("b", image, {64, 3, 1, 1});  // 1
  net.add("add", a, b);                                       // 2: joins b
  const auto kernels = fuse(net.finish(), true);
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].nodes, (Nodes{0}));
  EXPECT_EQ(kernels[1].nodes, (Nodes{1, 2}));
  EXPECT_EQ(kernels[1].residuals, (Nodes{0}));
}

TEST(Fusion, OffEveryNodeIsAKernelAndViewsAreNone) {
  const auto workload = builtin_workload("resnet50", {});
  // 53 convolutions and batch normalisations, 49 ReLUs, 16 additions, 2 poolings, 1 classifier.
  EXPECT_EQ(fuse(workload, false).size(), 174u);
  EXPECT_EQ(fuse(workload, true).size(), 56u);  // 53 + 2 + 1
}

TEST(Fusion, AnAttentionIsTwoKernels) {
  const auto kernels = fuse(builtin_workload("bert-base", {}), true);
  // Gather, norm; 12 * (query with key and value, attention, 3 projections, 2 norms); slice, pooler.
  EXPECT_EQ(kernels.size(), 2u + 12 * 7 + 2);
  const auto apart = fuse(builtin_workload("bert-base", {}), false);
  // 12 * (6 projections, 2 products, softmax, 2 norms; 4 transposes, scale, GELU, 2 additions); tanh.
  EXPECT_EQ(apart.size(), 2u + 12 * (11 + 8) + 3);

  const auto& query = kernels[2];
  EXPECT_EQ(query.siblings.size(), 2u);
  EXPECT_EQ(query.results().size(), 3u);
  const auto& attention = kernels[3];
  EXPECT_TRUE(attention.attention);
  EXPECT_EQ(attention.nodes.size(), 4u);  // scores, scale, softmax, context
  EXPECT_EQ(attention.inputs, query.results());
  EXPECT_EQ(kernels[4].inputs, Nodes{attention.result()});
}

/// One head over `tokens`; with `extra`, something else reads the softmax.
std::vector<FusedKernel> attention(std::int64_t tokens, bool extra) {
  WorkloadBuilder net("attention", 1);
  const auto q = net.layer_norm("q", net.tokens(tokens, 64)), v = net.layer_norm("v", net.tokens(tokens, 64));
  const auto scores = net.softmax("softmax", net.attention_product("scores", q, q, 1, tokens, tokens, 64));
  net.attention_product("context", scores, v, 1, tokens, 64, tokens);
  if (extra) net.layer_norm("extra", scores);
  return fuse(net.finish(), true);
}

TEST(Fusion, LongAttentionsAndSharedScoresStayApart) {
  EXPECT_EQ(attention(512, false).size(), 3u);
  EXPECT_EQ(attention(513, false).size(), 5u);
  EXPECT_EQ(attention(512, true).size(), 6u);
}

TEST(Fusion, OnlyProductsOfOneInputRunTogether) {
  WorkloadBuilder net("siblings", 1);
  const auto a = net.layer_norm("a", net.tokens(8, 16)), b = net.layer_norm("b", net.tokens(8, 16));
  net.linear("1", a, 32);
  net.linear("2", b, 32);
  net.elementwise("relu", "Relu", net.linear("3", a, 32));
  net.linear("4", a, 48);
  net.linear("5", net.view("fold", "Reshape", a, {a.node, 1, 4, 1, 32}), 48);  // other rows and columns
  const auto kernels = fuse(net.finish(), true);
  ASSERT_EQ(kernels.size(), 6u);
  EXPECT_EQ(kernels[2].siblings, Nodes{6});  // not 3: a ReLU follows it
}

TEST(Residency, HoldsWhatFitsSinceItsLastUse) {
  Residency l2(100);
  l2.touch(1, 60);
  EXPECT_TRUE(l2.holds(1));
  l2.touch(2, 40);
  EXPECT_TRUE(l2.holds(1));
  EXPECT_TRUE(l2.holds(2));
  l2.touch(3, 1);
  EXPECT_FALSE(l2.holds(1));
  l2.touch(1, 60);  // used again: now the latest
  EXPECT_TRUE(l2.holds(1));
  EXPECT_FALSE(l2.holds(2));
  EXPECT_TRUE(l2.holds(3));
  l2.touch(4, 101);
  EXPECT_FALSE(l2.holds(4));
  EXPECT_FALSE(l2.holds(9));
}

}  // namespace
}  // namespace twofour::nas
