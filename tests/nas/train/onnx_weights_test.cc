// Weights of an ONNX model: which node is which layer, and what the network then computes.
#include "twofour/nas/train/onnx_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "small_onnx.h"
#include "synthetic_images.h"
#include "twofour/isa/error.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const onnx::Model& model, const Network& network = small_network()) {
  try {
    onnx_layer_weights(model, network);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

/// The loss of one image under each label says what its scores are.
void expect_scores(const std::vector<LayerParameters>& weights, onnx::Model& model) {
  Engine engine(model_spec(small_network()), 5);
  for (std::size_t i = 0; i < weights.size(); ++i) engine.set_layer_parameters(int(i), weights[i]);
  const Dataset data = synthetic_images(6, 3, 3);
  double spread = 0;
  for (int image = 0; image < data.count; ++image) {
    const std::vector<double> want = small_scores(model, data, image);
    double sum = 0;
    for (const double s : want) sum += std::exp(s);
    for (int label = 0; label < 3; ++label) {
      Dataset one = slice(data, image, 1);
      one.labels[0] = static_cast<std::uint8_t>(label);
      EXPECT_NEAR(engine.evaluate(one).loss, std::log(sum) - want[std::size_t(label)], 2e-5)
          << image << " " << label;
    }
    spread = std::max(spread, std::abs(want[0] - want[1]));
  }
  EXPECT_GT(spread, 0.05);
}

TEST(OnnxWeights, ForwardPassIsThatOfTheModel) {
  onnx::Model model = small_onnx();
  expect_scores(onnx_layer_weights(model, small_network()), model);
}

TEST(OnnxWeights, NormalisationsAreKeptOrMadeNeutral) {
  onnx::Model model = small_onnx();
  const auto layers = onnx_layer_weights(model, small_network());
  const std::vector<std::string> names{"stem", "a", "deep", "projection", "b"};
  EXPECT_FLOAT_EQ(layers[0].gamma[1], float((*constant(model, "stem.norm.scale").data)[1]));
  EXPECT_FLOAT_EQ(layers[0].variance[1],
                  float((*constant(model, "stem.norm.variance").data)[1] + 1e-3 - 1e-5));
  EXPECT_EQ(layers[1].gamma, std::vector<float>(8, 1));
  EXPECT_EQ(layers[1].mean, std::vector<float>(8, 0));
  EXPECT_EQ(layers[1].variance, std::vector<float>(8, float(1 - 1e-5)));
  EXPECT_FLOAT_EQ(layers[1].beta[3], float((*constant(model, "a.bias").data)[3]));
  EXPECT_FLOAT_EQ(layers[3].weight[5], float((*constant(model, "projection.weight").data)[5]));
  EXPECT_TRUE(layers[5].gamma.empty());
}

/// The projection before the other branch, a Gemm that is not transposed and has factors, a bias behind a
/// MatMul.
TEST(OnnxWeights, OtherExportersForms) {
  onnx::Model before = small_onnx();
  const auto first = std::ranges::find(before.nodes, "a", &onnx::ModelNode::name),
             branch = std::ranges::find(before.nodes, "projection", &onnx::ModelNode::name);
  std::rotate(first, branch, branch + 2);
  expect_scores(onnx_layer_weights(before, small_network()), before);

  onnx::Model turned = small_onnx();
  const onnx::Constant straight = constant(turned, "fc.weight");
  onnx::Constant& w = constant(turned, "fc.weight");
  w.dims = {8, 3};
  for (std::size_t o = 0; o < 3; ++o)
    for (std::size_t c = 0; c < 8; ++c) (*w.data)[c * 3 + o] = (*straight.data)[o * 8 + c];
  node(turned, "fc").attributes.clear();
  onnx::Model reference = small_onnx();
  expect_scores(onnx_layer_weights(turned, small_network()), reference);

  onnx::Attribute alpha, beta;
  alpha.name = "alpha", alpha.number = 0.5;
  beta.name = "beta", beta.number = 2.0;
  onnx::Model scaled = turned;
  node(scaled, "fc").attributes = {alpha, beta};
  for (double& x : *constant(scaled, "fc.weight").data) x *= 2;
  for (double& x : *constant(scaled, "fc.bias").data) x /= 2;
  expect_scores(onnx_layer_weights(scaled, small_network()), reference);

  node(turned, "fc").op = "MatMul";
  node(turned, "fc").inputs.pop_back();
  turned.nodes.push_back({"bias", "Add", "", {"fc.bias", "fc"}, {"bias"}, {}});
  expect_scores(onnx_layer_weights(turned, small_network()), reference);
}

TEST(OnnxWeights, AnotherShapeNamesTheLayerAndBothShapes) {
  onnx::Model model = small_onnx();
  constant(model, "deep.weight").dims = {8, 1, 5, 5};
  EXPECT_THAT(refusal(model),
              AllOf(HasSubstr("small.onnx"), HasSubstr("layer deep of network small"),
                    HasSubstr("it is 8 x 1 x 3 x 3, stride 1, border 1, 8 groups"),
                    HasSubstr("node 'deep' (Conv) of 8 x 1 x 5 x 5, stride 1, border 1, 8 groups")));
  model = small_onnx();
  node(model, "stem").attributes[0].integers = {{1, 1}};
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer stem"), HasSubstr("stride 2, border 1"),
                                    HasSubstr("stride 1, border 1")));
  model = small_onnx();
  node(model, "stem").attributes[1].integers = {{0, 0, 1, 1}};
  EXPECT_THAT(refusal(model), HasSubstr("border 0/0/1/1"));
  model = small_onnx();
  constant(model, "fc.weight").dims = {4, 8};
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer classifier"), HasSubstr("it is 3 x 8 x 1 x 1"),
                                    HasSubstr("node 'fc' (Gemm) of 4 x 8")));
}

