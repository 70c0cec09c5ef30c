// Shapes of single operators against ONNX's operator texts and worked examples.
#include <gtest/gtest.h>

#include "onnx_build.h"

namespace twofour::nas::onnx {
namespace {

constexpr std::int64_t end = INT64_MAX;  // how exporters write "to the end"

std::string refusal(const auto& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(OnnxConv, OutputSizesAndTheSizesOfTheWorkload) {
  One stem("Conv", {In::of({2, 3, 224, 224}), In::weights({64, 3, 7, 7})},
           {ints("strides", {2, 2}), ints("pads", {3, 3, 3, 3})});
  EXPECT_EQ(stem.dims(), (Shape{2, 64, 112, 112}));
  const Node& n = stem.inference->cost();
  EXPECT_EQ((std::vector{n.batch, n.height, n.width, n.channels, n.filters, n.kernel_h, n.stride_w, n.pad_h}),
            (std::vector<std::int64_t>{2, 224, 224, 3, 64, 7, 2, 6}));

  // 5 x 7 image, 3 x 2 window with dilation 2 x 3, pads top 1, left 0, bottom 2, right 1:
  // rows 5+3-5+1 = 4, columns (7+1-4)/2+1 = 3.
  One uneven(
      "Conv", {In::of({1, 4, 5, 7}), In::weights({6, 2, 3, 2})},
      {ints("dilations", {2, 3}), ints("pads", {1, 0, 2, 1}), ints("strides", {1, 2}), integer("group", 2)});
  EXPECT_EQ(uneven.dims(), (Shape{1, 6, 4, 3}));
  EXPECT_EQ(uneven.inference->cost().groups, 2);
  EXPECT_EQ(uneven.inference->cost().pad_h, 3);
  EXPECT_EQ(uneven.inference->cost().pad_w, 1);
  EXPECT_EQ(uneven.inference->cost().dilation_w, 3);

  EXPECT_EQ(One("Conv", {In::of({1, 2, 10}), In::weights({3, 2, 4})}).dims(), (Shape{1, 3, 7}));
  One same("Conv", {In::of({1, 1, 5, 6}), In::weights({1, 1, 3, 3})},
           {text("auto_pad", "SAME_UPPER"), ints("strides", {2, 2})});
  EXPECT_EQ(same.dims(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(same.inference->cost().pad_h, 2);  // (3-1)*2+3-5
  EXPECT_EQ(same.inference->cost().pad_w, 1);  // (3-1)*2+3-6
  EXPECT_EQ(
      One("Conv", {In::of({1, 1, 5, 5}), In::weights({1, 1, 3, 3})}, {text("auto_pad", "VALID")}).dims(),
      (Shape{1, 1, 3, 3}));
  EXPECT_EQ(
      One("QLinearConv", {In::of({1, 8, 4, 4}), In::weights({}), In::weights({}), In::weights({16, 8, 1, 1}),
                          In::weights({}), In::weights({}), In::weights({}), In::weights({})})
          .dims(),
      (Shape{1, 16, 4, 4}));
}

TEST(OnnxConv, Refusals) {
  const auto conv = [](Shape x, Shape w, std::vector<Attribute> a) {
    return refusal([&] { One("Conv", {In::of(x), In::weights(w)}, a); });
  };
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 2, 3, 3}, {}).find("3 channels in 1 groups, but filters of 2"),
            std::string::npos);
  EXPECT_NE(conv({1, 3, 2, 2}, {4, 3, 3, 3}, {}).find("does not fit"), std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {ints("strides", {0, 1})}).find("'strides' holds 0"),
            std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {ints("pads", {1, 1})}).find("2 numbers instead of 4"),
            std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {integer("group", 0)}).find("0 groups"), std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {ints("kernel_shape", {5, 5})}).find("kernel_shape is 5 x 5"),
            std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8, 8}, {4, 3, 3, 3, 3}, {}).find("one or two spatial"), std::string::npos);
  EXPECT_NE(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {integer("strides", 2)}).find("must be a list"),
            std::string::npos);
  EXPECT_EQ(conv({1, 3, 8, 8}, {4, 3, 3, 3}, {integer("group", 3)}).find("one.onnx: node 'n' (Conv): "), 0U);
}

