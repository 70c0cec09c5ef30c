#include "twofour/nas/compress/permute_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "../square_layer.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using isa::Sparsity;
using testing::ElementsAre;

/// H x W x C integers: every sum below is exact.
struct Tensor {
  std::int64_t h = 0, w = 0, c = 0;
  std::vector<std::int64_t> v;
  std::int64_t at(std::int64_t y, std::int64_t x, std::int64_t k) const {
    return v[std::size_t((y * w + x) * c + k)];
  }
};

Tensor pooled(const Tensor& in, const Pool& pool) {
  if (pool.kind == PoolKind::none) return in;
  Tensor out{1, 1, in.c,
             std::vector<std::int64_t>(std::size_t(in.c), 0)};  // global: the sum stands for the mean
  if (pool.kind == PoolKind::max) {
    out.h = (in.h + 2 * pool.pad - pool.kernel) / pool.stride + 1;
    out.w = (in.w + 2 * pool.pad - pool.kernel) / pool.stride + 1;
    out.v.assign(std::size_t(out.h * out.w * out.c), INT64_MIN);
  }
  for (std::int64_t y = 0; y < in.h; ++y)
    for (std::int64_t x = 0; x < in.w; ++x)
      for (std::int64_t c = 0; c < in.c; ++c) {
        if (pool.kind == PoolKind::global_average) {
          out.v[std::size_t(c)] += in.at(y, x, c);
          continue;
        }
        for (std::int64_t oy = 0; oy < out.h; ++oy)
          for (std::int64_t ox = 0; ox < out.w; ++ox) {
            const std::int64_t r = y + pool.pad - oy * pool.stride, s = x + pool.pad - ox * pool.stride;
            auto& o = out.v[std::size_t((oy * out.w + ox) * out.c + c)];
            if (r >= 0 && r < pool.kernel && s >= 0 && s < pool.kernel) o = std::max(o, in.at(y, x, c));
          }
      }
  return out;
}

/// per_channel: gain and offset.
Tensor run_layer(const Layer& layer, const LayerWeights& weights, const Tensor& from,
                 const Tensor* residual) {
  const Tensor in = pooled(from, layer.pool);
  const auto& s = layer.shape;
  const std::int64_t depth = layer.depthwise() ? 1 : s.in_channels;
  Tensor out{s.out_height(), s.out_width(), s.out_channels, {}};
  for (std::int64_t y = 0; y < out.h; ++y)
    for (std::int64_t x = 0; x < out.w; ++x)
      for (std::int64_t o = 0; o < out.c; ++o) {
        std::int64_t sum = 0;
        for (std::int64_t r = 0; r < s.kernel_h; ++r)
          for (std::int64_t t = 0; t < s.kernel_w; ++t)
            for (std::int64_t c = 0; c < depth; ++c) {
              const std::int64_t iy = y * s.stride + r - s.pad, ix = x * s.stride + t - s.pad;
              if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
              sum += std::int64_t(
                         weights.weight[std::size_t(((o * s.kernel_h + r) * s.kernel_w + t) * depth + c)]) *
                     in.at(iy, ix, layer.depthwise() ? o : c);
            }
        sum = sum * std::int64_t(weights.per_channel[0][std::size_t(o)]) +
              std::int64_t(weights.per_channel[1][std::size_t(o)]);
        if (residual != nullptr) sum += residual->at(y, x, o);
        if (layer.activation != Activation::none) sum = std::max<std::int64_t>(sum, 0);
        out.v.push_back(sum & 0xff);  // keeps numbers small; the same for every channel
      }
  return out;
}

std::vector<std::int64_t> run(const Network& network, const std::vector<LayerWeights>& weights,
                              const Tensor& image) {
  std::vector<Tensor> tensors{image};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& l = network.layers[i];
    tensors.push_back(run_layer(l, weights[i], tensors[std::size_t(l.input)],
                                l.residual < 0 ? nullptr : &tensors[std::size_t(l.residual)]));
  }
  return tensors.back().v;
}

std::vector<LayerWeights> random_weights(const Network& network, unsigned seed) {
  std::mt19937 random(seed);
  const auto integers = [&](std::int64_t n) {
    std::vector<float> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back(float(int(random() % 201) - 100));
    return v;
  };
  std::vector<LayerWeights> weights;
  for (const Layer& l : network.layers) {
    const auto& s = l.shape;
    const auto k = s.kernel_h * s.kernel_w * (l.depthwise() ? 1 : s.in_channels);
    weights.push_back(
        {integers(s.out_channels * k), {integers(s.out_channels), integers(s.out_channels), {}}});
  }
  return weights;
}

