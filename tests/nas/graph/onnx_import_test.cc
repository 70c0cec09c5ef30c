#include "twofour/nas/graph/onnx_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "onnx_build.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using namespace onnx;
using testing::HasSubstr;

std::string refusal(const Model& model, const OnnxOptions& options = {}) {
  try {
    import_onnx(model, options);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

Build relu_of(const std::vector<Dim>& dims) {
  return Build().input("x", dims).node("r", "Relu", {"x"});
}

TEST(OnnxImport, NodesReadEachOtherAndTheInput) {
  const auto built = Build()
                         .input("x", Shape{2, 8, 4, 4})
                         .weights("w", {8, 8, 3, 3})
                         .weights("b", {8})
                         .node("c", "Conv", {"x", "w", "b"}, {ints("pads", {1, 1, 1, 1})})
                         .node("r", "Relu", {"c"})
                         .node("a", "Add", {"r", "x"});
  const Workload w = import_onnx(built.model).workload;
  ASSERT_EQ(w.nodes.size(), 3U);
  EXPECT_EQ(w.name, "g");
  EXPECT_EQ(w.batch, 2);
  EXPECT_EQ(w.nodes[0].inputs, (std::vector{-1}));
  EXPECT_EQ(w.nodes[2].inputs, (std::vector{1, -1}));
  EXPECT_EQ(w.nodes[0].weights, 8 * 8 * 9 + 8);
  EXPECT_EQ(w.nodes[0].elements_in, 256);
  EXPECT_EQ(w.nodes[2].elements_in, 512);
  EXPECT_EQ(w.nodes[2].elements_out, 256);
  EXPECT_EQ(w.nodes[2].kind, NodeKind::elementwise);
}

TEST(OnnxImport, WhatDependsOnConstantsAloneIsNoNode) {
  const auto built = Build()
                         .input("x", Shape{5, 16})
                         .weights("w", {32, 16})
                         .node("t", "Transpose", {"w"})
                         .node("m", "MatMul", {"x", "t"})
                         .node("s", "Shape", {"m"})
                         .node("z", "Reshape", {"m", "s"});
  const Workload w = import_onnx(built.model).workload;
  ASSERT_EQ(w.nodes.size(), 2U);
  EXPECT_EQ(w.nodes[0].kind, NodeKind::gemm);
  EXPECT_EQ(w.nodes[0].weights, 512);
  EXPECT_EQ(w.nodes[1].kind, NodeKind::view);
}

TEST(OnnxImport, WhatIsReadOfTables) {
  const auto built =
      Build()
          .input("ids", Shape{2, 7})
          .weights("table", {100, 64})
          .node("e", "Gather", {"table", "ids"})
          .node("s", "Slice", {"e"}, {ints("axes", {1}), ints("starts", {0}), ints("ends", {1})});
  const Workload w = import_onnx(built.model).workload;
  EXPECT_EQ(w.nodes[0].elements_in, 14);
  EXPECT_EQ(w.nodes[0].weights, 6400);
  EXPECT_EQ(w.nodes[0].elements_out, 14 * 64);
  EXPECT_EQ(w.nodes[1].elements_in, 128);  // of 896: what it takes
}

TEST(OnnxImport, OpenDimensions) {
  const Model m = relu_of({{{}, "N"}, {3, ""}, {{}, "side"}, {{}, ""}}).model;
  const std::string all = refusal(m);
  EXPECT_THAT(all, HasSubstr("input 'x', dimension 0 ('N'): --batch N"));
  EXPECT_THAT(all, HasSubstr("dimension 2 ('side'): --dim side=N"));
  EXPECT_THAT(all, HasSubstr("dimension 3: --dim x:3=N"));
  const auto import = import_onnx(m, {.batch = 4, .dims = {{"side", 10}, {"x:3", 5}}});
  EXPECT_EQ(import.workload.batch, 4);
  EXPECT_EQ(import.workload.nodes[0].elements_out, 4 * 3 * 10 * 5);
  EXPECT_THAT(refusal(m, {.batch = 4, .dims = {{"size", 10}}}), HasSubstr("--dim side=N"));
  EXPECT_THAT(refusal(relu_of({{2, ""}}).model, {.dims = {{"size", 10}}}),
              HasSubstr("no open dimension of that name"));
  EXPECT_THAT(refusal(relu_of({{1, ""}}).model, {.batch = 4}), HasSubstr("--dim x:0=4"));
  EXPECT_EQ(import_onnx(relu_of({{1, ""}}).model, {.batch = 4, .dims = {{"x:0", 4}}}).workload.batch, 4);
  EXPECT_THAT(refusal(m, {.batch = -1}), HasSubstr("a batch of -1"));
  EXPECT_THAT(refusal(relu_of({{{}, "N"}}).model, {.dims = {{"N", -5}}}), HasSubstr("--dim N=-5"));
}

TEST(OnnxImport, ABatchOfTheSameNameElsewhere) {
  const auto built = Build()
                         .input("x", {{{}, "B"}, {4, ""}})
                         .input("y", {{4, ""}, {{}, "B"}})
                         .node("m", "MatMul", {"x", "y"});
  EXPECT_EQ(import_onnx(built.model, {.batch = 3}).workload.nodes[0].elements_out, 9);
}

TEST(OnnxImport, AFirstDimensionOfAnotherNameIsNoBatch) {
  const auto built = Build()
                         .input("x", {{{}, "B"}, {{}, "S"}, {4, ""}})
                         .input("positions", {{{}, "S"}, {4, ""}})
                         .node("a", "Add", {"x", "positions"});
  EXPECT_THAT(refusal(built.model, {.batch = 3}),
              HasSubstr("input 'positions', dimension 0 ('S'): --dim S=N"));
  EXPECT_EQ(import_onnx(built.model, {.batch = 3, .dims = {{"S", 5}}}).workload.nodes[0].elements_out, 60);
}

TEST(OnnxImport, AFixedInputBeforeTheBatchedOne) {
  const auto built =
      Build().input("scale", Shape{1, 4}).input("x", {{{}, "B"}, {4, ""}}).node("m", "Mul", {"x", "scale"});
  const Workload w = import_onnx(built.model, {.batch = 3}).workload;
  EXPECT_EQ(w.batch, 3);
  EXPECT_EQ(w.nodes[0].elements_out, 12);
}

TEST(OnnxImport, UnknownOperatorsAreAllNamed) {
  const auto built = Build()
                         .input("x", Shape{2, 4})
                         .node("one", "LSTM", {"x"})
                         .node("r", "Relu", {"x"})
                         .node("two", "If", {"r"})
                         .states("one", {{2, ""}, {6, ""}})
                         .states("two", {{2, ""}});
  const std::string text = refusal(built.model);
  EXPECT_THAT(text, HasSubstr("2 nodes"));
  EXPECT_THAT(text, HasSubstr("'one' (LSTM), 'two' (If)"));
  const auto import = import_onnx(built.model, {.skip_unsupported = true});
  EXPECT_EQ(import.skipped, (std::vector<std::string>{"'one' (LSTM)", "'two' (If)"}));
  EXPECT_EQ(import.workload.nodes[0].kind, NodeKind::view);
  EXPECT_EQ(import.workload.nodes[0].elements_out, 12);
  const auto unstated = Build().input("x", Shape{2}).node("one", "LSTM", {"x"});
  EXPECT_THAT(refusal(unstated.model, {.skip_unsupported = true}), HasSubstr("does not state the shape"));
}

TEST(OnnxImport, GraphsThatAreNone) {
  EXPECT_THAT(
      refusal(Build().input("x", Shape{2}).node("a", "Add", {"x", "b"}).node("b", "Relu", {"a"}).model),
      HasSubstr(
          "node 'a' (Add) reads 'b', which a later node makes: the graph is not sorted, or has a cycle"));
  EXPECT_THAT(refusal(Build().input("x", Shape{2}).node("a", "Add", {"x", "b"}).model),
              HasSubstr("nothing in the file makes"));
  EXPECT_THAT(refusal(Build().input("x", Shape{2}).node("x", "Relu", {"x"}).model),
              HasSubstr("'x' is made twice"));
  EXPECT_THAT(refusal(Build().input("x", Shape{2}).model), HasSubstr("no nodes"));
  EXPECT_THAT(refusal(relu_of({{-7, ""}}).model), HasSubstr("a size of -7"));
  EXPECT_THAT(refusal(Build().weights("w", {-3}).input("x", Shape{2}).node("r", "Relu", {"x"}).model),
              HasSubstr("constant 'w' has a size of -3"));
  EXPECT_THAT(refusal(relu_of({{std::int64_t{1} << 41, ""}}).model), HasSubstr("has a size of"));
  EXPECT_THAT(refusal(relu_of({{std::int64_t{1} << 21, ""}, {std::int64_t{1} << 21, ""}}).model),
              HasSubstr("more than 2^40 elements"));
  EXPECT_EQ(refusal(relu_of({{std::int64_t{1} << 20, ""}, {std::int64_t{1} << 20, ""}}).model), "accepted");
  EXPECT_THAT(refusal(Build()
                          .input("x", Shape{1 << 21, 1})
                          .input("y", Shape{1, 1 << 21})
                          .node("a", "Add", {"x", "y"})
                          .model),
              HasSubstr("node 'a' (Add)"));
}

TEST(OnnxImport, AnInputWithoutAName) {
  EXPECT_THAT(refusal(Build().input("", Shape{2}).input("x", Shape{2}).node("r", "Relu", {"x"}).model),
              HasSubstr("an input of the graph has no name"));
}

TEST(OnnxImport, Opsets) {
  auto built = relu_of({{2, ""}});
  for (const auto& [opset, answer] : {std::pair<int, const char*>{0, "cut short"},
                                      {5, "opset 5"},
                                      {6, "accepted"},
                                      {27, "accepted"},
                                      {28, "opset 28"}}) {
    built.model.opset = opset;
    EXPECT_THAT(refusal(built.model), HasSubstr(answer));
  }
}

TEST(OnnxImport, StatedShapesMustAgree) {
  EXPECT_EQ(refusal(relu_of({{2, ""}, {3, ""}}).states("r", {{2, ""}, {{}, "any"}}).model), "accepted");
  EXPECT_THAT(refusal(relu_of({{2, ""}, {3, ""}}).states("r", {{2, ""}, {4, ""}}).model),
              HasSubstr("states another shape"));
  EXPECT_THAT(refusal(relu_of({{2, ""}, {3, ""}}).states("r", {{2, ""}}).model),
              HasSubstr("states another shape"));
}

}  // namespace
}  // namespace twofour::nas
