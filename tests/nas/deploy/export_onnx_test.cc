// Deployed networks as ONNX, read again by the importer.
#include "twofour/nas/deploy/export_onnx.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deployed_networks.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/deploy/qdq_layer.h"
#include "twofour/nas/graph/network_workload.h"
#include "twofour/nas/graph/onnx_import.h"

namespace twofour::nas {
namespace {

DeployedNetwork mixed() {
  std::mt19937 random(61);
  Network network = resnet_small(1, 16, 2, 12);
  network.layers[1].activation = Activation::relu6;
  return random_deployed(network,
                         {Option::int8, Option::fp16_sparse, Option::int4_sparse, Option::int1, Option::int4,
                          Option::int8_sparse, Option::fp16, Option::int4, Option::int8, Option::int8},
                         random);
}

const onnx::ModelNode& node(const onnx::Model& model, const std::string& name) {
  const auto at = std::ranges::find(model.nodes, name, &onnx::ModelNode::name);
  if (at == model.nodes.end()) throw Error("no node " + name);
  return *at;
}
const onnx::Constant& constant(const onnx::Model& model, const std::string& name) {
  const auto at = std::ranges::find(model.constants, name, &onnx::Constant::name);
  if (at == model.constants.end()) throw Error("no constant " + name);
  return *at;
}

TEST(DeployedOnnx, TheImporterReadsTheSameConvolutions) {
  const DeployedNetwork net = mixed();
  const onnx::Model model = onnx::parse_model(deployed_onnx(net), "net.onnx");
  const Workload got = import_onnx(model, {.batch = 5}).workload, want = workload_of(net.network, 5);
  const std::vector<int> a = convolution_nodes(got), b = convolution_nodes(want);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Node &x = got.nodes[std::size_t(a[i])], &y = want.nodes[std::size_t(b[i])];
    const auto sizes = [](const Node& n) {
      return std::vector{n.batch,    n.height,   n.width,    n.channels, n.filters, n.kernel_h,
                         n.kernel_w, n.stride_h, n.stride_w, n.pad_h,    n.pad_w,   n.groups};
    };
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(sizes(x), sizes(y)) << y.name;
  }
  EXPECT_EQ(macs(got), macs(want));
  EXPECT_EQ(got.nodes.back().elements_out, 5 * 10);
  EXPECT_EQ(model.opset, 13);
}

TEST(DeployedOnnx, LayersHaveTheNodesOfTheirOption) {
  const DeployedNetwork net = mixed();
  const onnx::Model model = onnx::parse_model(deployed_onnx(net), "net.onnx");
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& layer = net.network.layers[i];
    const OptionInfo& o = info(net.layers[i].option);
    const QdqLayer q = qdq_layer(layer, net.layers[i]);
    const onnx::ModelNode& conv = node(model, layer.name);
    const auto dims = [&](const char* part) { return constant(model, layer.name + part).dims; };
    const onnx::Shape weights{layer.shape.out_channels, layer.shape.in_channels, layer.shape.kernel_h,
                              layer.shape.kernel_w};
    if (o.weight == isa::ElementType::f16) {
      EXPECT_EQ(conv.inputs, (std::vector{layer.name + ".float", layer.name + ".weights"}));
      EXPECT_EQ(dims(".halves"), weights);
      EXPECT_EQ(node(model, layer.name + ".half").op, "Cast");
      EXPECT_EQ(node(model, layer.name + ".half").attributes[0].integer, 10);  // FLOAT16
      EXPECT_EQ(node(model, layer.name + ".float").attributes[0].integer, 1);  // FLOAT
      continue;
    }
    std::vector<std::string> inputs{layer.name + ".dequantised", layer.name + ".weights"};
    if (o.activation_bits == 8)
      inputs.push_back(layer.name + ".bias");
    else
      EXPECT_EQ(node(model, layer.name + ".biased").inputs, (std::vector{layer.name, layer.name + ".bias"}));
    EXPECT_EQ(conv.inputs, inputs);
    EXPECT_EQ(dims(".codes"), weights);
    EXPECT_EQ(node(model, layer.name + ".quantised").op, "QuantizeLinear");
    EXPECT_EQ(node(model, layer.name + ".weights").op, "DequantizeLinear");
    EXPECT_EQ(node(model, layer.name + ".weights").attributes[0].integer, 0);  // axis
    EXPECT_EQ(constant(model, layer.name + ".weight_scale").data,
              std::vector<double>(q.scale.begin(), q.scale.end()));
    EXPECT_EQ(constant(model, layer.name + ".input_scale").data, (std::vector<double>{q.input_step}));
    EXPECT_EQ(constant(model, layer.name + ".bias").data, std::vector<double>(q.bias.begin(), q.bias.end()));
    const bool clips = std::ranges::count(model.nodes, layer.name + ".clip", &onnx::ModelNode::name) > 0;
    EXPECT_EQ(clips, o.activation_bits < 8) << layer.name;
    if (clips) {
      EXPECT_EQ(constant(model, layer.name + ".clip.max").data,
                (std::vector<double>{float((1 << o.activation_bits) - 1) * q.input_step}));
    }
  }
  const Layer& residual = net.network.layers[2];
  EXPECT_EQ(node(model, residual.name + ".add").inputs[1],
            net.network.layers[std::size_t(residual.residual - 1)].name + ".relu");
  EXPECT_EQ(constant(model, net.network.layers[1].name + ".relu6.max").data, (std::vector<double>{6}));
}

TEST(DeployedOnnx, TheFileSaysOptionsAndSparseForms) {
  const DeployedNetwork net = mixed();
  const std::string path = testing::TempDir() + "/deployed_onnx_test.onnx";
  write_onnx(path, net);
  const std::string bytes = isa::read_file(path);
  std::remove(path.c_str());
  for (const char* text : {"twofour.stage1.block1.conv1", "fp16-2:4 by mma.sp",
                           "weights 2:4 along the channels", "weights 4:8 in pairs along the channels",
                           "codes of 4 bits, from -7 to 7", "codes of 1 bits, from -1 to 1"})
    EXPECT_NE(bytes.find(text), std::string::npos) << text;
}

TEST(DeployedOnnx, NamesMustDiffer) {
  DeployedNetwork net = mixed();
  net.network.layers[3].name = net.network.layers[1].name;
  EXPECT_THROW(deployed_onnx(net), Error);
}

}  // namespace
}  // namespace twofour::nas
