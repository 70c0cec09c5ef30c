#include "twofour/nas/timing/layer_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <regex>

#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/timing/arbitrary_latency.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/graph/workload_builtin.h"
#include "twofour/nas/search/solver.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/timing/network_latency.h"
#include "twofour/nas/timing/product_latency.h"
#include "twofour/nas/timing/table_formats.h"

namespace twofour::nas {
namespace {

using testing::HasSubstr;

const isa::Machine& machine() {
  static const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");
  return a100;
}

Workload resnet(std::string_view name = "resnet18") {
  return builtin_workload(name, {.batch = 8});
}

template <class Act>
std::string refusal(const Act& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

/// A file of this test that is gone afterwards.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& bytes) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path = (std::filesystem::temp_directory_path() / (std::string("twofour-") + test->name())).string();
    isa::write_file(path, bytes);
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path;
};

TEST(LayerTable, LayersAndTheRestAreTheNetwork) {
  const Workload w = resnet();
  const LayerTable table = layer_table(w, {Option::fp16, Option::int8}, machine());
  ASSERT_EQ(table.layers.size(), 21U);  // 17 convolutions, 3 shortcuts, 1 classifier
  for (const std::size_t option : {0U, 1U}) {
    double sum = table.other_us[option];
    for (const LayerTime& l : table.layers) sum += l.options[option].latency.microseconds;
    NetworkOptions options;
    options.type = option == 0 ? isa::ElementType::f16 : isa::ElementType::s8;
    // The classifier's result is 16 bits wide in a network, the option's in the table.
    EXPECT_NEAR(sum, network_latency(w, options, machine()).microseconds, 0.1);
  }
}

TEST(LayerTable, LayersThatShareAKernelAreTimedAlone) {
  const Workload w = builtin_workload("bert-base", {.batch = 8});
  const LayerTable table = layer_table(w, {Option::fp16}, machine());
  ASSERT_EQ(table.layers.size(), 73U);  // 12 times query, key, value, output, up, down; the pooler
  double sum = table.other_us[0];
  for (const LayerTime& l : table.layers) sum += l.options[0].latency.microseconds;
  NetworkOptions options;
  EXPECT_GT(sum, network_latency(w, options, machine()).microseconds + 1);
  EXPECT_GT(table.other_us[0], 0);
}

TEST(LayerTable, SparseIsTimedWhereItIsLegal) {
  const Workload w = resnet();
  const LayerTable table = layer_table(w, {Option::int8, Option::int8_sparse}, machine());
  EXPECT_THAT(table.layers[0].options[1].illegal, HasSubstr("3 channels"));
  EXPECT_EQ(table.layers[1].options[1].illegal, "");
  ProductForm alone;
  alone.type = isa::ElementType::s8;
  alone.output_bits = 8;
  alone.activations_in_l2 = alone.weights_in_l2 = true;
  alone.sparse = true;
  const LayerTime& last = table.layers[table.layers.size() - 2];  // layer4.1.conv2: everything fits L2
  alone.residual_in_l2 = true;
  alone.residual_bytes = 8 * 512 * 7 * 7;
  EXPECT_DOUBLE_EQ(last.options[1].latency.microseconds,
                   product_latency(w.nodes[std::size_t(last.node)], alone, machine()).microseconds);
}

TEST(LayerTable, Refusals) {
  EXPECT_THAT(refusal([] { layer_table(resnet(), {}, machine()); }), HasSubstr("at least one option"));
  EXPECT_THAT(refusal([] {
                layer_table(resnet(), {Option::int8, Option::int8}, machine());
              }),
              HasSubstr("named twice"));
  Workload w = resnet();
  w.nodes.erase(w.nodes.begin() + 1, w.nodes.end());
  w.nodes[0].kind = NodeKind::pooling;
  EXPECT_THAT(refusal([&] { layer_table(w, {Option::int8}, machine()); }),
              HasSubstr("no layer with weights"));
}

TEST(SearchCsv, TheSearchReadsIt) {
  const LayerTable table =
      layer_table(resnet(), {Option::fp16, Option::int8, Option::int8_sparse}, machine());
  const CostTable read = parse_table(search_csv(table, nullptr), "table.csv");
  ASSERT_EQ(read.layers.size(), table.layers.size());
  EXPECT_EQ(read.layers[0].options.size(), 2U);  // the stem cannot be 2:4
  EXPECT_EQ(read.layers[1].options.size(), 3U);
  for (std::size_t i = 0; i < read.layers.size(); ++i) {
    EXPECT_EQ(read.layers[i].name, table.layers[i].name);
    for (std::size_t o = 0; o < read.layers[i].options.size(); ++o) {
      EXPECT_EQ(read.layers[i].options[o].name, name(table.layers[i].options[o].option));
      EXPECT_EQ(read.layers[i].options[o].cost, 0);
      EXPECT_NEAR(read.layers[i].options[o].latency_ms,
                  table.layers[i].options[o].latency.microseconds / 1000, 5.1e-8);
    }
  }
}

TEST(SearchCsv, CostsTiesAndNamesThatNeedQuotes) {
  Workload w = resnet();
  w.nodes.resize(6);  // conv1 and conv1 of the first block
  for (Node& n : w.nodes)
    if (n.kind == NodeKind::convolution) n.name = "a,\"b\"";
  const LayerTable table = layer_table(w, {Option::int8, Option::int4}, machine());
  const TemporaryFile costs(
      "layer,option,cost,tie\n\"a,\"\"b\"\"#0\",int8,0.5,t\n\"a,\"\"b\"\"#0\",int4,2,t\n\"a,\"\"b\"\"#4\","
      "int8,0.25,t\n");
  auto read = read_costs(costs.path);
  EXPECT_THAT(refusal([&] { search_csv(table, &read); }), HasSubstr("lack option int4 of layer 'a,\"b\"#4'"));
  read[{"a,\"b\"#4", "int4"}] = {-1, "t"};
  const CostTable back = parse_table(search_csv(table, &read), "table.csv");
  ASSERT_EQ(back.layers.size(), 2U);
  EXPECT_EQ(back.layers[1].name, "a,\"b\"#4");
  EXPECT_EQ(back.layers[0].tie, "t");
  EXPECT_EQ(back.layers[0].options[1].cost, 2);
  EXPECT_EQ(back.layers[1].options[1].cost, -1);
  const TemporaryFile twice("layer,option,cost\na,int8,1\na,int8,2\n");
  EXPECT_THAT(refusal([&] { read_costs(twice.path); }), HasSubstr(":3:"));
}

TEST(OfaYaml, KeysCountsAndMeans) {
  const Workload w = resnet();
  const LayerTable table = layer_table(w, {Option::int8}, machine());
  const std::string text = ofa_yaml(table, w);
  const std::regex line("([^ ]+): \\{count: ([0-9]+), mean: ([0-9.]+)\\}\n");
  std::map<std::string, std::pair<int, double>> entries;
  std::size_t length = 0;
  for (std::sregex_iterator m(text.begin(), text.end(), line), end; m != end; ++m) {
    entries[(*m)[1]] = {std::stoi((*m)[2]), std::stod((*m)[3])};
    length += std::size_t(m->length());
  }
  EXPECT_EQ(length, text.size());
  EXPECT_EQ(entries.at("Conv-input:224x224x3-output:112x112x64-kernel:7-stride:2").first, 1);
  EXPECT_EQ(entries.at("Conv-input:56x56x64-output:56x56x64-kernel:3-stride:1").first, 4);
  EXPECT_EQ(entries.at("Conv-input:56x56x64-output:28x28x128-kernel:1-stride:2").first, 1);
  EXPECT_EQ(entries.at("Linear-input:8x512-output:8x1000").first, 1);
  double sum = 0, expected = 0;
  for (const auto& [key, entry] : entries) sum += entry.first * entry.second;
  for (const LayerTime& l : table.layers) expected += l.options[0].latency.microseconds / 1000;
  EXPECT_NEAR(sum, expected, 1e-6);
  EXPECT_THAT(ofa_yaml(layer_table(resnet("mobilenetv2"), {Option::fp16}, machine()), resnet("mobilenetv2")),
              HasSubstr("Conv-input:112x112x32-output:112x112x32-kernel:3-stride:1-groups:32: {count: 1, "));
  EXPECT_THAT(refusal([&] {
                ofa_yaml(layer_table(w, {Option::int8, Option::int4}, machine()), w);
              }),
              HasSubstr("give one option"));
  EXPECT_THAT(refusal([&] { ofa_yaml(layer_table(w, {Option::int8_sparse}, machine()), w); }),
              HasSubstr("use a dense option"));
}

TEST(HaqNpy, LayersByBits) {
  const LayerTable table = layer_table(resnet(), {Option::int8, Option::int4, Option::int1}, machine());
  std::string bytes = haq_npy(table);
  ASSERT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t data = 10 + std::size_t(static_cast<unsigned char>(bytes[8])) +
                           256 * std::size_t(static_cast<unsigned char>(bytes[9]));
  EXPECT_EQ(data % 64, 0U);
  ASSERT_EQ(bytes.size(), data + 21 * 64 * 8);
  // Two dimensions for the reader of matrices: 21 layers of 64 pairs of widths.
  const std::string shape = "(21, 8, 8)", flat = "(21, 64)  ";
  const auto at = bytes.find(shape);
  ASSERT_NE(at, bytes.npos);
  bytes.replace(at, shape.size(), flat);
  const TemporaryFile file(bytes);
  const emu::PackedMatrix m = emu::read_npy(file.path, isa::ElementType::f64);
  ASSERT_EQ(m.cols(), 64);
  for (std::int64_t layer = 0; layer < m.rows(); ++layer) {
    const auto& options = table.layers[std::size_t(layer)].options;
    const double* row = m.row_as<double>(layer);
    const auto expected = [&](int weight_bits, int activation_bits, std::size_t option) {
      EXPECT_EQ(row[(weight_bits - 1) * 8 + activation_bits - 1], options[option].latency.microseconds / 1000)
          << layer << ' ' << weight_bits << ' ' << activation_bits;
    };
    expected(8, 8, 0);
    expected(5, 1, 0);
    expected(2, 6, 0);
    expected(4, 4, 1);
    expected(1, 2, 1);
    expected(4, 1, 1);
    expected(1, 1, 2);
  }
  EXPECT_THAT(refusal([] { haq_npy(layer_table(resnet(), {Option::int4}, machine())); }),
              HasSubstr("give option int8"));
  EXPECT_THAT(refusal([] {
                haq_npy(layer_table(resnet(), {Option::int8, Option::fp16}, machine()));
              }),
              HasSubstr("leave out option fp16"));
  EXPECT_THAT(refusal([] {
                haq_npy(layer_table(resnet(), {Option::int8, Option::int8_sparse}, machine()));
              }),
              HasSubstr("int8-2:4"));
}

TEST(LayerTable, BitPlanesTakeTheTimeOfTheirSingleBitGemm) {
  const Workload w = resnet();
  const LayerTable table =
      layer_table(w, {Option::int1, arbitrary_precision(1, 2), arbitrary_precision(4, 4)}, machine());
  for (const LayerTime& layer : table.layers) {
    const auto us = [&](std::size_t i) { return layer.options[i].latency.microseconds; };
    // A kernel of a few CTAs may gain a little by more of them.
    EXPECT_GE(us(1), 0.97 * us(0)) << layer.name;
    EXPECT_GT(us(2), 0.97 * us(1)) << layer.name;
    const emu::Latency &one = layer.options[0].latency, &four = layer.options[2].latency;
    EXPECT_NEAR(four.tensor_floor_us, 16 * one.tensor_floor_us, 1e-9) << layer.name;
  }
  // A layer of the table is its kernel with its neighbours: not far from the layer alone.
  const auto& last = table.layers[19];
  const Node& n = w.nodes[std::size_t(last.node)];
  Layer layer;
  layer.shape = {.batch = 1,
                 .height = n.height,
                 .width = n.width,
                 .in_channels = n.channels,
                 .out_channels = n.filters,
                 .kernel_h = n.kernel_h,
                 .kernel_w = n.kernel_w,
                 .stride = n.stride_h,
                 .pad = n.pad_h / 2};
  for (std::size_t i = 0; i < 3; ++i) {
    const double alone = layer_latency(layer, last.options[i].option, 8, machine()).microseconds;
    EXPECT_NEAR(last.options[i].latency.microseconds, alone, 0.3 * alone) << i;
  }
  const emu::ConvProblem conv{.batch = 8,
                              .height = n.height,
                              .width = n.width,
                              .channels = n.channels,
                              .filters = n.filters,
                              .kernel_h = n.kernel_h,
                              .kernel_w = n.kernel_w,
                              .stride = n.stride_h,
                              .padding = n.pad_h / 2};
  EXPECT_EQ(layer_latency(layer, arbitrary_precision(2, 3), 8, machine()).microseconds,
            emu::arbitrary_conv_latency(conv, {2, 3, 3}, machine()).microseconds);
}

TEST(LayerTable, ProductsOfBitPlanes) {
  Node n;
  n.kind = NodeKind::gemm;
  n.m = 4096, n.n = 256, n.k = 1024;  // rows of activations, features
  n.elements_in = 4096 * 1024, n.elements_out = 4096 * 256, n.weights = 256 * 1024;
  ProductForm form{.type = isa::ElementType::b1, .output_bits = 5};
  form.weight_planes = 2, form.activation_planes = 5;
  const double us = product_latency(n, form, machine()).microseconds;
  EXPECT_EQ(us, emu::arbitrary_gemm_latency({.m = 256, .n = 4096, .k = 1024}, {2, 5, 5}, {.in_network = true},
                                            machine())
                    .microseconds);
}

TEST(LayerTable, HaqTablesTakeBitPlanesOfJustTheirWidths) {
  const LayerTable table = layer_table(resnet(),
                                       {arbitrary_precision(4, 4), arbitrary_precision(2, 3), Option::int8,
                                        Option::int4, arbitrary_precision(8, 8)},
                                       machine());
  std::string bytes = haq_npy(table);
  const std::string shape = "(21, 8, 8)", flat = "(21, 64)  ";
  bytes.replace(bytes.find(shape), shape.size(), flat);
  const TemporaryFile file(bytes);
  const emu::PackedMatrix m = emu::read_npy(file.path, isa::ElementType::f64);
  const auto expected = [&](int weight_bits, int activation_bits, std::size_t option) {
    EXPECT_EQ(m.row_as<double>(3)[(weight_bits - 1) * 8 + activation_bits - 1],
              table.layers[3].options[option].latency.microseconds / 1000)
        << weight_bits << ' ' << activation_bits;
  };
  expected(2, 3, 1);
  expected(3, 2, 3);
  expected(4, 4, 3);  // int4, not its bit planes
  expected(1, 1, 3);
  expected(5, 4, 2);
  expected(8, 8, 2);  // int8, not its bit planes
}

}  // namespace
}  // namespace twofour::nas
