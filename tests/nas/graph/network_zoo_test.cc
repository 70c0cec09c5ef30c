#include "twofour/nas/graph/network_zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/workload_builtin.h"

namespace twofour::nas {
namespace {

using testing::HasSubstr;
using Size = std::array<std::int64_t, 3>;

Size pooled(Size in, const Pool& pool) {
  if (pool.kind == PoolKind::global_average) return {1, 1, in[2]};
  if (pool.kind == PoolKind::max)
    for (const int side : {0, 1})
      in[std::size_t(side)] = (in[std::size_t(side)] + 2 * pool.pad - pool.kernel) / pool.stride + 1;
  return in;
}

const Layer& find(const Network& n, std::string_view name) {
  const auto at = std::ranges::find(n.layers, name, &Layer::name);
  if (at == n.layers.end()) fail("no layer {}", name);
  return *at;
}

std::int64_t weights(const Network& n) {
  std::int64_t sum = 0;
  for (const Layer& l : n.layers) sum += l.shape.out_channels * l.weight_columns();
  return sum;
}

class Zoo : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, Zoo,
                         testing::Values("resnet8", "resnet14", "resnet14-w64", "resnet20-s2", "resnet18",
                                         "resnet18-w8-s1", "resnet34", "resnet50", "vgg11", "vgg13", "vgg16",
                                         "vgg16-w16-gap", "mobilenetv2", "mobilenetv2-w8-s1"),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(Zoo, EveryTensorFits) {
  for (const int image : {32, 45, 224}) {
    const Network n = network_by_name(GetParam(), image, 3, 7);
    std::vector<Size> tensors{{image, image, 3}};
    std::set<std::string> names;
    for (const Layer& l : n.layers) {
      EXPECT_EQ((Size{l.shape.height, l.shape.width, l.shape.in_channels}),
                pooled(tensors.at(std::size_t(l.input)), l.pool))
          << l.name;
      const Size out{l.shape.out_height(), l.shape.out_width(), l.shape.out_channels};
      if (l.residual >= 0) {
        EXPECT_EQ(pooled(tensors.at(std::size_t(l.residual)), l.residual_pool), out) << l.name;
      }
      if (l.pool.pixels != 0) {
        const Size& read = tensors[std::size_t(l.input)];
        EXPECT_EQ(l.pool.pixels, read[0] * read[1]) << l.name;
      }
      tensors.push_back(out);
      EXPECT_TRUE(names.insert(l.name).second) << l.name;
    }
    EXPECT_EQ(tensors.back(), (Size{1, 1, 7}));
    EXPECT_EQ(n.layers.back().activation, Activation::none);
  }
}

/// ResNet-50 v1.5: 4,089,184,256 is the sum over its published layer table; the others are those of
/// torchvision's definitions (1.81, 3.66 and 0.30 GMAC in its documentation).
TEST(NetworkZoo, MultiplyAddsAsPublished) {
  EXPECT_EQ(macs(network_by_name("resnet50", 224, 3, 1000)), 4089184256);
  EXPECT_NEAR(double(macs(network_by_name("resnet18", 224, 3, 1000))), 1.81e9, 0.005e9);
  EXPECT_NEAR(double(macs(network_by_name("resnet34", 224, 3, 1000))), 3.66e9, 0.005e9);
  EXPECT_NEAR(double(macs(network_by_name("mobilenetv2", 224, 3, 1000))), 0.30e9, 0.005e9);
  EXPECT_NEAR(double(macs(network_by_name("vgg16", 224, 3, 1000))), 15.47e9, 0.005e9);
}

/// The workloads come from another builder, which follows an ONNX export.
TEST(NetworkZoo, MultiplyAddsOfTheWorkloads) {
  for (const char* name : {"resnet18", "resnet34", "resnet50", "vgg16", "mobilenetv2"})
    for (const int image : {64, 224})
      EXPECT_EQ(macs(network_by_name(name, image, 3, 1000)),
                macs(builtin_workload(name, {.batch = 1, .image = image})))
          << name << " " << image;
}

/// Parameters of torchvision's networks without biases and batch normalisations: 11,689,512 - 4,800 * 2 -
/// 1,000 for ResNet-18, whose batch normalisations have 4,800 channels.
TEST(NetworkZoo, WeightsAsPublished) {
  EXPECT_EQ(weights(network_by_name("resnet18", 224, 3, 1000)), 11689512 - 2 * 4800 - 1000);
  EXPECT_NEAR(double(weights(network_by_name("resnet50", 224, 3, 1000))), 25.5e6, 0.05e6);
  EXPECT_NEAR(double(weights(network_by_name("mobilenetv2", 224, 3, 1000))), 3.47e6, 0.01e6);
}

TEST(NetworkZoo, Resnet18AddsThePooledStem) {
  const Network n = network_by_name("resnet18", 224, 3, 1000);
  const Pool pool{PoolKind::max, 3, 2, 1};
  const Layer& first = find(n, "stage1.block1.conv1");
  EXPECT_EQ(first.pool, pool);
  EXPECT_EQ(first.pool.pixels, 112 * 112);
  const Layer& second = find(n, "stage1.block1.conv2");
  EXPECT_EQ(second.pool, Pool{});
  EXPECT_EQ(second.residual, 1);
  EXPECT_EQ(second.residual_pool, pool);
}

TEST(NetworkZoo, Resnet50StridesInThe3x3AndPoolsOnce) {
  const Network n = network_by_name("resnet50", 224, 3, 1000);
  ASSERT_EQ(n.layers.size(), 54u);
  EXPECT_EQ(find(n, "stage2.block1.conv1").shape.stride, 1);
  EXPECT_EQ(find(n, "stage2.block1.conv2").shape.stride, 2);
  EXPECT_EQ(find(n, "stage2.block1.proj").shape.stride, 2);
  const Layer &conv = find(n, "stage1.block1.conv1"), &projection = find(n, "stage1.block1.proj");
  EXPECT_EQ(conv.pool, projection.pool);
  EXPECT_EQ(conv.pool.pixels, 112 * 112);
  EXPECT_EQ(projection.pool.pixels, 0);  // one pooling kernel
  const Layer& last = find(n, "stage1.block1.conv3");
  EXPECT_EQ(&n.layers[std::size_t(last.residual - 1)], &projection);
  EXPECT_EQ(last.activation, Activation::relu);
  EXPECT_EQ(projection.activation, Activation::none);
}

TEST(NetworkZoo, VggClassifiers) {
  const Network full = network_by_name("vgg16", 224, 3, 1000);
  ASSERT_EQ(full.layers.size(), 16u);
  EXPECT_EQ(find(full, "fc1").shape.kernel_h, 7);
  EXPECT_EQ(find(full, "fc1").shape.out_channels, 4096);
  EXPECT_EQ(find(full, "fc1").pool, (Pool{PoolKind::max, 2, 2, 0}));
  const Network pooled_form = network_by_name("vgg16-gap", 32, 3, 10);
  ASSERT_EQ(pooled_form.layers.size(), 14u);
  EXPECT_EQ(pooled_form.layers.back().pool.kind, PoolKind::global_average);
  EXPECT_EQ(pooled_form.layers.back().pool.pixels, 4);
  EXPECT_THAT([] { network_by_name("vgg16", 28, 1, 10); },
              testing::ThrowsMessage<Error>(HasSubstr("use larger images")));
}

TEST(NetworkZoo, OptionsOfMobileNet) {
  const Network n = network_by_name("mobilenetv2", 32, 3, 10);
  const auto options = [&](std::string_view name) {
    return legal_options(n, std::size_t(&find(n, name) - n.layers.data()));
  };
  using enum Option;
  EXPECT_EQ(options("block2.depthwise"), (std::vector<Option>{fp16, int8}));
  // The expansion reads a linear tensor with negative values: no integers. It has 16 and 24 channels.
  EXPECT_EQ(options("block2.expand"), (std::vector<Option>{fp16, fp16_sparse}));
  EXPECT_EQ(options("block3.expand"), (std::vector<Option>{fp16}));
  EXPECT_EQ(options("block3.project").size(), default_menu.size());
  EXPECT_EQ(options("classifier"), (std::vector<Option>{fp16, int8}));
  EXPECT_EQ(find(n, "block3.depthwise").groups, 144);
  EXPECT_EQ(find(n, "block3.depthwise").weight_columns(), 9);
  EXPECT_EQ(find(n, "block3.project").residual, find(n, "block3.expand").input);
  EXPECT_EQ(find(n, "block3.project").activation, Activation::none);
  EXPECT_EQ(find(n, "block3.expand").activation, Activation::relu6);
}

TEST(NetworkZoo, NamesGiveWidthAndStride) {
  EXPECT_EQ(find(network_by_name("resnet14-w64", 28, 1, 10), "stem").shape.out_channels, 64);
  EXPECT_EQ(network_by_name("resnet14-w64", 28, 1, 10).layers.size(), resnet_small(2, 64, 1).layers.size());
  EXPECT_EQ(find(network_by_name("resnet8-s2", 28, 1, 10), "stem").shape.stride, 2);
  EXPECT_EQ(find(network_by_name("resnet18-s1", 32, 3, 10), "stem").shape.stride, 1);
  EXPECT_EQ(find(network_by_name("vgg11-w32", 32, 3, 10), "fc2").shape.out_channels, 2048);
  EXPECT_EQ(find(network_by_name("mobilenetv2-w16", 32, 3, 10), "block17.project").shape.out_channels, 160);
  // 24 * 24 / 32 = 18 channels: 16 would be more than a tenth below.
  EXPECT_EQ(find(network_by_name("mobilenetv2-w24", 32, 3, 10), "block2.project").shape.out_channels, 24);
  EXPECT_EQ(network_by_name("resnet18-s1-w32", 32, 3, 10).name, "resnet18-w32-s1");
}

TEST(NetworkZoo, UnknownNamesListTheKnownOnes) {
  for (const auto& unknown :
       std::vector<std::pair<const char*, const char*>>{{"resnet9", "not known"},
                                                        {"", "not known"},
                                                        {"resnet18-x", "'x' is not known"},
                                                        {"resnet18-gap", "'gap' is not known"},
                                                        {"resnet18-w", "'' is no number"},
                                                        {"resnet18-w0", "'0' is no number"},
                                                        {"resnet18-s3", "'3' is no number"},
                                                        {"resnet18-w8x", "'8x' is no number"},
                                                        {"vgg16-s2", "no stem"}})
    EXPECT_THAT([&] { network_by_name(unknown.first, 32, 3, 10); },
                testing::ThrowsMessage<Error>(testing::AllOf(
                    HasSubstr(unknown.second), HasSubstr("mobilenetv2"), HasSubstr("resnet50"))))
        << unknown.first;
  EXPECT_THAT([] { network_by_name("resnet18", 4, 3, 10); },
              testing::ThrowsMessage<Error>(HasSubstr("image size is 4")));
  EXPECT_THAT([] { network_by_name("resnet18", 32, 0, 10); },
              testing::ThrowsMessage<Error>(HasSubstr("number of channels is 0")));
}

}  // namespace
}  // namespace twofour::nas
