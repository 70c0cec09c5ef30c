#include "twofour/nas/deploy/export_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deployed_networks.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/base64.h"

namespace twofour::nas {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(std::byte(c));
  return bytes;
}

// RFC 4648, section 10.
TEST(Base64, TestVectorsOfTheStandard) {
  for (const auto& [text, encoded] : {std::pair("", ""),
                                      {"f", "Zg=="},
                                      {"fo", "Zm8="},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg=="},
                                      {"fooba", "Zm9vYmE="},
                                      {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(bytes_of(text)), encoded);
    EXPECT_EQ(from_base64(encoded), bytes_of(text));
  }
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Z===", "=Zg=", "Zg==Zg==", "Z-9v", "===="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

void expect_same(const DeployedNetwork& a, const DeployedNetwork& b) {
  EXPECT_EQ(a.network.name, b.network.name);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  ASSERT_EQ(a.network.layers.size(), b.network.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    const Layer &x = a.network.layers[i], &y = b.network.layers[i];
    const auto sizes = [](const Layer& l) {
      const emu::ConvShape& s = l.shape;
      const Pool &p = l.pool, &r = l.residual_pool;
      return std::vector<std::int64_t>{
          s.batch,    s.height, s.width,  s.in_channels, s.out_channels,   s.kernel_h,
          s.kernel_w, s.stride, s.pad,    l.groups,      l.input,          l.residual,
          p.pad,      p.kernel, p.stride, p.pixels,      int(p.kind),      r.pad,
          r.kernel,   r.stride, r.pixels, int(r.kind),   int(l.activation)};
    };
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(sizes(x), sizes(y)) << x.name;
    const DeployedLayer &d = a.layers[i], &e = b.layers[i];
    const auto words = [](const DeployedLayer& l) {
      std::vector<std::int64_t> all{l.input_scale.multiplier, l.input_scale.shift, int(l.option)};
      for (const FixedScale& s : l.output_scale) all.insert(all.end(), {s.multiplier, s.shift});
      all.insert(all.end(), l.bias.begin(), l.bias.end());
      return all;
    };
    EXPECT_EQ(words(d), words(e)) << x.name;
    EXPECT_EQ(d.float_scale, e.float_scale) << x.name;
    EXPECT_EQ(d.weights, e.weights) << x.name;
  }
}

DeployedNetwork mixed(std::mt19937& random) {
  const Network network = resnet_small(1, 16, 2, 12);
  return random_deployed(network,
                         {Option::int8, Option::fp16_sparse, Option::int4_sparse, Option::int1, Option::int4,
                          Option::int8_sparse, Option::fp16, Option::int4, Option::int8, Option::int8},
                         random);
}

TEST(DeployedJson, ReadsBackTheSameNetwork) {
  std::mt19937 random(51);
  for (int i = 0; i < 3; ++i) {
    const DeployedNetwork net = mixed(random);
    const std::string text = deployed_json(net);
    const DeployedNetwork back = parse_deployed(text, "net.json");
    expect_same(back, net);
    EXPECT_EQ(deployed_json(back), text);
  }
}

TEST(DeployedJson, FilesAreTheSame) {
  std::mt19937 random(52);
  const DeployedNetwork net = mixed(random);
  const std::string path = testing::TempDir() + "/deployed_json_test.json";
  write_deployed(path, net);
  expect_same(read_deployed(path), net);
  std::remove(path.c_str());
  EXPECT_THROW(read_deployed(path), Error);
}

/// The file of the commands' tests; deployed_json(mixed_network()) writes it again.
TEST(DeployedJson, TheFileOfTheCommandsTestsReadsAsItsNetwork) {
  expect_same(read_deployed(TWOFOUR_SOURCE_DIR "/tests/nas/deploy/networks/mixed.json"), mixed_network());
}

/// Bytes of the weights and the sums of the format, by hand.
TEST(DeployedJson, FieldsByHand) {
  const Layer layer = point_layer(3, 2);
  DeployedLayer d = deployed_layer(Option::int4, layer, {1, -2, 3, -4, 5, -6});
  d.bias = {7, -8};
  const auto json = nlohmann::json::parse(deployed_json({{"tiny", {layer}}, {d}}));
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["network"], "tiny");
  const auto& l = json["layers"][0];
  EXPECT_EQ(l["option"], "int4");
  EXPECT_EQ(l["instruction"], "mma.sync.aligned.m16n8k64.row.col.s32.s4.u4.s32");
  EXPECT_EQ(l["weights"]["base64"], "4QNcCg==");  // nibbles 1 e 3 - | c 5 a -: bytes e1 03 5c 0a
  EXPECT_EQ(l["output_scale"]["multiplier"], (std::vector<int>{2, 2}));
  EXPECT_EQ(l["output_scale"]["shift"], (std::vector<int>{1, 1}));
  EXPECT_EQ(l["bias"], (std::vector<int>{7, -8}));
}

TEST(DeployedJson, ErrorsNameFileAndField) {
  std::mt19937 random(53);
  const auto good = nlohmann::json::parse(deployed_json(mixed(random)));
  const auto refused = [&](const auto& change, const std::string& wanted) {
    nlohmann::json bad = good;
    change(bad);
    try {
      parse_deployed(bad.dump(), "net.json");
      ADD_FAILURE() << "accepted: " << wanted;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find("net.json: "), 0u) << e.what();
      EXPECT_NE(std::string(e.what()).find(wanted), std::string::npos) << wanted << ": " << e.what();
    }
  };
  using J = nlohmann::json;
  refused([](J& j) { j["schema_version"] = 2; }, "schema_version: must be an integer from 1 to 1");
  refused([](J& j) { j["kind"] = "x"; }, "kind: must be 'twofour deployed network'");
  refused([](J& j) { j.erase("layers"); }, "has no 'layers'");
  refused([](J& j) { j["layers"] = 3; }, "layers: must be an array");
  refused([](J& j) { j["more"] = 3; }, "unknown 'more'");
  refused([](J& j) { j["stream_fraction_bits"] = 8; }, "stream_fraction_bits");
  refused([](J& j) { j["layers"][2]["optoin"] = 1; }, "layers[2]: unknown 'optoin'");
  refused([](J& j) { j["layers"][2].erase("bias"); }, "layers[2]: has no 'bias'");
  refused([](J& j) { j["layers"][2]["bias"][5] = 1.5; }, "layers[2].bias[5]: must be an integer");
  refused([](J& j) { j["layers"][2]["bias"][5] = 4e9; }, "layers[2].bias[5]");
  refused([](J& j) { j["layers"][2]["bias"].erase(3); }, "biases");
  refused([](J& j) { j["layers"][2]["option"] = "int3"; }, "layers[2].option: 'int3' is not an option");
  refused([](J& j) { j["layers"][2]["option"] = "int4"; }, "layers[2].instruction");
  refused([](J& j) { j["layers"][2]["activation"] = "gelu"; }, "layers[2].activation: 'gelu'");
  refused([](J& j) { j["layers"][2]["pool"]["kernel"] = 2; }, "layers[2].pool: unknown 'kernel'");
  refused([](J& j) { j["layers"][2]["pool"]["kind"] = "max"; }, "layers[2].pool: has no 'kernel'");
  refused([](J& j) { j["layers"][2]["shape"]["stride"] = 0; }, "layers[2].shape.stride");
  refused([](J& j) { j["layers"][2]["shape"]["height"] = 99; }, "reads tensor");
  refused([](J& j) { j["layers"][2]["input"] = "1"; }, "layers[2].input");
  refused([](J& j) { j["layers"][2]["input_scale"]["shift"] = 63; }, "layers[2].input_scale.shift");
  refused([](J& j) { j["layers"][2]["output_scale"]["shift"].erase(0); }, "16 multipliers, but 15 shifts");
  refused([](J& j) { j["layers"][2]["float_scale"][0] = "x"; }, "layers[2].float_scale[0]: must be a number");
  refused([](J& j) { j["layers"][2]["weights"]["type"] = "s5"; }, "layers[2].weights.type");
  refused([](J& j) { j["layers"][2]["weights"]["rows"] = 17; }, "layers[2].weights.base64: holds 1152 bytes");
  refused([](J& j) { j["layers"][2]["weights"]["base64"] = "a"; }, "layers[2].weights.base64: is not base64");
  try {
    parse_deployed("{", "net.json");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find("net.json: not JSON"), 0u) << e.what();
  }
}

}  // namespace
}  // namespace twofour::nas
