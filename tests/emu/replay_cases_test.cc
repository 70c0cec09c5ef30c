// Answers of machines against the model: the open questions, and what a replay of cases finds.
#include <gtest/gtest.h>

#include <sstream>

#include "computed.h"
#include "twofour/emu/replay/replay.h"
#include "twofour/emu/vectors/generate.h"
#include "twofour/emu/vectors/open_questions.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {
namespace {

using isa::Architecture;

const std::string header = std::string(case_file_header) + "\n";

/// Column 0 of D as the model computes it.
std::vector<std::uint64_t> column(const Case& c, Architecture architecture) {
  const Fragment d = computed(c, architecture);
  const int width = isa::bits(c.instruction.d);
  std::vector<std::uint64_t> words(16);
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < isa::elements_per_lane(c.instruction, isa::Operand::d); ++index) {
      const auto at = isa::coordinate(c.instruction, isa::Operand::d, lane, index);
      const auto bit = std::size_t(index * width);
      std::uint64_t word = d.word[bit / 32][std::size_t(lane)] >> (bit % 32);
      if (width == 64) word |= std::uint64_t(d.word[bit / 32 + 1][std::size_t(lane)]) << 32;
      if (width == 16) word &= 0xffff;
      if (at.col == 0) words[std::size_t(at.row)] = word;
    }
  return words;
}

/// The hex words before the first " (" of a note's line that ends in "(this model)".
std::vector<std::uint64_t> words_said(const std::string& note) {
  std::istringstream lines(note);
  for (std::string line; std::getline(lines, line);) {
    const auto mark = line.find("  (this model)");
    if (mark == std::string::npos) continue;
    const auto colon = line.rfind(": ", mark);
    std::istringstream in(line.substr(colon == std::string::npos ? 0 : colon + 2, mark));
    std::vector<std::uint64_t> words;
    for (std::string word; in >> word && word.find_first_not_of("0123456789abcdef") == std::string::npos;)
      words.push_back(std::stoull(word, nullptr, 16));
    return words;
  }
  return {};
}

TEST(OpenQuestions, SayWhatTheModelComputes) {
  for (const auto architecture : {Architecture::ampere, Architecture::ada, Architecture::hopper}) {
    const auto cases = open_questions(architecture);
    EXPECT_GE(cases.size(), 22u);
    for (const Case& c : cases) {
      EXPECT_TRUE(c.note.starts_with("question: ")) << c.note;
      const auto said = words_said(c.note);
      ASSERT_FALSE(said.empty()) << c.note;
      const auto words = column(c, architecture);
      for (std::size_t row = 0; row < said.size(); ++row) EXPECT_EQ(words[row], said[row]) << c.note;
    }
  }
}

const Case& asked(const std::vector<Case>& cases, const std::string& about, const std::string& instruction) {
  for (const Case& c : cases)
    if (c.note.find(about) != std::string::npos && isa::short_name(c.instruction) == instruction) return c;
  throw std::runtime_error("no question about " + about);
}

// What the questions' arithmetic comes to by hand, so that each asks what it says.
TEST(OpenQuestions, AskWhatTheySay) {
  const auto cases = open_questions(Architecture::ampere);
  const auto answer = [&](const std::string& about, const std::string& name) {
    return column(asked(cases, about, name), Architecture::ampere);
  };
  // Window down to 2^(-21 - 24): 2^-43, 2^-44, 2^-45 are seen.
  const auto e0 = answer("E0", "m16n8k8.f16.f16.f16.f16");
  for (std::size_t row = 0; row < 6; ++row) EXPECT_EQ(e0[row], row < 3 ? 1u : 0u);
  // 2^31 - 11 + 127 * 127 - 128 * 127.
  for (const auto word : answer("satfinite", "m16n8k32.s32.s8.s8.s32")) EXPECT_EQ(word, 0x7fffff76u);
  // Of 16 kept products, the second eight are one block: 8 * 2^-12 = 2^-9.
  const auto blocks = answer("share a block", "sp.m16n8k32.f32.f16.f16.f32");
  for (std::size_t row = 0; row < 16; ++row) EXPECT_EQ(blocks[row], row < 8 ? 0x3b000000u : 0u);
  // Code r: i = r & 3, j = r >> 2, (i + 1) + 5 (j + 1).
  const auto codes = answer("metadata codes", "sp.m16n8k32.s32.s8.s8.s32");
  for (std::size_t row = 0; row < 16; ++row) EXPECT_EQ(codes[row], (row & 3) + 1 + 5 * (row >> 2) + 5);
  EXPECT_EQ(answer("metadata codes", "sp.m16n8k64.s32.s4.s4.s32"), codes);
  const auto signs = answer("the sign", "m16n8k8.f32.bf16.bf16.f32");
  EXPECT_EQ(signs[0], 0x80000000u);
  EXPECT_EQ(signs[2], 0u);
  EXPECT_EQ(answer("deselects", "sp.m16n8k32.f32.f16.f16.f32")[0], 0x3f800000u);
}

