// The built-in networks against published totals, and ResNet-50 layer by layer.
#include "twofour/nas/graph/workload_builtin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "twofour/isa/csv.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

struct Published {
  std::string_view name;
  std::int64_t macs, weights;
  std::int64_t macs_rounding = 0;  ///< the publication rounds
};

// Parameters: torchvision's model pages; BERT-base uncased with embeddings and pooler. Multiply-adds by hand
// from the papers' tables (c = 56^2 * 64 * 576 = 115,605,504 is what a 3x3 convolution of a ResNet stage
// costs, s = c / 2 + 28^2
// * 64 * 128 = 64,225,280 the strided one and its shortcut):
//   ResNet-18: 118,013,952 (7x7) + 4 c + 3 (s + 3 c) + 512,000; ResNet-34: 118,013,952 + 6 c + 3 s + (7 + 11
//   + 5) c + 512,000; ResNet-50: the table of layers below; VGG-16: 224^2 * 38,592 + 112^2 * 221,184 + 56^2 *
//   1,474,560 + 28^2 * 5,898,240 + 14^2 * 7,077,888 + 123,633,664; MobileNetV2: 300.8 million as published;
//   BERT: 12 layers of 128 tokens: 4 * 768^2 + 2 * 768 * 3072 products a token = 7,077,888; scores and
//   context 2 * 128 * 768 = 196,608 a token; 12 * 128 * 7,274,496 = 11,173,625,856; pooler 768^2 = 589,824;
//   ViT: patches 196 * 768 * 768 = 115,605,504; 12 * 197 * (7,077,888 + 2 * 197 * 768) = 17,447,454,720; head
//   768,000.
constexpr Published published[] = {
    {"resnet18", 1814073344, 11689512},    {"resnet34", 3663761408, 21797672},
    {"resnet50", 4089184256, 25557032},    {"resnet50-v1", 3857973248, 25557032},
    {"vgg16", 15470264320, 138357544},     {"mobilenetv2", 300800000, 3504872, 50000},
    {"bert-base", 11174215680, 109482240}, {"vit-b16", 17563828224, 86567656}};

TEST(BuiltinWorkloads, HaveThePublishedTotalsAtAnyBatch) {
  ASSERT_EQ(builtin_workloads().size(), std::size(published));
  for (const auto& p : published)
    for (const std::int64_t batch : {1, 7}) {
      const auto workload = builtin_workload(p.name, {.batch = batch});
      EXPECT_LE(std::abs(macs(workload) - batch * p.macs), batch * p.macs_rounding) << p.name;
      EXPECT_EQ(weights(workload), p.weights) << p.name;
      EXPECT_EQ(workload.name, p.name);
      EXPECT_EQ(workload.batch, batch);
    }
}

const Node& find(const Workload& w, const std::string& name) {
  const auto at = std::find_if(w.nodes.begin(), w.nodes.end(), [&](const Node& n) { return n.name == name; });
  if (at == w.nodes.end()) throw std::runtime_error("no node " + name);
  return *at;
}

void expect_layer(const Node& n, const isa::CsvTable& table, const isa::CsvTable::Row& row) {
  const auto column = [&](const char* name) { return table.integer(row, name); };
  EXPECT_EQ(macs(n), column("macs")) << n.name;
  if (n.kind == NodeKind::gemm) {
    EXPECT_EQ(n.k, column("cin"));
    EXPECT_EQ(n.n, column("cout"));
    return;
  }
  EXPECT_EQ(n.channels, column("cin")) << n.name;
  EXPECT_EQ(n.filters, column("cout")) << n.name;
  EXPECT_EQ(n.kernel_h, column("r")) << n.name;
  EXPECT_EQ(n.stride_w, column("stride")) << n.name;
  EXPECT_EQ(n.pad_h, 2 * column("pad")) << n.name;
  EXPECT_EQ(n.height, column("hin")) << n.name;
  EXPECT_EQ(output_height(n), column("hout")) << n.name;
  EXPECT_EQ(n.weights, column("weights")) << n.name;
  EXPECT_EQ(n.elements_out, column("cout") * column("hout") * column("wout")) << n.name;
}

TEST(BuiltinWorkloads, ResNet50HasTheLayersOfTheTable) {
  const auto table = isa::CsvTable::read(TWOFOUR_SOURCE_DIR "/data/networks/resnet50_layers.csv");
  const auto v15 = builtin_workload("resnet50", {}), v1 = builtin_workload("resnet50-v1", {});
  std::size_t rows = 0;
  std::int64_t v1_macs = 0;
  for (const auto& row : table.rows()) {
    const bool new_version = table.field(row, "variant").text == "v1.5";
    expect_layer(find(new_version ? v15 : v1, table.field(row, "name").text), table, row);
    if (!new_version) v1_macs += table.integer(row, "macs");
    ++rows;
  }
  EXPECT_EQ(rows, 108u);
  EXPECT_EQ(macs(v1), v1_macs);
}

TEST(BuiltinWorkloads, TakeOtherImagesAndSequences) {
  // Convolutions of ResNet-50 at 448 make four times the products; the classifier (2048 * 1000) does not.
  EXPECT_EQ(macs(builtin_workload("resnet50", {.image = 448})), 4 * (4089184256 - 2048000) + 2048000);
  // 256 tokens: scores and context double a token.
  EXPECT_EQ(macs(builtin_workload("bert-base", {.sequence = 256})),
            std::int64_t{12} * 256 * (7077888 + 2 * 256 * 768) + 589824);
}

TEST(BuiltinWorkloads, RefuseSizesThatDoNotFit) {
  EXPECT_THROW(builtin_workload("resnet51", {}), Error);
  EXPECT_THROW(builtin_workload("resnet50", {.batch = 0}), Error);
  EXPECT_THROW(builtin_workload("resnet50", {.image = 0}), Error);
  EXPECT_THROW(builtin_workload("vgg16", {.image = 16}), Error);
  EXPECT_THROW(builtin_workload("vit-b16", {.image = 225}), Error);
  EXPECT_THROW(builtin_workload("bert-base", {.sequence = 513}), Error);
}

TEST(Workloads, CheckRefusesWhatCannotRun) {
  auto w = builtin_workload("resnet18", {});
  EXPECT_NO_THROW(check(w));
  auto later = w;
  later.nodes[3].inputs = {5};
  EXPECT_THROW(check(later), Error);
  auto groups = w;
  groups.nodes[0].groups = 2;
  EXPECT_THROW(check(groups), Error);
  auto kernel = w;
  kernel.nodes[0].kernel_h = 231;  // of 224 + 6 rows
  EXPECT_THROW(check(kernel), Error);
  kernel.nodes[0].kernel_h = 230;
  EXPECT_NO_THROW(check(kernel));
}

}  // namespace
}  // namespace twofour::nas
