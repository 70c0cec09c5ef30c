// Conflicts counted by hand: 32 banks of 4 bytes.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::expect_words;
using ptx::test::kernel;

/// An access at %r1: lane times `stride` bytes.
Checked bankcheck(int stride, const std::string& access, std::uint32_t threads = 32) {
  return run_under(Tool::bankcheck,
                   kernel(fmt::format(R"(
    .shared .align 128 .b8 tile[8192];
    mov.u32 %r1, tile;
    mad.lo.u32 %r1, %r0, {}, %r1;
    {};
  )",
                                      stride, access)),
                   threads);
}

void expect(const Checked& checked, int degree, int wavefronts, int least) {
  ASSERT_EQ(checked.findings.size(), 1u) << text(checked);
  const Finding& f = checked.findings[0];
  EXPECT_EQ(f.error, fmt::format("{}-way bank conflict", degree));
  expect_words(f.detail, {fmt::format("want {} words", degree),
                          fmt::format("{} wavefronts where {} ", wavefronts, least)});
  EXPECT_EQ(checked.failure, "");
}

TEST(Bankcheck, WordsByStride) {
  expect_clean(bankcheck(4, "ld.shared.u32 %r2, [%r1]"));
  expect_clean(bankcheck(132, "st.shared.u32 [%r1], %r0"));
  expect_clean(bankcheck(0, "ld.shared.u32 %r2, [%r1]"));  // one word for all
  expect(bankcheck(8, "ld.shared.u32 %r2, [%r1]"), 2, 2, 1);
  expect(bankcheck(12 * 4, "st.shared.u32 [%r1], %r0"), 4, 4, 1);  // 12 l mod 32: 8 banks
  expect(bankcheck(128, "ld.shared.u32 %r2, [%r1]"), 32, 32, 1);
}

TEST(Bankcheck, PartsOfAWordAreNoConflict) {
  expect_clean(bankcheck(2, "st.shared.u16 [%r1], %h0"));
  expect_clean(bankcheck(1, "ld.shared.u8 %h0, [%r1]"));
  expect(bankcheck(130, "ld.shared.u16 %h0, [%r1]"), 2, 2, 1);  // 65 l / 2: two lanes a bank
}

TEST(Bankcheck, WideAccessesTakeTheWarpInPhases) {
  expect_clean(bankcheck(8, "ld.shared.v2.u32 {%r2, %r3}, [%r1]"));
  expect_clean(bankcheck(16, "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1]"));
  // 8 lanes a phase; lanes l and l + 4 of it share their banks.
  expect(bankcheck(32, "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1]"), 2, 8, 4);
  // 16 lanes a phase; lanes l and l + 8 of it share theirs.
  expect(bankcheck(16, "st.shared.v2.u32 [%r1], {%r0, %r0}"), 2, 4, 2);
}

TEST(Bankcheck, RowsOfLdmatrix) {
  const std::string x4 = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r2, %r3, %r4, %r5}, [%r1]",
                    x1 = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r1]";
  expect_clean(bankcheck(144, x4));
  expect(bankcheck(128, x4), 8, 32, 4);
  expect(bankcheck(64, x4), 4, 16, 4);
  expect(bankcheck(128, x1), 8, 8, 1);
}

TEST(Bankcheck, WhereCopiesLand) {
  expect_clean(bankcheck(16, "cp.async.cg.shared.global [%r1], [%d0], 16"));
  expect(bankcheck(64, "cp.async.cg.shared.global [%r1], [%d0], 16"), 4, 16, 4);
}

TEST(Bankcheck, TheWorstOfAllWarpsIsShownAndAllCount) {
  // Warp 0: no conflict; warp 1: stride 8; warp 2: stride 16.
  const Checked checked = run_under(Tool::bankcheck, kernel(R"(
    .shared .align 128 .b8 tile[8192];
    mov.u32 %r1, tile;
    shr.u32 %r2, %r0, 5;
    and.b32 %r3, %r0, 31;
    shl.b32 %r3, %r3, 2;
    shl.b32 %r3, %r3, %r2;
    add.u32 %r1, %r1, %r3;
    ld.shared.u32 %r4, [%r1];
  )"),
                                    96);
  expect(checked, 4, 1 + 2 + 4, 3);
  EXPECT_EQ(checked.findings[0].warp, 2);
  EXPECT_EQ(checked.findings[0].count, 2u);
}

TEST(Bankcheck, LanesThatDoNotExecuteTakeNoWavefront) {
  expect(bankcheck(128, "setp.lt.u32 %p0, %r0, 5;\n @%p0 ld.shared.u32 %r2, [%r1]"), 5, 5, 1);
  expect(bankcheck(128, "setp.lt.u32 %p0, %r0, 12;\n @%p0 ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1]"), 8,
         12, 2);
}

}  // namespace
}  // namespace twofour::emu::check::test