TEST(OnnxWeights, OtherGraphsAreRefused) {
  onnx::Model model = small_onnx();
  node(model, "sum").op = "Relu";
  node(model, "sum").inputs.pop_back();
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer b"), HasSubstr("residual add")));
  model = small_onnx();
  node(model, "sum").inputs[1] = "a.relu";
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer b"), HasSubstr("node 'sum' adds another tensor")));
  model = small_onnx();
  node(model, "fc").inputs[0] = "pool";
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer classifier"), HasSubstr("no further node"),
                                    HasSubstr("layer b writes")));
  model = small_onnx();
  model.constants.push_back(constant(model, "projection.weight"));
  model.constants.back().name = "more.weight";
  model.nodes.push_back({"more", "Conv", "", {"pool", "more.weight"}, {"more"}, {}});
  EXPECT_THAT(refusal(model),
              AllOf(HasSubstr("node 'more' (8 x 4 x 1 x 1"), HasSubstr("no layer in network small")));
}

TEST(OnnxWeights, MissingElementsAreRefused) {
  onnx::Model model = small_onnx();
  constant(model, "a.weight").data.reset();
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("layer a"), HasSubstr("'a.weight' are not in the file")));
  model = small_onnx();
  constant(model, "b.norm.mean").data->pop_back();
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("'b.norm.mean' has 7 elements for 8")));
  model = small_onnx();
  node(model, "a").inputs[1] = "image";
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("node 'a' (Conv)"), HasSubstr("no constant")));
}

TEST(LayerParameters, OfAnotherSizeAreRefused) {
  Engine engine(model_spec(small_network()), 5);
  LayerParameters weights = onnx_layer_weights(small_onnx(), small_network())[1];
  weights.mean.pop_back();
  EXPECT_THAT([&] { engine.set_layer_parameters(1, weights); },
              testing::ThrowsMessage<Error>(HasSubstr("layer a: 7 values for the mean, which has 8")));
}

}  // namespace
}  // namespace twofour::nas
