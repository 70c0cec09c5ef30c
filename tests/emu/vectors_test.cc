#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "twofour/emu/replay/replay.h"
#include "twofour/emu/vectors/generate.h"
#include "twofour/emu/vectors/open_questions.h"
#include "twofour/emu/vectors/random_words.h"
#include "twofour/isa/layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::Architecture;

const std::string header = std::string(case_file_header) + "\n";

std::vector<isa::Instruction> all_rows() {
  return select_instructions("", "", Architecture::ada);
}

std::vector<Case> read(const std::string& text) {
  std::istringstream in(text);
  Lines lines("cases.txt", in);
  CaseReader reader(lines);
  std::vector<Case> cases;
  while (auto c = reader.next()) cases.push_back(*c);
  return cases;
}

Fragment computed(const Case& c, Architecture architecture) {
  NumericOptions options = c.options;
  options.architecture = architecture;
  return execute(c.instruction, c.operands, options);
}

TEST(SplitMix64, GivesTheNumbersOfTheReferenceGenerator) {
  SplitMix64 random(
      1234567);  // the test vector of Vigna's splitmix64.c, as published with Java's SplittableRandom
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(FloatWords, SpellsNumbers) {
  const FloatWords half(isa::ElementType::f16), tensor(isa::ElementType::tf32), dbl(isa::ElementType::f64);
  EXPECT_EQ(half.number(false, 0), 0x3c00u);
  EXPECT_EQ(half.number(true, 1, 0x200), 0xc200u);
  EXPECT_EQ(half.number(false, -24), 1u);
  EXPECT_EQ(half.number(false, -25), 0u);
  EXPECT_EQ(half.max_finite(true), 0xfbffu);
  EXPECT_EQ(half.infinity(false), 0x7c00u);
  EXPECT_EQ(tensor.number(false, 0, 1), 0x3f802000u);
  EXPECT_EQ(dbl.number(true, 53), 0xc340000000000000u);
  EXPECT_EQ(FloatWords(isa::ElementType::e4m3).max_finite(false), 0x7eu);
}

TEST(CaseFile, EveryCaseReadsBackAsItWas) {
  for (const auto& row : all_rows())
    for (int n = 0; n < 16; ++n) {
      Case c = generate_case(row, n, {});
      if (n % 2 == 0) c.d = c.operands.c;
      const auto back = read(header + case_text(c));
      ASSERT_EQ(back.size(), 1u);
      EXPECT_EQ(back[0].instruction, row);
      EXPECT_EQ(back[0].operands.a, c.operands.a);
      EXPECT_EQ(back[0].operands.b, c.operands.b);
      EXPECT_EQ(back[0].operands.c, c.operands.c);
      EXPECT_EQ(back[0].operands.metadata, c.operands.metadata);
      EXPECT_EQ(back[0].operands.selector, c.operands.selector);
      EXPECT_EQ(back[0].options.satfinite, c.options.satfinite);
      EXPECT_EQ(back[0].options.rounding, c.options.rounding);
      EXPECT_EQ(back[0].note, c.note);
      EXPECT_EQ(back[0].d, c.d) << case_text(c);
    }
}

void expect_refused(const std::string& text, const std::string& part) {
  try {
    read(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what() << "\n wanted " << part;
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(CaseFile, MalformedFilesAreRefusedByLineAndField) {
  const Case sparse = generate_case(isa::find_instruction("sp.m16n8k64.s32.s8.s8.s32"), 0, {});
  const std::string good = header + case_text(sparse);  // lines: header, note, case, lanes 0 to 31
  expect_refused("", "cases.txt: holds no cases");
  expect_refused("# only this\n", "holds no cases");
  expect_refused("case x\n", "cases.txt:1: header: a case file starts with 'twofour-cases 1'");
  expect_refused("twofour-cases 2\n", "does not read");
  expect_refused(header + "lane 3\n", "cases.txt:2: line");
  expect_refused(header + "answered tomorrow\n", "cases.txt:2: answered");
  expect_refused(header + "case\n", "cases.txt:2: instruction: the case names none");
  expect_refused(replaced(good, "m16n8k64", "m16n8k65"), "cases.txt:3: instruction: unknown instruction");
  expect_refused(header + "case ldmatrix.sync.aligned.m8n8.x1.shared.b16\n", "it has no cases");
  expect_refused(replaced(good, " selector=0", ""), "cases.txt:3: selector: a sparse instruction needs");
  expect_refused(replaced(good, "selector=0", "selector=1"), "cases.txt:3: selector: '1' is none of");
  expect_refused(replaced(good, "selector=0", "selector=0 rz"), "cases.txt:3: qualifier");
  expect_refused(replaced(good, "\n01 |", "\n02 |"),
                 "cases.txt:5: lane: the case of line 3 has no line for lane 1");
  expect_refused(good.substr(0, good.find("\n16 |") + 1),
                 "cases.txt:19: lane: the case of line 3 has no line for lane 16 of 32 here: the file ends");
  expect_refused(replaced(good, "\n00 | ", "\n00 | 00000000 "), "cases.txt:4: a: 5 words");
  expect_refused(replaced(good, "\n01 | ", "\n01 | x"), "cases.txt:5: a: 'x");
  expect_refused(replaced(good, "\n01 | ", "\n01 | 1"), "has more than the 32 bits");
  expect_refused(replaced(good, "\n01 | ", "\n01 "), "cases.txt:5: lane");
  Case answered = sparse;
  answered.d = sparse.operands.c;
  const std::string with_d = header + case_text(answered);
  const auto end = with_d.find('\n', with_d.find("\n02 |") + 1);
  const auto bar = with_d.rfind(" |", end);
  expect_refused(std::string(with_d).erase(bar, end - bar), "cases.txt:6: d: is missing");
}

TEST(Generate, IsTheSameAgainAndDependsOnTheSeed) {
  for (const auto& row : all_rows()) {
    GenerateOptions other;
    other.seed = 2;
    EXPECT_EQ(case_text(generate_case(row, 5, {})), case_text(generate_case(row, 5, {})));
    EXPECT_NE(case_text(generate_case(row, 5, {})), case_text(generate_case(row, 5, other)));
    EXPECT_NE(case_text(generate_case(row, 5, {})), case_text(generate_case(row, 7, {})));
  }
}

std::set<int> codes_used(const std::string& name, const GenerateOptions& options) {
  const auto& row = isa::find_instruction(name);
  std::set<int> codes;
  for (int n = 0; n < 4; ++n)
    for (const std::uint32_t word : generate_case(row, n, options).operands.metadata)
      for (int shift = 0; shift < 32; shift += 4) codes.insert(int(word >> shift & 15));
  return codes;
}

TEST(Generate, MetadataHoldsEveryOrderedCodeAndOthersOnlyWhenAsked) {
  for (const auto level : {CaseLevel::boundary, CaseLevel::random}) {
    const GenerateOptions ordered{level, 1, false}, invalid{level, 1, true};
    for (const auto name :
         {"sp.m16n8k16.f32.f16.f16.f32", "sp.m16n8k64.s32.s8.s8.s32", "sp.m16n8k128.s32.u4.s4.s32"}) {
      EXPECT_EQ(codes_used(name, ordered), (std::set<int>{4, 8, 9, 12, 13, 14})) << name;
      EXPECT_EQ(codes_used(name, invalid).size(), 16u) << name;
    }
    EXPECT_EQ(codes_used("sp.m16n8k8.f32.tf32.tf32.f32", ordered), (std::set<int>{4, 14}));
  }
}

TEST(Generate, SelectorsSatfiniteAndRoundingTakeTurns) {
  std::set<int> selectors, roundings;
  std::set<bool> satfinite;
  for (int n = 0; n < 16; ++n) {
    selectors.insert(
        generate_case(isa::find_instruction("sp.m16n8k16.f32.f16.f16.f32"), n, {}).operands.selector);
    roundings.insert(
        int(generate_case(isa::find_instruction("m8n8k4.f64.f64.f64.f64"), n, {}).options.rounding));
    satfinite.insert(generate_case(isa::find_instruction("m16n8k32.s32.s8.s8.s32"), n, {}).options.satfinite);
  }
  EXPECT_EQ(selectors.size(), 4u);
  EXPECT_EQ(roundings.size(), 4u);
  EXPECT_EQ(satfinite.size(), 2u);
}

/// Operands of a case as rows of element words: a[row][k], b[col][k], c[row][col].
struct Elements {
  std::vector<std::vector<std::uint64_t>> a, b, c;
};

Elements elements(const Case& c) {
  const auto& i = c.instruction;
  const auto unpack = [&](isa::Operand o, const Fragment& f) {
    const isa::Shape size = isa::tile(i, o);
    std::vector<std::vector<std::uint64_t>> out(std::size_t(size.m),
                                                std::vector<std::uint64_t>(std::size_t(size.n)));
    const int width = isa::bits(isa::element(i, o));
    for (int lane = 0; lane < 32; ++lane)
      for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
        const auto at = isa::coordinate(i, o, lane, index);
        const auto bit = std::size_t(index * width);
        const std::uint32_t word = f.word[bit / 32][std::size_t(lane)] >> (bit % 32);
        out[std::size_t(at.row)][std::size_t(at.col)] = width == 32 ? word : word & ((1u << width) - 1);
      }
    return out;
  };
  Elements e{unpack(isa::Operand::a, c.operands.a), {}, unpack(isa::Operand::c, c.operands.c)};
  const auto b = unpack(isa::Operand::b, c.operands.b);
  for (std::size_t col = 0; col < b[0].size(); ++col) {
    e.b.emplace_back();
    for (const auto& row : b) e.b.back().push_back(row[col]);
  }
  return e;
}

/// Cases 0 to 41 of a theme.
std::vector<Case> of_theme(const std::string& name, const std::string& theme) {
  std::vector<Case> cases;
  for (int n = 0; n < 42; ++n) {
    Case c = generate_case(isa::find_instruction(name), n, {CaseLevel::boundary, 1, false});
    if (c.note.ends_with(": " + theme + "\n")) cases.push_back(c);
  }
  EXPECT_GE(cases.size(), 6u) << theme;
  return cases;
}

double half_value(std::uint64_t word) {
  const int exponent = int(word >> 10 & 31), fraction = int(word & 1023);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return word >> 15 != 0 ? -magnitude : magnitude;
}

TEST(Boundary, WindowEdgesLieOnBothSidesOfEveryWindow) {
  std::set<int> below;
  for (const Case& c : of_theme("m16n8k8.f32.f16.f16.f32", "window edges")) {
    const Elements e = elements(c);
    for (const auto& row : e.a)
      for (const auto& col : e.b) {
        double greatest = 0;
        for (std::size_t k = 0; k < row.size(); ++k)
          greatest = std::max(greatest, std::abs(half_value(row[k]) * half_value(col[k])));
        for (std::size_t k = 0; k < row.size(); ++k)
          if (const double p = half_value(row[k]) * half_value(col[k]); p != 0)
            below.insert(std::ilogb(greatest) - std::ilogb(p));
      }
  }
  for (int bits = 21; bits <= 27; ++bits) EXPECT_TRUE(below.contains(bits)) << bits;
}

TEST(Boundary, TiesAreHalfwayAndJustBeside) {
  int ties = 0, beside = 0;
  for (const Case& c : of_theme("m16n8k8.f16.f16.f16.f16", "ties")) {
    const Elements e = elements(c);
    for (std::size_t row = 0; row < 16; ++row)
      for (std::size_t col = 0; col < 8; ++col) {
        double sum = half_value(e.c[row][col]);  // exact: all lies within 2^-24 and 2^12
        for (std::size_t k = 0; k < 8; ++k) sum += half_value(e.a[row][k]) * half_value(e.b[col][k]);
        const double units = std::ldexp(sum, 10 - std::ilogb(sum)),
                     rest = std::abs(units - std::trunc(units) - 0.5);
        ties += rest == 0;
        beside += rest != 0 && rest < 0.01;
      }
  }
  EXPECT_GE(ties, 20);
  EXPECT_GE(beside, 20);
}

TEST(Boundary, WordsOfEveryKindOccur) {
  std::set<std::uint64_t> half, accumulators, bytes, low;
  for (const auto theme : {"zeros and subnormals", "NaN and infinity"})
    for (const Case& c : of_theme("m16n8k8.f16.f16.f16.f16", theme))
      for (const auto& row : elements(c).a) half.insert(row.begin(), row.end());
  for (const std::uint64_t word : {0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00})
    EXPECT_TRUE(half.contains(word)) << word;
  EXPECT_TRUE(
      std::any_of(half.begin(), half.end(), [](auto w) { return w > 0x7c00 && w < 0x7e00; }));  // signalling
  EXPECT_TRUE(std::any_of(half.begin(), half.end(), [](auto w) { return w >= 0x7e00 && w < 0x8000; }));
  for (const Case& c : of_theme("m16n8k32.s32.s8.u8.s32", "extremes")) {
    const Elements e = elements(c);
    for (const auto& row : e.c) accumulators.insert(row.begin(), row.end());
    for (const auto& row : e.a) bytes.insert(row.begin(), row.end());
  }
  for (const std::uint64_t word : {0x7fffffffu, 0x80000000u, 0u, 1u, 0xffffffffu})
    EXPECT_TRUE(accumulators.contains(word)) << word;
  EXPECT_EQ(bytes, (std::set<std::uint64_t>{0, 1, 0x7f, 0x80, 0xff}));
  for (const Case& c : of_theme("m16n8k8.f32.tf32.tf32.f32", "low 13 bits"))
    for (const auto& row : elements(c).a) low.insert(row.begin(), row.end());
  const auto any_low = [&](std::uint64_t high) {
    return std::any_of(low.begin(), low.end(), [&](auto w) { return (w & ~0x1fffull) == high && w != high; });
  };
  EXPECT_TRUE(any_low(0x7f800000) && any_low(0) && any_low(0x80000000));
}

TEST(Boundary, CancellingProductsLeaveTheAccumulatorOrTakeItAway) {
  for (const auto name : {"m16n8k16.f32.bf16.bf16.f32", "sp.m16n8k32.f32.bf16.bf16.f32"}) {
    int whole = 0, truncated = 0, gone = 0;  // c below the window of the products that cancelled
    for (const Case& c : of_theme(name, "cancellation")) {
      const Fragment d = computed(c, Architecture::ampere);
      for (std::size_t r = 0; r < 4; ++r)
        for (std::size_t lane = 0; lane < 32; ++lane) {
          const std::uint32_t before = c.operands.c.word[r][lane], after = d.word[r][lane];
          whole += before == after;
          truncated += after != 0 && after < before && (after ^ before) >> 23 == 0;
          gone += after == 0 && (before & 0x7fffffff) != 0;
        }
    }
    EXPECT_GE(whole, 50) << name;
    EXPECT_GE(truncated, 50) << name;
    EXPECT_GE(gone, 10) << name;
  }
}

/// Cases of the level, of 12, in which two architectures differ.
int told_apart(const std::string& name, CaseLevel level, Architecture one, Architecture other) {
  int count = 0;
  for (int n = 0; n < 12; ++n) {
    const Case c = generate_case(isa::find_instruction(name), n, {level, 1, false});
    count += computed(c, one) != computed(c, other);
  }
  return count;
}

// In these pairs the architectures differ in the width of the window alone (and in E0 by one, which follows
// it), or in the products of a block too: cases that could not tell them apart would test nothing.
TEST(Generate, BoundaryCasesTellNeighbouringRulesApart) {
  using enum Architecture;
  for (const auto name :
       {"m16n8k8.f32.f16.f16.f32", "m16n8k8.f32.bf16.bf16.f32", "m16n8k4.f32.tf32.tf32.f32",
        "m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.bf16.bf16.f32", "m16n8k8.f16.f16.f16.f16"})
    EXPECT_GE(told_apart(name, CaseLevel::boundary, ampere, hopper), 1) << name;
  EXPECT_GE(told_apart("m16n8k16.f32.f16.f16.f32", CaseLevel::random, ampere, hopper), 1);
}

TEST(Generate, IntegerCasesReachBothEndsOfTheAccumulator) {
  for (const auto name : {"m16n8k32.s32.s8.s8.s32", "m16n8k64.s32.u4.s4.s32", "sp.m16n8k64.s32.s8.u8.s32"}) {
    int wrapping = 0;
    std::set<std::uint32_t> words;
    for (int n = 0; n < 12; ++n) {
      Case c = generate_case(isa::find_instruction(name), n, {CaseLevel::boundary, 1, false});
      c.options.satfinite = true;
      const Fragment clamped = computed(c, Architecture::ampere);
      c.options.satfinite = false;
      wrapping += clamped != computed(c, Architecture::ampere);
      for (const auto& word : clamped.word) words.insert(word.begin(), word.end());
    }
    EXPECT_GE(wrapping, 3) << name;
    EXPECT_TRUE(words.contains(0x7fffffff) && words.contains(0x80000000)) << name;
  }
}

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

TEST(Select, NamesFamiliesAndArchitectures) {
  EXPECT_EQ(select_instructions("m16n8k8.f32.f16.f16.f32,sp.m16n8k64.s32.s8.s8.s32", "", Architecture::ampere)
                .size(),
            2u);
  for (const auto& row : select_instructions("", "mma.sp", Architecture::ampere))
    EXPECT_EQ(row.family, isa::Family::mma_sp);
  for (const auto& row : select_instructions("", "", Architecture::ampere))
    EXPECT_LE(isa::requirement(row).sm, 80);
  EXPECT_THROW(select_instructions("m16n8k9.f32.f16.f16.f32", "", Architecture::ampere), Error);
  EXPECT_THROW(select_instructions("movmatrix.m8n8.trans.b16", "", Architecture::ampere), Error);
  EXPECT_THROW(select_instructions("", "cp.async", Architecture::ampere), Error);
}

}  // namespace
}  // namespace twofour::emu
