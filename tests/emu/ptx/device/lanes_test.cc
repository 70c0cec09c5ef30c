// shfl, vote, match, redux, elect.
#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxLanes, ShufflesOfEveryMode) {
  // In segments of 8 lanes; c = clamp | 24 << 8.
  TestDevice t(kernel(R"(
    mad.lo.u32 %r1, %r0, 10, 7;
    shfl.sync.up.b32 %r2|%p1, %r1, 3, 0x1800, 0xffffffff;
    shfl.sync.down.b32 %r3|%p2, %r1, 3, 0x181f, -1;
    shfl.sync.bfly.b32 %r4, %r1, 5, 0x1f, -1;
    shfl.sync.idx.b32 %r5|%p3, %r1, %r0, 0x1803, -1;
    selp.u32 %r6, 1000, 0, %p1;
    selp.u32 %r7, 1000, 0, %p2;
    selp.u32 %r8, 1000, 0, %p3;
    add.u32 %r2, %r2, %r6;
    add.u32 %r3, %r3, %r7;
    add.u32 %r5, %r5, %r8;
    st.global.u32 [%d1], %r2;
    st.global.u32 [%d1+128], %r3;
    st.global.u32 [%d1+256], %r4;
    st.global.u32 [%d1+384], %r5;
  )"));
  const auto out = t.results(32, 128);
  const auto value = [](std::uint32_t lane) { return 10 * lane + 7; };
  for (std::uint32_t l = 0; l < 32; ++l) {
    const bool up = l % 8 >= 3, down = l % 8 < 5;
    EXPECT_EQ(out[l], up ? value(l - 3) + 1000 : value(l)) << l;
    EXPECT_EQ(out[32 + l], down ? value(l + 3) + 1000 : value(l)) << l;
    EXPECT_EQ(out[64 + l], value(l ^ 5)) << l;
    // idx: source l % 8 of the segment, the highest allowed is 3.
    EXPECT_EQ(out[96 + l], l % 8 <= 3 ? value(l) + 1000 : value(l)) << l;
  }
}

TEST(PtxLanes, VotesAndBallots) {
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 40;
    vote.sync.ballot.b32 %r1, %p0, -1;
    vote.sync.ballot.b32 %r2, !%p0, -1;
    vote.sync.all.pred %p1, %p0, -1;
    vote.sync.any.pred %p2, %p0, -1;
    vote.sync.uni.pred %p3, !%p0, -1;
    selp.u32 %r3, 1, 0, %p1;
    selp.u32 %r4, 2, 0, %p2;
    selp.u32 %r5, 4, 0, %p3;
    or.b32 %r3, %r3, %r4;
    or.b32 %r3, %r3, %r5;
    st.global.u32 [%d1], %r1;
    st.global.u32 [%d1+384], %r2;
    st.global.u32 [%d1+768], %r3;
  )"));
  const auto out = t.results(96, 288);
  for (std::size_t l = 0; l < 96; ++l) {
    const std::uint32_t ballot[] = {0xffffffff, 0xff, 0}, flags[] = {1 + 2 + 4, 2, 4};
    EXPECT_EQ(out[l], ballot[l / 32]);
    EXPECT_EQ(out[96 + l], ~ballot[l / 32]);
    EXPECT_EQ(out[192 + l], flags[l / 32]);
  }
}

TEST(PtxLanes, GroupsByMemberMask) {
  // Quads reduce on their own masks; lanes 28 .. 31 are gone.
  TestDevice t(kernel(R"(
    setp.ge.u32 %p0, %r0, 28;
    @%p0 ret;
    and.b32 %r1, %r0, 28;
    mov.u32 %r2, 15;
    shl.b32 %r2, %r2, %r1;
    redux.sync.add.u32 %r3, %r0, %r2;
    neg.s32 %r4, %r0;
    redux.sync.min.s32 %r5, %r4, %r2;
    redux.sync.xor.b32 %r6, %r0, %r2;
    shr.u32 %r7, %r0, 3;
    match.any.sync.b32 %r8, %r7, -1;
    elect.sync %r9|%p1, %r2;
    selp.u32 %r10, 100, 0, %p1;
    add.u32 %r9, %r9, %r10;
    match.all.sync.b32 %r11|%p2, %r7, %r2;
    @!%p2 mov.u32 %r11, 1;
    st.global.u32 [%d1], %r3;
    st.global.u32 [%d1+128], %r5;
    st.global.u32 [%d1+256], %r6;
    st.global.u32 [%d1+384], %r8;
    st.global.u32 [%d1+512], %r9;
    st.global.u32 [%d1+640], %r11;
  )"));
  const auto out = t.results(32, 192);
  for (std::uint32_t l = 0; l < 28; ++l) {
    const std::uint32_t q = l / 4 * 4;
    EXPECT_EQ(out[l], 4 * q + 6);
    EXPECT_EQ(std::int32_t(out[32 + l]), -std::int32_t(q + 3));
    EXPECT_EQ(out[64 + l], 0u);  // q ^ (q+1) ^ (q+2) ^ (q+3)
    EXPECT_EQ(out[96 + l], l < 24 ? 0xffu << l / 8 * 8 : 0x0f000000u);
    EXPECT_EQ(out[128 + l], q + (l == q ? 100 : 0));
    EXPECT_EQ(out[160 + l], 15u << q);
  }
}

TEST(PtxLanes, MissingMembersAreNamed) {
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 8;
    @!%p0 bra END;
    shfl.sync.idx.b32 %r1, %r0, 0, 31, -1;
  END:
    st.global.u32 [%d1], %r1;
  )"));
  expect_words(error_of([&] { t.results(32, 32); }), {"shfl.sync.idx.b32", "0xffffff00", "lane 8", "not here"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