TEST(OnnxPool, FloorCeilAndTheWindowThatStartsInPadding) {
  const auto pool = [](std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                       bool ceil) {
    return One("MaxPool", {In::of({1, 2, size, size})},
               {ints("kernel_shape", {kernel, kernel}), ints("strides", {stride, stride}),
                ints("pads", {pad, pad, pad, pad}), integer("ceil_mode", ceil)})
        .dims()[3];
  };
  EXPECT_EQ(pool(112, 3, 2, 1, false), 56);
  EXPECT_EQ(pool(32, 5, 3, 0, false), 10);
  EXPECT_EQ(pool(4, 3, 2, 0, true), 2);
  EXPECT_EQ(pool(4, 3, 2, 0, false), 1);
  // torch.nn.functional.max_pool2d(zeros(1, 1, 2, 2), 1, 2, ceil_mode=True): 1, not ceil(1/2)+1 = 2.
  EXPECT_EQ(pool(2, 1, 2, 0, true), 1);
  EXPECT_EQ(One("GlobalAveragePool", {In::of({3, 5, 7, 9})}).dims(), (Shape{3, 5, 1, 1}));
}

TEST(OnnxMatMul, NumpyShapesAndTheirCosts) {
  const auto check = [](Shape a, bool constant_a, Shape b, bool constant_b, Shape out, NodeKind kind,
                        std::vector<std::int64_t> batch_m_n_k) {
    One one("MatMul", {constant_a ? In::weights(a) : In::of(a), constant_b ? In::weights(b) : In::of(b)});
    const Node& n = one.inference->cost();
    EXPECT_EQ(one.dims(), out);
    EXPECT_EQ(n.kind, kind);
    EXPECT_EQ((std::vector{n.batch, n.m, n.n, n.k}), batch_m_n_k);
  };
  using enum NodeKind;
  check({8, 128, 768}, false, {768, 3072}, true, {8, 128, 3072}, NodeKind::gemm, {1, 1024, 3072, 768});
  check({8, 12, 128, 64}, false, {8, 12, 64, 100}, false, {8, 12, 128, 100}, batched_gemm,
        {96, 128, 100, 64});
  check({2, 1, 3, 4}, false, {5, 4, 6}, false, {2, 5, 3, 6}, batched_gemm, {10, 3, 6, 4});
  check({4}, false, {4, 6}, true, {6}, NodeKind::gemm, {1, 1, 6, 4});
  check({2, 3, 4}, false, {4}, true, {2, 3}, NodeKind::gemm, {1, 6, 1, 4});
  check({10, 4}, true, {7, 4, 3}, false, {7, 10, 3}, NodeKind::gemm, {1, 21, 10, 4});  // turned round
  check({6, 3, 4}, false, {6, 4, 5}, true, {6, 3, 5}, NodeKind::gemm, {6, 3, 5, 4});   // weights by batch
  EXPECT_NE(refusal([] {
              One("MatMul", {In::of({2, 3}), In::of({4, 5})});
            }).find("3 columns against 4 rows"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              One("MatMul", {In::of({2, 3, 3}), In::of({4, 3, 3})});
            }).find("do not broadcast"),
            std::string::npos);
}

TEST(OnnxGemm, Transpositions) {
  One plain("Gemm", {In::of({5, 7}), In::weights({7, 9})});
  EXPECT_EQ(plain.dims(), (Shape{5, 9}));
  One turned("Gemm", {In::of({7, 5}), In::weights({9, 7}), In::weights({9})},
             {integer("transA", 1), integer("transB", 1)});
  EXPECT_EQ(turned.dims(), (Shape{5, 9}));
  const Node& n = turned.inference->cost();
  EXPECT_EQ((std::vector{n.m, n.n, n.k}), (std::vector<std::int64_t>{5, 9, 7}));
  EXPECT_NE(refusal([] {
              One("Gemm", {In::of({5, 7}), In::weights({7, 9}), In::weights({2, 5, 9})});
            }).find("C is 2 x 5 x 9"),
            std::string::npos);
}

TEST(OnnxReshape, ZeroCopiesMinusOneFills) {
  const auto to = [](std::vector<double> shape, std::vector<Attribute> a = {}) {
    return One("Reshape", {In::of({2, 3, 4}), In::list(std::move(shape))}, std::move(a)).dims();
  };
  EXPECT_EQ(to({4, -1}), (Shape{4, 6}));
  EXPECT_EQ(to({0, 0, 2, 2}), (Shape{2, 3, 2, 2}));
  EXPECT_EQ(to({-1}), (Shape{24}));
  EXPECT_EQ(One("Reshape", {In::of({0, 3}), In::list({3, 0})}, {integer("allowzero", 1)}).dims(),
            (Shape{3, 0}));
  EXPECT_NE(refusal([&] { to({5, -1}); }).find("do not fill"), std::string::npos);
  EXPECT_NE(refusal([&] { to({-1, -1}); }).find("two sizes of -1"), std::string::npos);
  EXPECT_NE(refusal([&] { to({5, 5}); }).find("cannot become 5 x 5"), std::string::npos);
  EXPECT_NE(refusal([&] { to({-2, 12}); }).find("a size of -2"), std::string::npos);
  EXPECT_NE(refusal([&] {
              to({0, 12, 2}, {integer("allowzero", 1)});
            }).find("cannot become"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              One("Reshape", {In::of({2}), In::of({1})});
            }).find("only when the network runs"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              One("Reshape", {In::of({2}), In::weights({1})});
            }).find("external data"),
            std::string::npos);
}

