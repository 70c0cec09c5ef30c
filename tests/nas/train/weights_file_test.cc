// Weights from files; the ONNX file is written with ONNX's own classes.
#include "twofour/nas/graph/onnx_proto.h"

#include "twofour/nas/train/weights_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "small_onnx.h"
#include "synthetic_images.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/graph/network_zoo.h"
#include "twofour/nas/train/onnx_weights.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace pb = ::onnx;

void write(pb::AttributeProto& to, const onnx::Attribute& a) {
  to.set_name(a.name);
  if (a.integer) to.set_type(pb::AttributeProto::INT), to.set_i(*a.integer);
  if (a.number) to.set_type(pb::AttributeProto::FLOAT), to.set_f(float(*a.number));
  if (a.integers) {
    to.set_type(pb::AttributeProto::INTS);
    for (const std::int64_t i : *a.integers) to.add_ints(i);
  }
}

/// Constants as raw bytes, or as the format's own lists.
std::string file_bytes(const onnx::Model& model, bool raw) {
  pb::ModelProto proto;
  proto.add_opset_import()->set_version(model.opset);
  auto& graph = *proto.mutable_graph();
  graph.add_input()->set_name("image");
  for (const onnx::ModelNode& n : model.nodes) {
    auto& node = *graph.add_node();
    node.set_name(n.name);
    node.set_op_type(n.op);
    for (const auto& in : n.inputs) node.add_input(in);
    for (const auto& out : n.outputs) node.add_output(out);
    for (const auto& a : n.attributes) write(*node.add_attribute(), a);
  }
  for (const onnx::Constant& c : model.constants) {
    auto& t = *graph.add_initializer();
    t.set_name(c.name);
    t.set_data_type(pb::TensorProto::FLOAT);
    for (const std::int64_t d : c.dims) t.add_dims(d);
    const std::vector<float> values(c.data->begin(), c.data->end());
    if (raw)
      t.set_raw_data(values.data(), values.size() * sizeof(float));
    else
      for (const float v : values) t.add_float_data(v);
  }
  return proto.SerializeAsString();
}

TEST(WeightsFile, OnnxWeightsBecomeTheEngines) {
  const ScratchFolder folder;
  const onnx::Model model = small_onnx();
  const auto layers = onnx_layer_weights(model, small_network());
  Engine expected(model_spec(small_network()), 1);
  for (std::size_t i = 0; i < layers.size(); ++i) expected.set_layer_parameters(int(i), layers[i]);
  for (const bool raw : {true, false}) {
    isa::write_file(folder.file("small.onnx"), file_bytes(model, raw));
    Engine engine(model_spec(small_network()), 2);
    load_weights_file(engine, small_network(), folder.file("small.onnx"));
    EXPECT_EQ(engine.state(), expected.state());
  }
}

TEST(WeightsFile, NanIsRefused) {
  const ScratchFolder folder;
  onnx::Model model = small_onnx();
  Engine engine(model_spec(small_network()), 2);
  const auto before = engine.state();
  (*model.constants.back().data)[0] = std::nan("");
  isa::write_file(folder.file("nan.onnx"), file_bytes(model, true));
  EXPECT_THAT([&] { load_weights_file(engine, small_network(), folder.file("nan.onnx")); },
              testing::ThrowsMessage<Error>(
                  AllOf(HasSubstr(folder.file("nan.onnx")), HasSubstr("of layer "), HasSubstr("NaN"))));
  EXPECT_EQ(engine.state(), before);
}

/// More elements than a model parsed for its shapes keeps.
TEST(WeightsFile, LargeTensorsAreReadToo) {
  const ScratchFolder folder;
  onnx::Model model;
  model.opset = 13;
  std::vector<double> values;
  for (int i = 0; i < 3 * 2048; ++i) values.push_back(i);
  model.constants.push_back({"w", {3, 2048}, false, values});
  onnx::Attribute turned;
  turned.name = "transB", turned.integer = 1;
  model.nodes.push_back({"fc", "Gemm", "", {"image", "w"}, {"fc"}, {turned}});
  Layer layer;
  layer.name = "fc";
  layer.shape = {.in_channels = 2048, .out_channels = 3};
  layer.activation = Activation::none;
  const Network network{"one", {layer}};
  isa::write_file(folder.file("one.onnx"), file_bytes(model, true));
  Engine engine(model_spec(network), 1);
  load_weights_file(engine, network, folder.file("one.onnx"));
  EXPECT_EQ(engine.state()[6000], 6000);
}

/// A ResNet-50 as exported; its elements are filled in here.
TEST(WeightsFile, EveryLayerOfAnExportedResnet50HasItsNode) {
  const std::string path = TWOFOUR_SOURCE_DIR "/tests/nas/graph/models/resnet50.onnx";
  onnx::Model model = onnx::parse_model(isa::read_file(path), path);
  double number = 0;
  for (onnx::Constant& c : model.constants) {
    std::int64_t count = 1;
    for (const std::int64_t d : c.dims) count *= d;
    c.data.emplace(std::size_t(count), ++number);
  }
  const auto layers = onnx_layer_weights(model, network_by_name("resnet50", 224, 3, 1000));
  ASSERT_EQ(layers.size(), 54u);
  std::set<float> numbers;  // another constant for each layer
  for (const LayerParameters& l : layers) numbers.insert(l.weight[0]);
  EXPECT_EQ(numbers.size(), 54u);
  EXPECT_THAT(
      [&] { onnx_layer_weights(model, network_by_name("resnet34", 224, 3, 1000)); },
      testing::ThrowsMessage<Error>(AllOf(HasSubstr("layer stage1.block1.conv1 of network resnet34"),
                                          HasSubstr("64 x 64 x 3 x 3"), HasSubstr("64 x 64 x 1 x 1"))));
}

TEST(WeightsFile, HalvesAreRead) {
  pb::ModelProto proto;
  proto.add_opset_import()->set_version(13);
  auto& t = *proto.mutable_graph()->add_initializer();
  t.set_name("h");
  t.set_data_type(pb::TensorProto::FLOAT16);
  t.add_dims(3);
  const std::uint16_t words[] = {0x3c00, 0xc100, 0x0001};
  t.set_raw_data(words, sizeof words);
  const auto model = onnx::parse_model(proto.SerializeAsString(), "m.onnx");
  EXPECT_EQ(*model.constants[0].data, (std::vector<double>{1, -2.5, 0x1p-24}));
}

TEST(WeightsFile, AMismatchChangesNothing) {
  const ScratchFolder folder;
  onnx::Model model = small_onnx();
  constant(model, "fc.weight").dims = {8, 3};
  isa::write_file(folder.file("small.onnx"), file_bytes(model, true));
  Engine engine(model_spec(small_network()), 2);
  const auto before = engine.state();
  EXPECT_THAT([&] { load_weights_file(engine, small_network(), folder.file("small.onnx")); },
              testing::ThrowsMessage<Error>(
                  AllOf(HasSubstr(folder.file("small.onnx")), HasSubstr("layer classifier"))));
  EXPECT_EQ(engine.state(), before);
  EXPECT_THAT([&] { load_weights_file(engine, small_network(), folder.file("none.ckpt")); },
              testing::ThrowsMessage<Error>(HasSubstr("not found")));
}

}  // namespace
}  // namespace twofour::nas