Tensor random_image(const Network& network, unsigned seed) {
  std::mt19937 random(seed);
  const auto& s = network.layers[0].shape;
  Tensor t{s.height, s.width, s.in_channels, {}};
  for (std::int64_t i = 0; i < t.h * t.w * t.c; ++i) t.v.push_back(std::int64_t(random() % 256));
  return t;
}

/// Stem; 1x1 expansion, depthwise 3x3, 1x1 projection with residual; max pool; classifier on global pool.
Network mobile_network() {
  Network n{"mobile",
            {square_layer("stem", 6, 3, 16, 3, 0), square_layer("expand", 6, 16, 32, 1, 1),
             square_layer("depthwise", 6, 32, 32, 3, 2), square_layer("project", 6, 32, 16, 1, 3),
             square_layer("pooled", 3, 16, 24, 3, 4), square_layer("classifier", 1, 24, 10, 1, 5)}};
  n.layers[2].groups = 32;
  n.layers[3].residual = 1;
  n.layers[4].pool = {PoolKind::max, 3, 2, 1};
  n.layers[5].pool = {PoolKind::global_average, 0, 0, 0};
  n.layers[5].activation = Activation::none;
  return n;
}

std::vector<Sparsity> forms_of(const Network& network, Sparsity form) {
  std::vector<Sparsity> forms;
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    forms.push_back(
        network.layers[i].sparse_legal() && i > 0 && i + 1 < network.layers.size() ? form : Sparsity::dense);
  return forms;
}

TEST(ChannelGroups, ResidualsTieTensors) {
  // Tensors of one block a stage: image, stem, conv1, conv2, | conv1, proj, conv2, | conv1, proj, conv2,
  // classifier.
  const auto groups = channel_groups(resnet_small(1, 16, 1, 8));
  std::vector<std::vector<int>> tensors;
  for (const auto& g : groups) tensors.push_back(g.tensors);
  EXPECT_THAT(tensors, ElementsAre(std::vector{0}, std::vector{1, 3}, std::vector{2}, std::vector{4},
                                   std::vector{5, 6}, std::vector{7}, std::vector{8, 9}, std::vector{10}));
  EXPECT_THAT(groups[1].writers, ElementsAre(0, 2));
  EXPECT_THAT(groups[1].readers, ElementsAre(1, 3, 4));
  EXPECT_THAT(groups[4].readers, ElementsAre(6, 7));
  EXPECT_EQ(groups[4].channels, 32);
  for (std::size_t i = 0; i < groups.size(); ++i) EXPECT_EQ(groups[i].fixed, i == 0 || i == 7) << i;
}

TEST(ChannelGroups, DepthwiseLayersTieInputAndOutput) {
  const auto groups = channel_groups(mobile_network());
  ASSERT_EQ(groups.size(), 5u);
  EXPECT_THAT(groups[1].tensors, ElementsAre(1, 4));
  EXPECT_THAT(groups[2].tensors, ElementsAre(2, 3));
  EXPECT_THAT(groups[2].writers, ElementsAre(1, 2));
  EXPECT_THAT(groups[2].readers, ElementsAre(3));
}

TEST(PermuteNetwork, OutputsAreTheSameIntegers) {
  for (const Network& network : {resnet_small(1, 16, 2, 8), mobile_network()})
    for (const Sparsity form : {Sparsity::two_of_four, Sparsity::pairs_of_eight, Sparsity::one_of_two}) {
      const auto before = random_weights(network, 5);
      auto weights = before;
      const auto found = permute_network(network, forms_of(network, form), weights, {.escapes = 2});
      EXPECT_GE(found.size(), 2u);
      for (const auto& g : found) {
        EXPECT_GT(g.permutation.kept_after, g.permutation.kept_before) << network.name;
        EXPECT_FALSE(std::ranges::is_sorted(g.permutation.order));
      }
      bool moved = false;
      for (std::size_t i = 0; i < weights.size(); ++i) moved = moved || weights[i].weight != before[i].weight;
      EXPECT_TRUE(moved);
      for (unsigned seed = 0; seed < 3; ++seed) {
        const Tensor image = random_image(network, seed);
        EXPECT_EQ(run(network, weights, image), run(network, before, image)) << network.name;
      }
    }
}