TEST(OnnxLayout, Shapes) {
  EXPECT_EQ(One("Flatten", {In::of({2, 3, 4, 5})}).dims(), (Shape{2, 60}));
  EXPECT_EQ(One("Flatten", {In::of({2, 3, 4, 5})}, {integer("axis", -1)}).dims(), (Shape{24, 5}));
  EXPECT_EQ(One("Flatten", {In::of({2, 3})}, {integer("axis", 0)}).dims(), (Shape{1, 6}));
  EXPECT_EQ(One("Flatten", {In::of({2, 3})}, {integer("axis", 2)}).dims(), (Shape{6, 1}));
  EXPECT_EQ(One("Squeeze", {In::of({1, 3, 1, 2})}).dims(), (Shape{3, 2}));
  EXPECT_EQ(One("Squeeze", {In::of({1, 3, 1}), In::list({-1})}).dims(), (Shape{1, 3}));
  EXPECT_EQ(One("Squeeze", {In::of({1, 3, 1})}, {ints("axes", {0})}, 11).dims(), (Shape{3, 1}));
  EXPECT_EQ(One("Unsqueeze", {In::of({3, 4}), In::list({0, -1})}).dims(), (Shape{1, 3, 4, 1}));
  EXPECT_EQ(One("Transpose", {In::of({2, 3, 4})}).dims(), (Shape{4, 3, 2}));
  EXPECT_EQ(One("Transpose", {In::of({2, 3, 4})}, {ints("perm", {1, 2, 0})}).dims(), (Shape{3, 4, 2}));
  EXPECT_EQ(One("Expand", {In::of({3, 1}), In::list({2, 1, 6})}).dims(), (Shape{2, 3, 6}));
  EXPECT_EQ(One("Tile", {In::of({2, 3}), In::list({3, 2})}).dims(), (Shape{6, 6}));
  EXPECT_EQ(One("DepthToSpace", {In::of({1, 8, 2, 3})}, {integer("blocksize", 2)}).dims(),
            (Shape{1, 2, 4, 6}));
  EXPECT_EQ(One("SpaceToDepth", {In::of({1, 2, 4, 6})}, {integer("blocksize", 2)}).dims(),
            (Shape{1, 8, 2, 3}));
  EXPECT_NE(refusal([] {
              One("Transpose", {In::of({2, 3})}, {ints("perm", {0, 0})});
            }).find("named twice"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              One("Squeeze", {In::of({2, 3}), In::list({0})});
            }).find("is not 1"),
            std::string::npos);
}

TEST(OnnxSlice, BoundsAsTheOperatorTextClampsThem) {
  const auto slice = [](double from, double to, double step) {
    return One("Slice", {In::of({20}), In::list({from}), In::list({to}), In::list({0}), In::list({step})})
        .dims()[0];
  };
  EXPECT_EQ(slice(0, 10, 1), 10);
  EXPECT_EQ(slice(1, 1000, 1), 19);
  EXPECT_EQ(slice(1000, 1001, 1), 0);
  EXPECT_EQ(slice(0, -1, 1), 19);
  EXPECT_EQ(slice(-5, double(end), 2), 3);
  EXPECT_EQ(slice(20, 0, -4), 5);              // 19 15 11 7 3
  EXPECT_EQ(slice(-1, -double(end), -1), 20);  // reversed
  EXPECT_EQ(slice(0, double(end), double(end)), 1);
  EXPECT_NE(refusal([&] { slice(0, 1, 0); }).find("a step of 0"), std::string::npos);
  EXPECT_EQ(One("Slice", {In::of({20, 10, 5})},
                {ints("axes", {0, 1}), ints("starts", {0, 0}), ints("ends", {3, end})}, 9)
                .dims(),
            (Shape{3, 10, 5}));
}

