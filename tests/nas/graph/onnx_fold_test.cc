// Values of constants that shapes depend on, against numpy's results for the same expressions.
#include <gtest/gtest.h>

#include "onnx_build.h"
#include "twofour/nas/graph/onnx_fold.h"

namespace twofour::nas::onnx {
namespace {

std::vector<double> folded(std::string_view op, std::vector<In> inputs,
                           std::vector<Attribute> attributes = {}) {
  One one(op, std::move(inputs), std::move(attributes));
  fold(*one.inference);
  return one.inference->output().data.value_or(std::vector<double>{-999});
}

In matrix(Shape dims, std::vector<double> values) {
  In in = In::list(std::move(values));
  in.dims = std::move(dims);
  return in;
}

using Values = std::vector<double>;

TEST(OnnxFold, ShapesOfExporters) {
  EXPECT_EQ(folded("Shape", {In::of({8, 128, 768})}), (Values{8, 128, 768}));
  EXPECT_EQ(folded("Shape", {In::of({8, 128, 768})}, {integer("start", -2)}), (Values{128, 768}));
  EXPECT_EQ(folded("Size", {In::of({8, 3})}), (Values{24}));
  EXPECT_EQ(folded("Gather", {In::list({8, 128, 768}), In::list({-1, 0})}), (Values{768, 8}));
  EXPECT_EQ(folded("Gather", {matrix({2, 3}, {1, 2, 3, 4, 5, 6}), In::list({2, 0})}, {integer("axis", 1)}),
            (Values{3, 1, 6, 4}));
  EXPECT_EQ(folded("Concat", {In::list({8}), In::list({-1, 64})}, {integer("axis", 0)}), (Values{8, -1, 64}));
  EXPECT_EQ(folded("Concat", {matrix({2, 1}, {1, 2}), matrix({2, 2}, {3, 4, 5, 6})}, {integer("axis", 1)}),
            (Values{1, 3, 4, 2, 5, 6}));
  EXPECT_EQ(folded("Slice", {In::list({1, 2, 3, 4, 5}), In::list({-2}), In::list({-9}), In::list({0}),
                             In::list({-2})}),
            (Values{4, 2}));
  EXPECT_EQ(folded("Transpose", {matrix({2, 3}, {1, 2, 3, 4, 5, 6})}), (Values{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(folded("Expand", {In::list({7}), In::list({3})}), (Values{7, 7, 7}));
  EXPECT_EQ(folded("Where", {In::list({1, 0}), In::list({5, 6}), In::list({8})}), (Values{5, 8}));
  EXPECT_EQ(folded("ConstantOfShape", {In::list({2})}), (Values{0, 0}));
  EXPECT_EQ(folded("Range", {matrix({}, {2}), matrix({}, {9}), matrix({}, {3})}), (Values{2, 5, 8}));
  EXPECT_EQ(folded("ReduceProd", {In::list({3, 4, 5})}, {integer("keepdims", 0)}), (Values{60}));
}

TEST(OnnxFold, IntegersDivideAsIntegers) {
  EXPECT_EQ(folded("Div", {In::list({7, -7}), In::list({2})}), (Values{3, -3}));
  EXPECT_EQ(folded("Div", {In::list({7}, false), In::list({2}, false)}), (Values{3.5}));
  EXPECT_EQ(folded("Mod", {In::list({-7}), In::list({3})}), (Values{2}));
  EXPECT_EQ(folded("Cast", {In::list({2.9, -2.9}, false)}, {integer("to", 7)}), (Values{2, -2}));
  EXPECT_EQ(folded("Cast", {In::list({0.5, 0}, false)}, {integer("to", 9)}), (Values{1, 0}));
  EXPECT_EQ(folded("Add", {matrix({2, 1}, {1, 2}), In::list({10, 20})}), (Values{11, 21, 12, 22}));
  EXPECT_EQ(folded("Equal", {In::list({-1, 3}), In::list({-1})}), (Values{1, 0}));
}

TEST(OnnxFold, WhatIsNotKnownStaysUnknown) {
  EXPECT_EQ(folded("Add", {In::list({1}), In::weights({1})}), Values{-999});
  EXPECT_EQ(folded("Exp", {In::list({1})}), Values{-999});
  EXPECT_EQ(folded("ConstantOfShape", {In::list({4097})}), Values{-999});
  EXPECT_THROW(folded("Gather", {In::list({1, 2}), In::list({2})}), Error);
}

}  // namespace
}  // namespace twofour::nas::onnx
