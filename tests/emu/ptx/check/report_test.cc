// Findings of many threads as one list, and as text.
#include "twofour/emu/check/report.h"

#include <gtest/gtest.h>

#include "twofour/emu/check/checker_set.h"
#include "under.h"

namespace twofour::emu::check::test {
namespace {

Finding finding(std::string error, int line, std::uint32_t block) {
  Finding f;
  f.error = std::move(error);
  f.detail = "a detail";
  f.kernel = "k";
  f.file = "k.ptx";
  f.line = line;
  f.statement = "ld.global.u32 %r1, [%rd1]";
  f.block = {block, 0, 0};
  f.warp = 2;
  f.lanes = 0x1000'0f02;
  f.address = 0x100;
  return f;
}

TEST(Report, Lanes) {
  EXPECT_EQ(lanes_text(0), "");
  EXPECT_EQ(lanes_text(1), "0");
  EXPECT_EQ(lanes_text(0x1000'0f02), "1 8-11 28");
  EXPECT_EQ(lanes_text(0x8000'0001), "0 31");
  EXPECT_EQ(lanes_text(~0u), "0-31");
}

TEST(Report, OneBlockAFindingAndTheirNumber) {
  const Finding list[] = {finding("out of bounds", 7, 3)};
  const Tool ran[] = {Tool::memcheck, Tool::synccheck};
  EXPECT_EQ(report(list, ran),
            "memcheck: out of bounds: a detail\n"
            "    kernel k, k.ptx:7: ld.global.u32 %r1, [%rd1]\n"
            "    block (3, 0, 0), warp 2, lanes 1 8-11 28, address 0x100\n"
            "1 finding: memcheck 1, synccheck 0\n");
  EXPECT_EQ(report({}, ran), "0 findings: memcheck 0, synccheck 0\n");
}

TEST(Report, NothingOfAPlaceWhereThereIsNone) {
  Finding f;
  f.error = "leak";
  f.detail = "1 allocation";
  EXPECT_EQ(text(f), "memcheck: leak: 1 allocation\n");
}

TEST(Findings, TheLowestBlockIsShownAndAllAreCounted) {
  Findings findings;
  findings.add(finding("misaligned", 9, 5), 5);
  findings.add(finding("misaligned", 9, 1), 1);
  findings.add(finding("misaligned", 9, 4), 4);
  findings.add(finding("out of bounds", 9, 0), 0);
  findings.add(finding("misaligned", 8, 0), 0);
  const auto list = findings.list();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].line, 8);
  EXPECT_EQ(list[1].error, "misaligned");
  EXPECT_EQ(list[1].block.x, 1u);
  EXPECT_EQ(list[1].count, 3u);
  EXPECT_EQ(list[2].error, "out of bounds");
}

TEST(Findings, ReplaceTakesTheLinesOfItsToolAlone) {
  Findings findings;
  findings.add(finding("2-way", 9, 5), 5);
  findings.add(finding("3-way", 10, 5), 5);
  Finding other = finding("race", 9, 1);
  other.tool = Tool::racecheck;
  findings.add(other, 1);
  findings.replace(finding("4-way", 9, 6), 6);
  const auto list = findings.list();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].error, "4-way");
  EXPECT_EQ(list[1].error, "race");
  EXPECT_EQ(list[2].error, "3-way");
}

TEST(Findings, ExplainTheFailureOfTheirInstruction) {
  Findings findings;
  findings.add(finding("out of bounds", 7, 3), 3);
  EXPECT_TRUE(
      findings.explains("k.ptx:7: ld.global.u32 %r1, [%rd1]: kernel k, block (4, 0, 0), warp 1: no memory"));
  EXPECT_FALSE(
      findings.explains("k.ptx:8: ld.global.u32 %r1, [%rd1]: kernel k, block (4, 0, 0), warp 1: no memory"));
  EXPECT_FALSE(
      findings.explains("k.ptx:7: ld.global.u32 %r1, [%rd1]: kernel k2, block (4, 0, 0), warp 1: no memory"));
}

TEST(Tools, AreNamedByTheirList) {
  EXPECT_EQ(tools_from("bankcheck,memcheck"), (std::vector{Tool::memcheck, Tool::bankcheck}));
  EXPECT_EQ(tools_from("all").size(), 6u);
  EXPECT_TRUE(tools_from("").empty());
  ptx::test::expect_words(ptx::test::error_of([] { tools_from("memcheck,leakcheck"); }),
                          {"leakcheck", "memcheck", "bankcheck"});
}

}  // namespace
}  // namespace twofour::emu::check::test
