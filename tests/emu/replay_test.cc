#include "twofour/emu/replay/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "twofour/emu/replay/recorded_name.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

const std::string vectors = TWOFOUR_SOURCE_DIR "/tests/vectors/";

/// The architecture and instruction that a file's name stands for: a100_fp16_k8_f32.hex.
std::pair<isa::Architecture, std::string> recorded_as(const std::string& file) {
  using enum isa::Architecture;
  const auto gpu = file.substr(0, file.find('_'));
  const auto arch = gpu == "v100"   ? volta
                    : gpu == "ada"  ? ada
                    : gpu[0] == 'h' ? hopper
                    : gpu == "b200" ? blackwell
                                    : ampere;
  const auto first = file.find('_') + 1, second = file.find('_', first), third = file.find('_', second + 1);
  std::string type = file.substr(first, second - first);
  if (type == "fp16") type = "f16";
  const std::string k = file.substr(second + 1, third - second - 1), acc = file.substr(third + 1, 3);
  return {arch, (arch == volta ? "m8n8" : "m16n8") + k + "." + acc + "." + type + "." + type + "." + acc};
}

TEST(Replay, EveryHardwareWordAgrees) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors)) {
    if (entry.path().extension() != ".hex") continue;
    const std::string file = entry.path().filename();
    const auto [arch, instruction] = recorded_as(file);
    std::ifstream told(entry.path()), derived(entry.path());
    const auto report = replay("x", told, {arch, instruction});
    EXPECT_EQ(report.agreeing, 1000) << file;
    EXPECT_EQ(report.disagreeing, 0) << file << " line " << report.mismatches[0].line;
    EXPECT_EQ(replay(entry.path(), derived).agreeing, 1000) << file;
    ASSERT_TRUE(recorded_name(file).has_value()) << file;
    EXPECT_EQ(recorded_name(file)->architecture, arch) << file;
    EXPECT_EQ(recorded_name(file)->instruction, instruction) << file;
    ++files;
  }
  EXPECT_EQ(files, 26);
}

TEST(Replay, EveryDirectedVectorAgrees) {
  for (const auto& [file, count] :
       {std::pair{"directed_behaviour.txt", 620}, {"ampere_ada_single_dots.txt", 32}}) {
    std::ifstream in(vectors + file);
    const auto report = replay(file, in);
    EXPECT_EQ(report.agreeing, count) << file;
    EXPECT_EQ(report.disagreeing, 0) << file << " line " << report.mismatches[0].line;
    std::int64_t counted = 0;
    for (const Tally& t : report.tallies) counted += t.agreeing;
    EXPECT_EQ(counted, count) << file;
  }
}

constexpr const char* k8 = "m16n8k8.f32.f16.f16.f32";
const std::string zeros = "0 0 0 0 0 0 0 ";

TEST(Replay, AChangedWordIsFound) {
  const std::string text = "# comment\n" + zeros + "3c00 | " + zeros + "3c00 | 0 | 3f800000\n" + zeros +
                           "3c00 | " + zeros + "3c00 | 0 | 3f800001\n";
  std::istringstream in(text);
  const auto report = replay("x", in, {isa::Architecture::ampere, k8});
  EXPECT_EQ(report.agreeing, 1);
  EXPECT_EQ(report.disagreeing, 1);
  EXPECT_EQ(report.mismatches.at(0).line, 3);
  EXPECT_EQ(report.mismatches.at(0).expected, 0x3f800001u);
  EXPECT_EQ(report.mismatches.at(0).computed, 0x3f800000u);
}

void expect_refused(const std::string& text, const std::string& instruction, const std::string& part) {
  try {
    std::istringstream in(text);
    replay("file.hex", in, {isa::Architecture::ampere, instruction});
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(Replay, MalformedFilesAreRefusedByLineAndField) {
  const std::string eight = zeros + "0";
  expect_refused("", k8, "holds no vectors");
  expect_refused("# only this\n", k8, "holds no vectors");
  expect_refused(eight + " | " + eight + " | 0", k8, "file.hex:1: line");
  expect_refused("\n" + zeros + " | " + eight + " | 0 | 0", k8, "file.hex:2: a: 7 words");
  expect_refused(eight + " | " + zeros + "xyz | 0 | 0", k8, "file.hex:1: b: 'xyz'");
  expect_refused(eight + " | " + zeros + "10000 | 0 | 0", k8, "more than the 16 bits");
  expect_refused(eight + " | " + eight + " | | 0", k8, "c: '' is not a hex word");
  expect_refused(eight + " | " + eight + " | 0 | 100000000", k8, "file.hex:1: d");
  expect_refused(eight + " | " + eight + " | 0 | 0", "", "names no instruction");
  expect_refused(eight + " | " + eight + " | 0 | 0", "m16n8k9.f32.f16.f16.f32", "unknown instruction");
  expect_refused(eight + " | " + eight + " | 0 | 0", "m16n8k16.f32.f16.f16.f32",
                 "8 words, but m16n8k16.f32.f16.f16.f32 takes 16; K = 8 is that of m16n8k8.f32.f16.f16.f32");
  expect_refused("0 0 0 0 | 0 0 0 0 | 0 | 0", k8, "K = 4 is that of m8n8k4.f32.f16.f16.f32");
  expect_refused("pascal m16n8k8.f32.f16.f16.f32 8 | " + eight + " | " + eight + " | 0 | 0", "",
                 "unknown architecture");
  expect_refused("ampere m16n8k8.f32.f16.f16.f32 9 | " + eight + " 0 | " + eight + " 0 | 0 | 0", "",
                 "takes 8");
}

TEST(Replay, OnlyNamesOfTheFormAreReadAsSuch) {
  EXPECT_EQ(recorded_name("some/folder/ada_bf16_k8_f32.hex")->instruction, "m16n8k8.f32.bf16.bf16.f32");
  EXPECT_EQ(recorded_name("l40_bf16_k8_f32.hex")->architecture, isa::Architecture::ada);
  for (const auto name : {"a100_bf16_k8_f32.txt", "a100_bf16_f32.hex", "x100_fp16_k8_f32.hex",
                          "h_fp16_k8_f32.hex", "a100b_fp16_k8_f32.hex", "a100_fp64_k8_f32.hex"})
    EXPECT_FALSE(recorded_name(name).has_value()) << name;
}

}  // namespace
}  // namespace twofour::emu
