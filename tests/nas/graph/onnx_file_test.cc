// The file format: protobuf in, plain data out. Models are made here with ONNX's own classes.
#include "twofour/nas/graph/onnx_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/graph/onnx_import.h"

namespace twofour::nas {
namespace {

using testing::HasSubstr;
namespace pb = ::onnx;

/// x [N, 2, 3] reshaped by a Constant whose integers are raw bytes.
pb::ModelProto reshape_model() {
  pb::ModelProto model;
  model.add_opset_import()->set_version(13);
  auto& graph = *model.mutable_graph();
  auto& x = *graph.add_input();
  x.set_name("x");
  auto& type = *x.mutable_type()->mutable_tensor_type();
  type.set_elem_type(pb::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const int d : {2, 3}) type.mutable_shape()->add_dim()->set_dim_value(d);
  auto& constant = *graph.add_node();
  constant.set_op_type("Constant");
  constant.add_output("shape");
  auto& value = *constant.add_attribute();
  value.set_name("value");
  value.set_type(pb::AttributeProto::TENSOR);
  value.mutable_t()->set_data_type(pb::TensorProto::INT64);
  value.mutable_t()->add_dims(2);
  const std::int64_t shape[] = {-1, 6};
  value.mutable_t()->set_raw_data(shape, sizeof shape);
  auto& reshape = *graph.add_node();
  reshape.set_op_type("Reshape");
  reshape.add_input("x");
  reshape.add_input("shape");
  reshape.add_output("y");
  return model;
}

std::string refusal(const std::string& bytes, const OnnxOptions& options = {}) {
  try {
    import_onnx(onnx::parse_model(bytes, "m.onnx"), options);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(OnnxFile, RawConstantsAndNodesWithoutNames) {
  const auto model = onnx::parse_model(reshape_model().SerializeAsString(), "m.onnx");
  EXPECT_EQ(model.opset, 13);
  ASSERT_EQ(model.nodes.size(), 2U);
  EXPECT_EQ(model.nodes[1].name, "y");
  EXPECT_EQ(*model.nodes[0].attributes[0].tensor->data, (std::vector<double>{-1, 6}));
  const Workload w = import_onnx(model, {.batch = 5}).workload;
  ASSERT_EQ(w.nodes.size(), 1U);
  EXPECT_EQ(w.nodes[0].elements_out, 30);
}

TEST(OnnxFile, DataOfEveryType) {
  pb::ModelProto m = reshape_model();
  const auto add = [&](int type) -> pb::TensorProto& {
    auto& t = *m.mutable_graph()->add_initializer();
    t.set_name("t" + std::to_string(m.graph().initializer_size()));
    t.set_data_type(type);
    t.add_dims(1);
    return t;
  };
  add(pb::TensorProto::FLOAT).add_float_data(1.5F);
  add(pb::TensorProto::INT32).add_int32_data(-7);
  add(pb::TensorProto::DOUBLE).add_double_data(0.25);
  const float half = 0.5F;
  add(pb::TensorProto::FLOAT).set_raw_data(&half, sizeof half);
  const std::int32_t three = 3;
  add(pb::TensorProto::INT32).set_raw_data(&three, sizeof three);
  add(pb::TensorProto::INT64).set_raw_data("short", 5);  // fewer bytes than its element needs
  auto& outside = add(pb::TensorProto::INT64);
  outside.set_data_location(pb::TensorProto::EXTERNAL);
  outside.add_int64_data(9);  // what lies outside counts
  const auto model = onnx::parse_model(m.SerializeAsString(), "m.onnx");
  const double expected[] = {1.5, -7, 0.25, 0.5, 3};
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(model.constants[i].data, (std::vector<double>{expected[i]})) << i;
  EXPECT_FALSE(model.constants[0].integral);
  EXPECT_TRUE(model.constants[1].integral);
  EXPECT_FALSE(model.constants[5].data);
  EXPECT_FALSE(model.constants[6].data);
  EXPECT_EQ(model.constants[6].dims, onnx::Shape{1});
}

TEST(OnnxFile, AttributesAndDomains) {
  pb::ModelProto m = reshape_model();
  auto& node = *m.mutable_graph()->mutable_node(1);
  node.set_domain("ai.onnx");
  const auto add = [&](const char* name, pb::AttributeProto::AttributeType type) -> pb::AttributeProto& {
    auto& a = *node.add_attribute();
    a.set_name(name);
    a.set_type(type);
    return a;
  };
  add("i", pb::AttributeProto::INT).set_i(-3);
  add("f", pb::AttributeProto::FLOAT).set_f(2.5F);
  add("s", pb::AttributeProto::STRING).set_s("SAME_UPPER");
  add("is", pb::AttributeProto::INTS).add_ints(4);
  add("fs", pb::AttributeProto::FLOATS).add_floats(0.5F);
  const auto model = onnx::parse_model(m.SerializeAsString(), "m.onnx");
  const auto& n = model.nodes[1];
  EXPECT_EQ(n.domain, "");
  EXPECT_EQ(n.attributes[0].integer, -3);
  EXPECT_EQ(n.attributes[1].number, 2.5);
  EXPECT_EQ(n.attributes[2].text, "SAME_UPPER");
  EXPECT_EQ(n.attributes[3].integers, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(n.attributes[4].numbers, (std::vector<double>{0.5}));
}

TEST(OnnxFile, OlderFilesListConstantsAmongTheInputs) {
  pb::ModelProto m = reshape_model();
  auto& graph = *m.mutable_graph();
  graph.mutable_node()->DeleteSubrange(0, 1);
  auto& shape = *graph.add_initializer();
  shape.set_name("shape");
  shape.set_data_type(pb::TensorProto::INT64);
  shape.add_dims(1);
  shape.add_int64_data(-1);
  graph.add_input()->set_name("shape");
  EXPECT_EQ(import_onnx(onnx::parse_model(m.SerializeAsString(), "m.onnx"), {.batch = 2})
                .workload.nodes[0]
                .elements_out,
            12);
}

TEST(OnnxFile, WhatIsNoModel) {
  EXPECT_THAT(refusal(""), HasSubstr("m.onnx: the file is empty"));
  EXPECT_THAT(refusal("PK\3\4 something else entirely"), HasSubstr("not an ONNX model"));
  EXPECT_THAT(refusal(pb::ModelProto().SerializeAsString() + std::string("\x08\x07", 2)),
              HasSubstr("holds no graph"));
  pb::ModelProto m = reshape_model();
  m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  EXPECT_THAT(refusal(m.SerializeAsString()), HasSubstr("input 'x' is no tensor"));
  EXPECT_THAT(refusal(reshape_model().SerializeAsString()), HasSubstr("--batch N"));
  EXPECT_THROW(import_onnx("no-such-file.onnx"), Error);
}

TEST(OnnxFile, CutAnywhereItIsRefused) {
  const std::string path = TWOFOUR_SOURCE_DIR "/tests/nas/graph/models/transformer_block.onnx";
  const std::string bytes = isa::read_file(path);
  const OnnxOptions options{.batch = 2, .dims = {{"sequence", 8}}};
  ASSERT_EQ(refusal(bytes, options), "accepted");
  for (std::size_t size = 0; size + 1 < bytes.size(); size += 7)
    EXPECT_THAT(refusal(bytes.substr(0, size), options), HasSubstr("m.onnx: ")) << size;
}

}  // namespace
}  // namespace twofour::nas
