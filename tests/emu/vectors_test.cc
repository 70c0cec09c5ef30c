#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "twofour/emu/vectors/generate.h"
#include "twofour/emu/vectors/random_words.h"

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
      if (n % 2 == 0) {
        c.d = Fragment{};
        for (int r = 0; r < isa::registers(row, isa::Operand::d); ++r)
          c.d->word[std::size_t(r)] = c.operands.a.word[std::size_t(r) % 2];
      }
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
