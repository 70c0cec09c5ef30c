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

TEST(PtxLanes, SpecialRegisters) {
  // A block of 5 x 4 x 3 threads; thread i writes its registers at i, i + 60, ...
  TestDevice t(kernel(R"(
    mov.u32 %r1, %tid.y;
    mov.u32 %r2, %tid.z;
    mad.lo.u32 %r3, %r2, %ntid.y, %r1;
    mad.lo.u32 %r3, %r3, %ntid.x, %r0;
    mul.wide.u32 %d2, %r3, 4;
    add.u64 %d2, %d0, %d2;
    mad.lo.u32 %r4, %r1, 100, %r0;
    mad.lo.u32 %r4, %r2, 10000, %r4;
    st.global.u32 [%d2], %r4;
    mov.u32 %r5, %laneid;
    mov.u32 %r6, %warpid;
    mad.lo.u32 %r5, %r6, 100, %r5;
    st.global.u32 [%d2+240], %r5;
    mov.u32 %r7, %lanemask_lt;
    mov.u32 %r8, %lanemask_eq;
    mov.u32 %r9, %lanemask_ge;
    st.global.u32 [%d2+480], %r7;
    st.global.u32 [%d2+720], %r8;
    st.global.u32 [%d2+960], %r9;
    mov.u32 %r10, %lanemask_le;
    mov.u32 %r11, %lanemask_gt;
    sub.u32 %r10, %r10, %r7;
    sub.u32 %r11, %r9, %r11;
    st.global.u32 [%d2+1200], %r10;
    st.global.u32 [%d2+1440], %r11;
    mov.u64 %d3, %clock64;
    mov.u64 %d4, %clock64;
    sub.u64 %d3, %d4, %d3;
    cvt.u32.u64 %r12, %d3;
    st.global.u32 [%d2+1680], %r12;
  )"));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(480));
  t.run({1, 1, 1}, {5, 4, 3}, 0, out);
  const auto r = t.download<std::uint32_t>(out, 480);
  for (std::uint32_t i = 0; i < 60; ++i) {
    const std::uint32_t lane = i % 32, bit = 1u << lane;
    EXPECT_EQ(r[i], i % 5 + i / 5 % 4 * 100 + i / 20 * 10000);
    EXPECT_EQ(r[60 + i], i / 32 * 100 + lane);
    EXPECT_EQ(r[120 + i], bit - 1);
    EXPECT_EQ(r[180 + i], bit);
    EXPECT_EQ(r[240 + i], ~(bit - 1));
    EXPECT_EQ(r[300 + i], bit);
    EXPECT_EQ(r[360 + i], bit);
    EXPECT_EQ(r[420 + i], 16u);  // cycles an instruction
  }
}

TEST(PtxLanes, MissingMembersAreNamed) {
  // They wait elsewhere themselves: at a shuffle that names these.
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 8;
    @!%p0 bra OTHER;
    shfl.sync.idx.b32 %r1, %r0, 0, 31, -1;
    bra BOTH;
  OTHER:
    vote.sync.ballot.b32 %r1, %p0, -1;
  BOTH:
    st.global.u32 [%d1], %r1;
  )"));
  expect_words(error_of([&] { t.results(32, 32); }), {"member mask 0xffffffff", "not here"});
}

TEST(PtxLanes, MembersMayExitOnAnotherWay) {
  // As PTX says: the lanes wait until all others of the mask came or exited. In the second round of the loop
  // lanes 0 to 7 are alone.
  TestDevice t(kernel(R"(
    mov.u32 %r2, 0;
  LOOP:
    add.u32 %r2, %r2, 1;
    setp.lt.u32 %p0, %r0, 8;
    @!%p0 bra NEXT;
    shfl.sync.bfly.b32 %r1, %r0, 4, 31, -1;
    vote.sync.ballot.b32 %r3, %p0, -1;
    redux.sync.add.u32 %r4, %r0, -1;
    match.any.sync.b32 %r5, %r2, -1;
    add.u32 %r1, %r1, %r3;
    add.u32 %r1, %r1, %r4;
    add.u32 %r1, %r1, %r5;
  NEXT:
    setp.lt.u32 %p1, %r2, 2;
    @%p1 bra LOOP;
    st.global.u32 [%d1], %r1;
  )"));
  const auto r = t.results(32, 32);
  for (std::uint32_t i = 0; i < 32; ++i) EXPECT_EQ(r[i], i < 8 ? (i ^ 4) + 255 + 28 + 255 : 0) << i;
}

}  // namespace
}  // namespace twofour::emu::ptx::test
