#include "twofour/nas/space/space.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/nas/space/space_file.h"

namespace twofour::nas {
namespace {

Space shapes(const Network& n) {
  return parse_space(default_space_text("asps"), "default", n);
}

int index_of(const Space& space, std::string_view name) {
  const auto at = std::ranges::find(space.decisions, name, &Decision::name);
  EXPECT_NE(at, space.decisions.end()) << name;
  return int(at - space.decisions.begin());
}

const Layer& find(const Network& n, std::string_view name) {
  return *std::ranges::find(n.layers, name, &Layer::name);
}

/// Every layer reads and adds tensors of its own sizes.
void expect_fits(const Network& n) {
  std::vector<std::array<std::int64_t, 3>> tensors{{28, 28, 1}};
  for (const Layer& l : n.layers) {
    SCOPED_TRACE(l.name);
    const auto& in = tensors[std::size_t(l.input)];
    EXPECT_EQ(l.shape.in_channels, in[2]);
    if (l.pool.kind == PoolKind::none) {
      EXPECT_EQ(l.shape.height, in[0]);
    }
    tensors.push_back({l.shape.out_height(), l.shape.out_width(), l.shape.out_channels});
    if (l.residual >= 0) {
      EXPECT_EQ(tensors[std::size_t(l.residual)], tensors.back());
    }
    if (l.depthwise()) {
      EXPECT_EQ(l.groups, l.shape.in_channels);
      EXPECT_EQ(l.groups, l.shape.out_channels);
    }
  }
}

TEST(Space, EveryCandidateFits) {
  Network n = resnet_small(1, 16, 2);
  n.layers[1].groups = n.layers[1].shape.in_channels;
  const Space space = shapes(n);
  std::uint32_t state = 1;
  for (int i = 0; i < 200; ++i) {
    Candidate c;
    for (const Decision& d : space.decisions)
      c.push_back(int((state = state * 1664525u + 1013904223u) >> 8) % d.count());
    const Architecture made = architecture(space, c);
    expect_fits(made.network);
    for (std::size_t l = 0; l < made.options.size(); ++l) {
      if (info(made.options[l]).sparse) {
        EXPECT_TRUE(made.network.layers[l].sparse_legal());
      }
    }
  }
}

TEST(Space, ArchitectureTakesWhatTheCandidateSays) {
  const Space space = shapes(resnet_small(2, 64, 2));
  Candidate c = uniform_candidate(space, Option::int8_sparse, Option::int8);
  c[std::size_t(index_of(space, "stage2.block1.conv1 kernel"))] = 3;  // 7
  c[std::size_t(index_of(space, "stage2.block1.conv1 width"))] = 0;   // 0.3 * 128 = 38.4: 32
  c[std::size_t(index_of(space, "stage2.block1.proj width"))] = 4;    // 1.25 * 128 = 160
  const Architecture made = architecture(space, c);
  const auto& conv1 = find(made.network, "stage2.block1.conv1").shape;
  EXPECT_EQ(conv1.kernel_h, 7);
  EXPECT_EQ(conv1.kernel_w, 7);
  EXPECT_EQ(conv1.pad, 3);
  EXPECT_EQ(conv1.out_channels, 32);
  EXPECT_EQ(conv1.in_channels, 64);
  const auto& conv2 = find(made.network, "stage2.block1.conv2").shape;
  EXPECT_EQ(conv2.in_channels, 32);
  EXPECT_EQ(conv2.out_channels, 160);
  EXPECT_EQ(conv2.kernel_h, 3);
  EXPECT_EQ(find(made.network, "stage2.block1.proj").shape.out_channels, 160);
  EXPECT_EQ(find(made.network, "stage3.block1.proj").shape.in_channels, 160);
  EXPECT_EQ(
      choice_text(space, c, int(&find(space.backbone, "stage2.block1.conv1") - space.backbone.layers.data())),
      "int8-2:4 k7 w32");
}

TEST(Space, UniformIsTheBackbone) {
  const Network n = resnet_small(2, 64, 2);
  const Space space = shapes(n);
  const Architecture made = architecture(space, uniform_candidate(space, Option::int8_sparse, Option::int8));
  for (std::size_t l = 0; l < n.layers.size(); ++l) {
    EXPECT_EQ(made.network.layers[l].shape.kernel_h, n.layers[l].shape.kernel_h);
    EXPECT_EQ(made.network.layers[l].shape.out_channels, n.layers[l].shape.out_channels);
    const bool edge = l == 0 || l + 1 == n.layers.size();
    EXPECT_EQ(made.options[l], edge ? Option::int8 : Option::int8_sparse);
  }
  // Neither option: the first; no 64: the nearest.
  const Space other = parse_space(
      "schema = 1\nkind = \"asps\"\nmenu = [\"int4\", \"fp16\"]\nwidths = [0.5, 1.25]\n", "other", n);
  const Architecture nearest = architecture(other, uniform_candidate(other, Option::int1, Option::int8));
  EXPECT_EQ(nearest.options[1], Option::int4);
  EXPECT_EQ(nearest.network.layers[0].shape.out_channels, 80);
}

TEST(Space, LargestNetwork) {
  const Network largest = largest_network(shapes(resnet_small(2, 64, 2)));
  expect_fits(largest);
  EXPECT_EQ(find(largest, "stem").shape.out_channels, 96);
  EXPECT_EQ(find(largest, "stem").shape.kernel_h, 3);
  EXPECT_EQ(find(largest, "stage3.block2.conv2").shape.out_channels, 384);
  EXPECT_EQ(find(largest, "stage3.block2.conv2").shape.kernel_h, 7);
  EXPECT_EQ(find(largest, "classifier").shape.in_channels, 384);
}

TEST(Space, TextHasALineALayer) {
  const Space space = parse_space(default_space_text("msps"), "default", resnet_small(1, 16, 1));
  const std::string text = space_text(space, uniform_candidate(space, Option::int4, Option::fp16));
  EXPECT_EQ(std::ranges::count(text, '\n'), std::ptrdiff_t(space.backbone.layers.size()));
  EXPECT_TRUE(text.starts_with("stem: fp16 k3 w16\nstage1.block1.conv1: int4 k3 w16\n")) << text;
}

TEST(Space, RefusesCandidatesOfOthers) {
  const Space space = shapes(resnet_small(1, 16, 1));
  Candidate c(space.decisions.size(), 0);
  EXPECT_NO_THROW(check_candidate(space, c));
  c[3] = space.decisions[3].count();
  EXPECT_THROW(architecture(space, c), Error);
  c[3] = -1;
  EXPECT_THROW(check_candidate(space, c), Error);
  c.pop_back();
  EXPECT_THROW(check_candidate(space, c), Error);
}

TEST(Space, RefusesWhatDoesNotFitTogether) {
  const Space good = shapes(resnet_small(1, 16, 1));
  EXPECT_NO_THROW(check_space(good));
  Space twice = good;
  twice.decisions.push_back(twice.decisions[0]);
  EXPECT_THROW(check_space(twice), Error);
  Space without = good;
  without.decisions.erase(without.decisions.begin());
  EXPECT_THROW(check_space(without), Error);
  Space apart = good;  // the residual's layers in two widths
  Decision& stage = apart.decisions[std::size_t(index_of(apart, "stem width"))];
  stage.layers.pop_back();
  EXPECT_THROW(check_space(apart), Error);
  Space falling = good;
  std::ranges::reverse(falling.decisions[std::size_t(index_of(falling, "stem width"))].sizes);
  EXPECT_THROW(check_space(falling), Error);
}

}  // namespace
}  // namespace twofour::nas