/// Magnitude that the groups keep where the weights stand: the larger half of each group's units.
double kept_in_place(const std::vector<float>& w, Sparsity form) {
  if (form == Sparsity::dense) return 0;
  const std::size_t width = std::size_t(isa::group_columns(form)),
                    unit = form == Sparsity::pairs_of_eight ? 2 : 1;
  double kept = 0;
  for (std::size_t first = 0; first < w.size(); first += width) {
    std::vector<double> size(width / unit, 0.0);
    for (std::size_t i = 0; i < width; ++i) size[i / unit] += double(std::abs(w[first + i]));
    std::ranges::sort(size);
    kept += std::accumulate(size.begin() + std::ptrdiff_t(size.size() / 2), size.end(), 0.0);
  }
  return kept;
}

/// What the search says it keeps is what the permuted weights keep in their new places.
TEST(PermuteNetwork, KeptMagnitudeIsThatOfThePermutedWeights) {
  const Network network = resnet_small(1, 16, 1, 8);
  for (const Sparsity form : {Sparsity::two_of_four, Sparsity::pairs_of_eight}) {
    const auto forms = forms_of(network, form);
    auto weights = random_weights(network, 2);
    for (const auto& g : permute_network(network, forms, weights, {})) {
      double kept = 0;
      for (const int l : g.group.readers)
        kept += kept_in_place(weights[std::size_t(l)].weight, forms[std::size_t(l)]);
      EXPECT_EQ(kept, g.permutation.kept_after);
    }
  }
}

TEST(PermuteNetwork, GroupsWithoutASparseReaderAreLeftAlone) {
  const Network network = resnet_small(1, 16, 1, 8);
  auto weights = random_weights(network, 2);
  const auto before = weights;
  std::vector<Sparsity> forms(network.layers.size(), Sparsity::dense);
  EXPECT_TRUE(permute_network(network, forms, weights, {}).empty());
  forms[2] = Sparsity::two_of_four;  // reads tensor 2, which layer 1 writes
  const auto found = permute_network(network, forms, weights, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].group.tensors, ElementsAre(2));
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_EQ(weights[i].weight == before[i].weight, i != 1 && i != 2) << i;
  EXPECT_NE(weights[1].per_channel, before[1].per_channel);
}

/// Readers of one tensor in two forms: the order never makes them keep less together.
TEST(PermuteNetwork, MixedFormsDoNotLose) {
  const Network network = resnet_small(1, 16, 1, 8);
  auto forms = forms_of(network, Sparsity::two_of_four);
  forms[3] = Sparsity::pairs_of_eight;  // reads tensor 3, as layer 4 and 1 do (tied with tensor 1)
  for (unsigned seed = 0; seed < 10; ++seed) {
    auto weights = random_weights(network, seed);
    const auto before = weights;
    for (const auto& g : permute_network(network, forms, weights, {.escapes = 0})) {
      double gain = 0;
      for (const int l : g.group.readers)
        gain += kept_in_place(weights[std::size_t(l)].weight, forms[std::size_t(l)]) -
                kept_in_place(before[std::size_t(l)].weight, forms[std::size_t(l)]);
      EXPECT_GE(gain, 0);
    }
    const Tensor image = random_image(network, seed);
    EXPECT_EQ(run(network, weights, image), run(network, before, image));
  }
}

/// Many small 2:4 weights would like another order, a few large ones in pairs stand as well as they can.
TEST(PermuteNetwork, AnOrderThatLosesElsewhereIsNotTaken) {
  const Network network = resnet_small(1, 16, 1, 8);
  std::vector<Sparsity> forms(network.layers.size(), Sparsity::dense);
  forms[1] = forms[3] = Sparsity::two_of_four;
  forms[4] = Sparsity::pairs_of_eight;
  auto weights = random_weights(network, 3);
  for (std::size_t i = 0; i < weights[4].weight.size(); ++i) weights[4].weight[i] = i % 8 < 4 ? 1e5f : 0;
  const auto before = weights;
  const auto found = permute_network(network, forms, weights, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].form, Sparsity::two_of_four);
  EXPECT_TRUE(std::ranges::is_sorted(found[0].permutation.order));
  EXPECT_EQ(found[0].permutation.kept_after, found[0].permutation.kept_before);
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(weights[i].weight, before[i].weight);
}

TEST(PermuteNetwork, WrongSizesAreRefused) {
  const Network network = resnet_small(1, 16, 1, 8);
  auto weights = random_weights(network, 2);
  weights[3].weight.pop_back();
  try {
    permute_network(network, forms_of(network, Sparsity::two_of_four), weights, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("stage2.block1.conv1"));
  }
}

}  // namespace
}  // namespace twofour::nas
