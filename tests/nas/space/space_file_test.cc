#include "twofour/nas/space/space_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/graph/network_zoo.h"

namespace twofour::nas {
namespace {

constexpr std::string_view msps = "schema = 1\nkind = \"msps\"\nmenu = [\"fp16\", \"int8\", \"int8-2:4\"]\n";
constexpr std::string_view asps =
    "schema = 1\nkind = \"asps\"\nmenu = [\"int8\", \"int8-2:4\"]\nkernels = [1, 3, 5]\nwidths = [0.5, 1.0, "
    "1.25]\n";

Space parse(std::string_view head, std::string_view more = "", const Network& n = resnet_small(2, 64, 2)) {
  return parse_space(std::string(head) + std::string(more), "my.toml", n);
}

const Decision* find(const Space& space, std::string_view name) {
  const auto at = std::ranges::find(space.decisions, name, &Decision::name);
  return at == space.decisions.end() ? nullptr : &*at;
}

std::vector<std::string> names_of(const Space& space, const std::vector<int>& layers) {
  std::vector<std::string> names;
  for (const int l : layers) names.push_back(space.backbone.layers[std::size_t(l)].name);
  return names;
}

using Names = std::vector<std::string>;
using Sizes = std::vector<int>;
using Options = std::vector<Option>;

TEST(SpaceFile, OptionsAloneOfAResnet) {
  const Space space = parse(msps);
  EXPECT_EQ(space.decisions.size(), space.backbone.layers.size());
  EXPECT_EQ(find(space, "stem option")->options, (Options{Option::fp16, Option::int8}));
  EXPECT_EQ(find(space, "classifier option")->options, (Options{Option::fp16, Option::int8}));
  EXPECT_EQ(find(space, "stage2.block1.conv1 option")->options,
            (Options{Option::fp16, Option::int8, Option::int8_sparse}));
}

TEST(SpaceFile, ShapesOfAResnet) {
  const Space space = parse(asps);
  // Three stages, each one width by its residuals (the stem's tensor enters stage 1, the projections' the
  // others), and the middle of each of the six blocks.
  const Decision* stage1 = find(space, "stem width");
  ASSERT_NE(stage1, nullptr);
  EXPECT_EQ(names_of(space, stage1->layers), (Names{"stem", "stage1.block1.conv2", "stage1.block2.conv2"}));
  EXPECT_EQ(stage1->sizes, (Sizes{32, 64, 80}));
  const Decision* stage2 = find(space, "stage2.block1.proj width");
  ASSERT_NE(stage2, nullptr);
  EXPECT_EQ(names_of(space, stage2->layers),
            (Names{"stage2.block1.proj", "stage2.block1.conv2", "stage2.block2.conv2"}));
  EXPECT_EQ(stage2->sizes, (Sizes{64, 128, 160}));
  EXPECT_EQ(find(space, "stage3.block2.conv1 width")->sizes, (Sizes{128, 256, 320}));
  EXPECT_EQ(std::ranges::count(space.decisions, DecisionKind::width, &Decision::kind), 9);
  // Kernels: twelve 3x3 convolutions; neither stem, projections nor classifier.
  EXPECT_EQ(std::ranges::count(space.decisions, DecisionKind::kernel, &Decision::kind), 12);
  EXPECT_EQ(find(space, "stage1.block1.conv1 kernel")->sizes, (Sizes{1, 3, 5}));
  EXPECT_EQ(find(space, "stem kernel"), nullptr);
  EXPECT_EQ(find(space, "stage2.block1.proj kernel"), nullptr);
  EXPECT_EQ(find(space, "classifier width"), nullptr);
}

TEST(SpaceFile, ChannelsAreMultiplesOf16) {
  EXPECT_EQ(scaled_channels(64, 0.3), 16);  // 19.2
  EXPECT_EQ(scaled_channels(64, 0.4), 32);  // 25.6
  EXPECT_EQ(scaled_channels(16, 1.5), 32);  // 24: halves up
  EXPECT_EQ(scaled_channels(16, 0.3), 16);  // at least 16
  EXPECT_EQ(scaled_channels(256, 1.25), 320);
  // 0.3 and 0.35 of 64 both round to 16.
  const Space space = parse("schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nwidths = [0.3, 0.35, 1]\n");
  EXPECT_EQ(find(space, "stem width")->sizes, (Sizes{16, 64}));
}

TEST(SpaceFile, LayersOfTheirOwn) {
  const Space space =
      parse(asps,
            "[layers.\"stage1.block1.conv1\"]\nmenu = [\"int4-4:8\", \"bf16\"]\nkernels = [3, 7]\n"
            "[layers.\"stage2.block1.proj\"]\nkernels = [1, 3]\n"
            "[layers.\"stage1.block2.conv2\"]\nwidths = [1.0, 2.0]\n");
  EXPECT_EQ(find(space, "stage1.block1.conv1 option")->options, (Options{Option::int4_sparse, Option::bf16}));
  EXPECT_EQ(find(space, "stage1.block1.conv1 kernel")->sizes, (Sizes{3, 7}));
  EXPECT_EQ(find(space, "stage2.block1.proj kernel")->sizes, (Sizes{1, 3}));
  EXPECT_EQ(find(space, "stem width")->sizes, (Sizes{64, 128}));  // of the whole stage
}

TEST(SpaceFile, TiesShareOneDecision) {
  const Space space = parse(msps,
                            "tie = [[\"stage1.block1.conv2\", \"stage1.block1.conv1\"]]\n"
                            "[layers.\"stage1.block1.conv2\"]\nmenu = [\"int8-2:4\", \"fp16\", \"int4\"]\n");
  EXPECT_EQ(space.decisions.size(), space.backbone.layers.size() - 1);
  const Decision* tied = find(space, "stage1.block1.conv1 option");
  EXPECT_EQ(names_of(space, tied->layers), (Names{"stage1.block1.conv1", "stage1.block1.conv2"}));
  EXPECT_EQ(tied->options, (Options{Option::fp16, Option::int8_sparse}));
}

TEST(SpaceFile, SparseOnlyWhereLegalInEveryForm) {
  // Width 8: 8, 16 and 32 channels. Sparse needs 16 input channels.
  const Space plain = parse(msps, "", resnet_small(1, 8, 1));
  EXPECT_EQ(find(plain, "stage1.block1.conv1 option")->options, (Options{Option::fp16, Option::int8}));
  EXPECT_EQ(find(plain, "stage3.block1.conv2 option")->options,
            (Options{Option::fp16, Option::int8, Option::int8_sparse}));
  // Searched widths are multiples of 16.
  const Space wide = parse(asps, "", resnet_small(1, 8, 1));
  EXPECT_EQ(find(wide, "stage1.block1.conv1 option")->options, (Options{Option::int8, Option::int8_sparse}));
}

TEST(SpaceFile, DepthwiseLayersFollowTheirInput) {
  Network n = resnet_small(1, 64, 1);  // stem, stage1.block1.conv1, conv2, ...
  Layer& depthwise = n.layers[1];
  depthwise.groups = depthwise.shape.in_channels;
  const Space space = parse(asps, "", n);
  const Decision* width = find(space, "stem width");
  EXPECT_EQ(names_of(space, width->layers), (Names{"stem", "stage1.block1.conv1", "stage1.block1.conv2"}));
  EXPECT_EQ(find(space, "stage1.block1.conv1 option")->options, (Options{Option::int8}));
  EXPECT_NE(find(space, "stage1.block1.conv1 kernel"), nullptr);
}

TEST(SpaceFile, FlattenedMapsKeepTheirChannels) {
  Network n = resnet_small(1, 64, 1);
  n.layers.back().pool = {};
  n.layers.back().shape.in_channels = 256 * 49;  // 7x7 maps as one row
  const Space space = parse(asps, "", n);
  EXPECT_EQ(find(space, "stage3.block1.proj width"), nullptr);
  EXPECT_NE(find(space, "stage2.block1.proj width"), nullptr);
}

TEST(SpaceFile, AnyPrecisionIsAnOption) {
  const Space space = parse(
      "schema = 1\nkind = \"msps\"\nmenu = [\"bf16\", \"tf32\", \"tf32-1:2\", \"w1a2\", \"w4a8\", \"int1\"]\n"
      "edge_menu = [\"bf16\", \"tf32\"]\n");
  EXPECT_EQ(find(space, "stage1.block1.conv1 option")->options,
            (Options{Option::bf16, Option::tf32, Option::tf32_sparse, arbitrary_precision(1, 2),
                     arbitrary_precision(4, 8), Option::int1}));
  EXPECT_EQ(find(space, "stem option")->options, (Options{Option::bf16, Option::tf32}));
}

TEST(SpaceFile, DefaultTextsRead) {
  const Network n = resnet_small(2, 64, 2);
  const Space options = parse_space(default_space_text("msps"), "default", n);
  EXPECT_EQ(options.decisions.size(), n.layers.size());
  for (std::size_t l = 0; l < n.layers.size(); ++l)
    EXPECT_EQ(options.decisions[l].options, legal_options(n, l));
  const Space shapes = parse_space(default_space_text("asps"), "default", n);
  EXPECT_EQ(find(shapes, "stem width")->sizes, (Sizes{16, 32, 48, 64, 80, 96}));
  EXPECT_EQ(find(shapes, "stage1.block1.conv1 kernel")->sizes, (Sizes{1, 3, 5, 7}));
  EXPECT_THROW(default_space_text("nas"), Error);
}

TEST(SpaceFile, TheExampleFitsTheDefaultNetwork) {
  const std::string path = TWOFOUR_SOURCE_DIR "/examples/asps.toml";
  const Space space = parse_space(isa::read_file(path), path, network_by_name("resnet8-w64-s2", 28, 1, 10));
  EXPECT_EQ(space.decisions.size(), 22u);  // 10 options, 6 kernels, 6 widths
}

/// The examples in comments are right, too.
TEST(SpaceFile, DefaultTextsReadWithTheirCommentsTakenIn) {
  for (const char* kind : {"msps", "asps"}) {
    std::string text = default_space_text(kind), open;
    bool tail = false;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      std::string line = text.substr(at, end - at);
      const bool example = line.starts_with("# tie") || line.starts_with("# [layers") ||
                           line.starts_with("# menu =") || line.starts_with("# kernels =") ||
                           line.starts_with("# widths =");
      tail |= example;
      open += (example ? line.substr(2) : line) + "\n";
      at = end + 1;
    }
    EXPECT_TRUE(tail);
    const Space space = parse_space(open, "open", resnet_small(2, 64, 2));
    const Decision* tied = find(space, "stage1.block1.conv1 option");
    EXPECT_EQ(tied->layers.size(), 2u);
    EXPECT_EQ(tied->options, (Options{Option::int8, Option::int8_sparse}));
  }
}

struct Refused {
  std::string_view head, more;
  std::vector<std::string_view> says;
};

TEST(SpaceFile, SaysWhatIsWrongAndWhere) {
  const std::vector<Refused> cases{
      {msps, "speed = 1\n", {"my.toml:4", "unknown key 'speed'"}},
      {msps, "kernels = [3]\n", {"my.toml:4", "'kernels'", "asps"}},
      {msps, "edge_menu = [\"int8\", \"int4\"]\n", {"my.toml:4", "'edge_menu'", "int4", "8 bits"}},
      {msps, "edge_menu = [\"int8-2:4\"]\n", {"my.toml:4", "int8-2:4", "dense"}},
      {msps, "edge_menu = [\"w8a8\"]\n", {"my.toml:4", "w8a8"}},
      {msps, "backbone = \"resnet50\"\n", {"my.toml:4", "resnet50", "resnet14-w64"}},
      {msps, "tie = [[\"stem\"]]\n", {"my.toml:4", "at least two"}},
      {msps, "tie = [[\"stem\", \"head\"]]\n", {"my.toml:4", "no layer 'head'", "classifier"}},
      {msps,
       "tie = [[\"stem\", \"classifier\"], [\"stem\", \"stage1.block1.conv1\"]]\n",
       {"my.toml:4", "'stem'", "second"}},
      {msps, "[layers.head]\nmenu = [\"int8\"]\n", {"my.toml:4", "no layer 'head'"}},
      {msps,
       "[layers.stem]\nmenu = [\"int8-2:4\"]\n",
       {"my.toml:5", "'menu'",
        "stem: int8-2:4 needs input channels in multiples of 16, it has 1; remove it"}},
      {msps,
       "[layers.classifier]\nmenu = [\"int8-2:4\"]\n",
       {"my.toml:5", "classifier: int8-2:4 needs output channels in multiples of 8, it has 10"}},
      {msps, "[layers.stem]\nmenu = [\"int4\"]\n", {"my.toml:5", "stem: int4", "first layer"}},
      {msps, "[layers.stem]\nwidth = 3\n", {"my.toml:5", "unknown key 'width'", "menu, kernels, widths"}},
      {msps, "[layers.stage1.block1]\nmenu = [\"int8\"]\n", {"my.toml:4", "quotes"}},
      {msps, "[layers.\"stage1.block1.conv1\"]\nkernels = [3]\n", {"my.toml:5", "'kernels'", "asps"}},
      {msps,
       "tie = [[\"stage1.block1.conv1\", \"stage1.block1.conv2\"]]\n[layers.\"stage1.block1.conv1\"]\nmenu = "
       "[\"int1\"]\n",
       {"my.toml:4", "no option in common"}},
      {asps, "[layers.stem]\nkernels = [3]\n", {"my.toml:7", "'stem'", "first layer"}},
      {asps, "[layers.classifier]\nwidths = [1]\n", {"my.toml:7", "'classifier'", "scores"}},
      {asps,
       "[layers.stem]\nwidths = [1]\n[layers.\"stage1.block1.conv2\"]\nwidths = [2]\n",
       {"my.toml:9", "shares its channels", "my.toml:7"}},
      {"schema = 2\nkind = \"msps\"\nmenu = [\"int8\"]\n", "", {"my.toml:1", "schema = 1"}},
      {"kind = \"msps\"\nmenu = [\"int8\"]\n", "", {"my.toml", "'schema' is missing"}},
      {"schema = 1\nmenu = [\"int8\"]\n", "", {"my.toml", "'kind' is missing"}},
      {"schema = 1\nkind = \"nas\"\n", "", {"my.toml:2", "\"nas\"", "msps"}},
      {"schema = 1\nkind = \"msps\"\n", "", {"my.toml", "'menu' is missing"}},
      {"schema = 1\nkind = \"msps\"\nmenu = []\n", "", {"my.toml:3", "'menu'", "list"}},
      {"schema = 1\nkind = \"msps\"\nmenu = [\n  \"int8\",\n  8]\n", "", {"my.toml:5", "'menu'", "text"}},
      {"schema = 1\nkind = \"msps\"\nmenu = [\"int8\", \"int8\"]\n", "", {"my.toml:3", "int8 twice"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\n", "", {"my.toml", "'kernels' or 'widths'"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nkernels = [2]\n",
       "",
       {"my.toml:4", "'kernels'", "odd"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nkernels = [3, 3]\n", "", {"my.toml:4", "3 twice"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nwidths = [0]\n",
       "",
       {"my.toml:4", "'widths'", "0.05"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nwidths = [nan]\n", "", {"my.toml:4", "'widths'"}},
      {"schema = 1\nkind = \"asps\"\nmenu = [\"int8\"]\nwidths = 1\n", "", {"my.toml:4", "'widths'", "list"}},
      {"schema = [\n", "", {"my.toml:"}},
      {"schema = 1 # \xc3\xbc\n", "", {"my.toml:1", "ASCII"}},
  };
  for (const Refused& c : cases) {
    SCOPED_TRACE(std::string(c.head) + std::string(c.more));
    try {
      parse(c.head, c.more);
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      for (const std::string_view part : c.says)
        EXPECT_NE(std::string_view(e.what()).find(part), std::string_view::npos)
            << part << " not in: " << e.what();
    }
  }
}

TEST(SpaceFile, SaysWhatAnUnknownOptionMayMean) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"int1-2:4", "INT1 has no sparse form"},
      {"int1 sparse", "INT1 has no sparse form"},
      {"int4-int8", "both operands of an MMA have one width"},
      {"int4w-int8a", "both operands of an MMA have one width"},
      {"W4A8 mma",
       "both operands of an MMA have one width; w4a8, written so, is computed from 32 int1 products"},
      {"fp16/int8", "one width"},
      {"w4a8-2:4", "no sparse form"},
      {"w9a4", "1 to 8 bits"},
      {"w1a1", "int1"},
      {"int4-2:4", "int4-4:8"},
      {"tf32-2:4", "tf32-1:2"},
      {"INT8-2:4", "lower case: int8-2:4"},
      {"float", "use one of: fp16"},
  };
  for (const auto& [option, says] : cases) {
    const std::string text =
        "schema = 1\nkind = \"msps\"\nmenu = [\"int8\",\n\"" + std::string(option) + "\"]\n";
    try {
      parse(text);
      ADD_FAILURE() << option << " accepted";
    } catch (const Error& e) {
      const std::string_view message = e.what();
      EXPECT_TRUE(message.starts_with("my.toml:4: 'menu': ")) << message;
      EXPECT_NE(message.find(says), message.npos) << message;
    }
  }
}

/// Texts with a few bytes changed: a space, or an Error that names the file; nothing else gets out.
TEST(SpaceFile, BrokenTextIsAnError) {
  const Network n = resnet_small(1, 16, 1);
  const std::string text =
      default_space_text("asps") +
      "tie = [[\"stage1.block1.conv1\", \"stage1.block1.conv2\"]]\n"
      "[layers.\"stage2.block1.conv1\"]\nmenu = [\"int8\", \"w2a3\"]\nkernels = [3, 5]\n";
  std::mt19937 random(1);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string broken = text;
    for (int changes = 1 + int(random() % 3); changes > 0; --changes) {
      const std::size_t at = text.size() / 2 + random() % (text.size() / 2 - 8);
      if (random() % 2)
        broken[at] = "[]=\"#.,\n0aA{}:-\0"[random() % 16];
      else
        broken.erase(at, 1 + random() % 4);
    }
    try {
      check_space(parse_space(broken, "broken.toml", n));
      ++accepted;
    } catch (const Error& e) {
      EXPECT_NE(std::string_view(e.what()).find("broken.toml"), std::string_view::npos) << e.what();
    }
  }
  EXPECT_GT(accepted, 300);
  EXPECT_LT(accepted, 2700);
}

TEST(SpaceFile, AMissingFileIsNamed) {
  try {
    read_space("no/such/space.toml", resnet_small(1, 16, 1));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string_view(e.what()).find("no/such/space.toml"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace twofour::nas