TEST(OpenQuestions, AMachineThatDiffersIsSeen) {
  // The blocks of hopper are twice as long: its answers differ, and replay quotes the question.
  const auto cases = open_questions(Architecture::ampere);
  Case c = asked(cases, "share a block", "sp.m16n8k32.f32.f16.f16.f32");
  c.d = computed(c, Architecture::hopper);
  std::istringstream in(header + "answered sm_86 a GPU\n" + case_text(c));
  const auto report = replay("x", in);
  ASSERT_EQ(report.mismatches.size(), 1u);
  EXPECT_EQ(report.mismatches[0].note, c.note);
  EXPECT_EQ(report.mismatches[0].differing, 8);
}

ReplayReport replay_text(const std::string& text, const ReplayOptions& options = {}) {
  std::istringstream in(text);
  return replay("cases.txt", in, options);
}

std::string answered(Case c, Architecture architecture) {
  c.d = computed(c, architecture);
  return case_text(c);
}

TEST(ReplayCases, AChangedWordIsFoundWithItsPlace) {
  Case c = generate_case(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), 1, {});
  c.d = computed(c, Architecture::ampere);
  const std::uint32_t right = c.d->word[2][5];
  c.d->word[2][5] ^= 1;
  const std::string good = answered(generate_case(c.instruction, 3, {}), Architecture::ampere);
  const auto report = replay_text(header + good + case_text(c));
  EXPECT_EQ(report.agreeing, 1);
  EXPECT_EQ(report.disagreeing, 1);
  ASSERT_EQ(report.mismatches.size(), 1u);
  const Mismatch& m = report.mismatches[0];
  EXPECT_EQ(m.line, 1 + 34 + 2 + 5 + 1);  // header, a case of note, name and 32 lanes, note, name, lane 5
  EXPECT_EQ(m.lane, 5);
  EXPECT_EQ(m.reg, 2);
  EXPECT_EQ(m.row, 9);  // PTX: c2 of lane 4g + t is row g + 8, column 2t
  EXPECT_EQ(m.col, 2);
  EXPECT_EQ(m.expected, right ^ 1);
  EXPECT_EQ(m.computed, right);
  EXPECT_EQ(m.differing, 1);
  EXPECT_EQ(m.elements, 128);
  EXPECT_EQ(m.instruction, "m16n8k16.f32.f16.f16.f32");
}

TEST(ReplayCases, HalvesAndDoublesAreNamedByElement) {
  Case half = generate_case(isa::find_instruction("m16n8k8.f16.f16.f16.f16"), 1, {});
  half.d = computed(half, Architecture::ampere);
  half.d->word[1][4] ^= 0x10000;
  const auto h = replay_text(header + case_text(half)).mismatches.at(0);
  EXPECT_EQ(h.reg, 1);
  EXPECT_EQ(h.bit, 16);
  EXPECT_EQ(h.row, 9);
  EXPECT_EQ(h.col, 1);
  EXPECT_EQ(h.digits, 4);
  Case dbl = generate_case(isa::find_instruction("m8n8k4.f64.f64.f64.f64"), 1, {});
  dbl.d = computed(dbl, Architecture::ampere);
  dbl.d->word[3][6] ^= 0x80000000;  // the high half of the second element
  const auto d = replay_text(header + case_text(dbl)).mismatches.at(0);
  EXPECT_EQ(d.row, 1);
  EXPECT_EQ(d.col, 5);
  EXPECT_EQ(d.digits, 16);
  EXPECT_EQ(d.expected ^ d.computed, 0x8000000000000000u);
}

TEST(ReplayCases, TheArchitectureIsThatOfTheMachineThatAnswered) {
  std::string cases;
  for (int n = 0; n < 12; ++n)
    cases += answered(generate_case(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), n, {}),
                      Architecture::hopper);
  EXPECT_EQ(replay_text(header + "answered sm_90 H200\n" + cases).disagreeing, 0);
  EXPECT_GT(replay_text(header + "answered sm_86 A10\n" + cases).disagreeing, 0);
  EXPECT_GT(replay_text(header + cases).disagreeing, 0);
  EXPECT_EQ(replay_text(header + "answered sm_86 A10\n" + cases, {Architecture::hopper, ""}).disagreeing, 0);
  EXPECT_THROW(replay_text(header + "answered sm_61 P40\n" + cases), Error);
}

TEST(ReplayCases, CasesWithoutAnswersAndFormsOfOthersAreRefused) {
  const Case c = generate_case(isa::find_instruction("m16n8k8.f32.bf16.bf16.f32"), 0, {});
  EXPECT_THROW(replay_text(header + case_text(c)), Error);
  EXPECT_THROW(replay_text(header + answered(c, Architecture::ampere), {Architecture::turing, ""}), Error);
  EXPECT_THROW(replay_text(header), Error);
}

}  // namespace
}  // namespace twofour::emu