TEST(OnnxSelect, Shapes) {
  EXPECT_EQ(One("Concat", {In::of({2, 3}), In::of({2, 5})}, {integer("axis", 1)}).dims(), (Shape{2, 8}));
  One halves("Split", {In::of({6, 4})}, {integer("axis", 0)}, 13, 3);
  EXPECT_EQ(halves.dims(2), (Shape{2, 4}));
  One parts("Split", {In::of({7}), In::list({2, 5})}, {}, 13, 2);
  EXPECT_EQ(parts.dims(1), (Shape{5}));
  One ragged("Split", {In::of({7})}, {integer("num_outputs", 3)}, 18, 3);
  EXPECT_EQ(ragged.dims(1), (Shape{3}));
  EXPECT_EQ(ragged.dims(2), (Shape{1}));
  EXPECT_NE(refusal([] { One("Split", {In::of({7})}, {}, 13, 2); }).find("equal parts"), std::string::npos);
  EXPECT_NE(refusal([] {
              One("Split", {In::of({7}), In::list({2, 4})}, {}, 13, 2);
            }).find("2 parts"),
            std::string::npos);
  EXPECT_EQ(One("Gather", {In::weights({30522, 768}), In::of({8, 128})}).dims(), (Shape{8, 128, 768}));
  EXPECT_EQ(One("Gather", {In::of({3, 4, 5}), In::weights({})}, {integer("axis", 1)}).dims(), (Shape{3, 5}));
  EXPECT_EQ(One("Pad", {In::of({1, 3, 4, 5}), In::list({0, 0, 1, 2, 0, 0, 3, 4})}).dims(),
            (Shape{1, 3, 8, 11}));
  EXPECT_EQ(One("Pad", {In::of({1, 3, 4, 5}), In::list({1, -1}), In::none(), In::list({-1})}, {}, 18).dims(),
            (Shape{1, 3, 4, 5}));
  EXPECT_EQ(One("Resize", {In::of({1, 1, 5, 4}), In::none(), In::list({1, 1, 1.5, 2}, false)}).dims(),
            (Shape{1, 1, 7, 8}));
  EXPECT_EQ(One("Resize", {In::of({1, 1, 5, 4}), In::none(), In::none(), In::list({1, 1, 9, 3})}).dims(),
            (Shape{1, 1, 9, 3}));
  EXPECT_EQ(One("TopK", {In::of({3, 9}), In::list({2})}, {}, 13, 2).dims(1), (Shape{3, 2}));
}

TEST(OnnxPointwise, BroadcastReduceNormalise) {
  EXPECT_EQ(One("Add", {In::of({2, 1, 5}), In::of({4, 1})}).dims(), (Shape{2, 4, 5}));
  EXPECT_EQ(One("Where", {In::of({1, 6}), In::of({5, 1}), In::of({})}).dims(), (Shape{5, 6}));
  EXPECT_EQ(One("ReduceMean", {In::of({2, 3, 4})}, {ints("axes", {-1})}).dims(), (Shape{2, 3, 1}));
  EXPECT_EQ(One("ReduceMean", {In::of({2, 3, 4}), In::list({0, 2})}, {integer("keepdims", 0)}, 18).dims(),
            (Shape{3}));
  EXPECT_EQ(One("ReduceSum", {In::of({2, 3})}, {integer("keepdims", 0)}).dims(), (Shape{}));
  EXPECT_EQ(One("ReduceSum", {In::of({2, 3})}, {integer("noop_with_empty_axes", 1)}).dims(), (Shape{2, 3}));
  EXPECT_EQ(One("ReduceSum", {In::of({2, 3}), In::list({})}, {integer("keepdims", 0)}).dims(), (Shape{}));
  EXPECT_EQ(One("ArgMax", {In::of({2, 3})}, {integer("axis", 1), integer("keepdims", 0)}).dims(), (Shape{2}));
  One norm("LayerNormalization", {In::of({2, 3, 4}), In::weights({4})}, {}, 17, 2);
  EXPECT_EQ(norm.dims(0), (Shape{2, 3, 4}));
  EXPECT_EQ(norm.dims(1), (Shape{2, 3, 1}));
  EXPECT_EQ(One("DynamicQuantizeLinear", {In::of({7})}, {}, 11, 3).dims(1), (Shape{}));
  EXPECT_NE(refusal([] { One("Relu", {}); }).find("input 0 is missing"), std::string::npos);
  EXPECT_NE(refusal([] {
              One("BatchNormalization", {In::of({1, 3, 2, 2}), In::weights({4}), In::weights({3})});
            }).find("there are 3 channels"),
            std::string::npos);
}

}  // namespace
}  // namespace twofour::nas::onnx
