// Barriers and mbarriers, and how many host threads run the blocks.
#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxBarrier, ReverseThroughSharedMemory) {
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 buffer[1024];
    mov.u32 %r1, buffer;
    shl.b32 %r2, %r0, 2;
    add.u32 %r3, %r1, %r2;
    st.shared.u32 [%r3], %r0;
    barrier.sync.aligned 0;
    sub.u32 %r4, 1020, %r2;
    add.u32 %r4, %r1, %r4;
    ld.shared.u32 %r5, [%r4];
    st.global.u32 [%d1], %r5;
  )"));
  const auto out = t.results(256, 256);
  for (std::uint32_t l = 0; l < 256; ++l) EXPECT_EQ(out[l], 255 - l);
}

TEST(PtxBarrier, Reductions) {
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 37;
    bar.red.popc.u32 %r1, 0, %p0;
    bar.red.and.pred %p1, 0, %p0;
    bar.red.or.pred %p2, 0, %p0;
    bar.red.popc.u32 %r2, 1, 96, !%p0;
    selp.u32 %r3, 1, 0, %p1;
    selp.u32 %r4, 2, 0, %p2;
    add.u32 %r3, %r3, %r4;
    st.global.u32 [%d1], %r1;
    st.global.u32 [%d1+384], %r2;
    st.global.u32 [%d1+768], %r3;
  )"));
  const auto out = t.results(96, 288);
  for (std::size_t l = 0; l < 96; ++l) {
    EXPECT_EQ(out[l], 37u);
    EXPECT_EQ(out[96 + l], 59u);
    EXPECT_EQ(out[192 + l], 2u);
  }
}

// Warp 0 makes 5 values, warp 1 takes them: barrier 1 says full, barrier 2 says empty.
TEST(PtxBarrier, ProducerAndConsumer) {
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 cell[128];
    and.b32 %r1, %r0, 31;
    shl.b32 %r1, %r1, 2;
    mov.u32 %r2, cell;
    add.u32 %r2, %r2, %r1;
    mov.u32 %r3, 0;
    mov.u32 %r4, 0;
    setp.ge.u32 %p0, %r0, 32;
    @%p0 bra TAKE;
  MAKE:
    add.u32 %r3, %r3, 1;
    mul.lo.u32 %r5, %r3, %r0;
    st.shared.u32 [%r2], %r5;
    bar.arrive 1, 64;
    bar.sync 2, 64;
    setp.lt.u32 %p1, %r3, 5;
    @%p1 bra MAKE;
    ret;
  TAKE:
    add.u32 %r3, %r3, 1;
    bar.sync 1, 64;
    ld.shared.u32 %r5, [%r2];
    add.u32 %r4, %r4, %r5;
    bar.arrive 2, 64;
    setp.lt.u32 %p1, %r3, 5;
    @%p1 bra TAKE;
    st.global.u32 [%d1], %r4;
  )"));
  const auto out = t.results(64, 64);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(out[32 + l], 15 * l);
}

TEST(PtxBarrier, WarpsThatEndedDoNotCount) {
  TestDevice t(kernel(R"(
    setp.ge.u32 %p0, %r0, 40;
    @%p0 ret;
    bar.sync 0;
    st.global.u32 [%d1], %r0;
  )"));
  const auto out = t.results(128, 128);
  for (std::uint32_t l = 0; l < 128; ++l) EXPECT_EQ(out[l], l < 40 ? l : 0);
}

TEST(PtxBarrier, DeadlockIsNamed) {
  TestDevice t(kernel(R"(
    setp.ge.u32 %p0, %r0, 32;
    @%p0 bra OTHER;
    bar.sync 3, 96;
    ret;
  OTHER:
    bar.sync 4, 64;
  )"));
  expect_words(error_of([&] { t.results(64, 64); }), {"deadlock", "barrier 3 has 32 of 96 threads, warps 0",
                                                      "barrier 4 has 32 of 64 threads, warps 1"});
}

TEST(PtxBarrier, LanesLeaveALoopRowByRow) {
  // Rows of 8 lanes: the last three columns leave at once, rows leave the loop one after the other.
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 count[4];
    and.b32 %r1, %r0, 7;
    shr.u32 %r2, %r0, 3;
    setp.ge.u32 %p0, %r1, 5;
    @%p0 bra END;
  AGAIN:
    atom.shared.add.u32 %r3, [count], 1;
    bar.sync 0;
    ld.shared.u32 %r4, [count];
    bar.sync 0;
    st.global.u32 [%d1], %r4;
    sub.u32 %r2, %r2, 1;
    setp.ge.s32 %p1, %r2, 0;
    @%p1 bra AGAIN;
  END:
  )"));
  const auto out = t.results(64, 64);
  // Rounds of 40, 35, 30 ... lanes.
  std::uint32_t sum = 0;
  for (std::uint32_t row = 0; row < 8; ++row) {
    sum += 5 * (8 - row);
    for (std::uint32_t column = 0; column < 8; ++column)
      EXPECT_EQ(out[8 * row + column], column < 5 ? sum : 0) << row << " " << column;
  }
}

TEST(PtxBarrier, LanesOnTwoWaysWaitForEachOther) {
  // Even lanes write, odd lanes read what the other warp's even lanes wrote; each way has its own barriers.
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 cell[256];
    mov.u32 %r1, cell;
    mad.lo.u32 %r1, %r0, 4, %r1;
    and.b32 %r2, %r0, 1;
    setp.ne.u32 %p0, %r2, 0;
    @%p0 bra ODD;
    add.u32 %r3, %r0, 100;
    st.shared.u32 [%r1], %r3;
    bar.sync 0;
    bar.sync 0;
    ld.shared.u32 %r4, [%r1];
    bra BOTH;
  ODD:
    bar.sync 0;
    xor.b32 %r5, %r0, 33;
    mov.u32 %r6, cell;
    mad.lo.u32 %r6, %r5, 4, %r6;
    ld.shared.u32 %r4, [%r6];
    bar.sync 0;
  BOTH:
    st.global.u32 [%d1], %r4;
  )"));
  const auto out = t.results(64, 64);
  for (std::uint32_t l = 0; l < 64; ++l) EXPECT_EQ(out[l], 100 + (l % 2 == 0 ? l : l ^ 33)) << l;
}

TEST(PtxBarrier, LanesOfAWarpAtTwoBarriers) {
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 4;
    @%p0 bra OTHER;
    bar.sync 1;
    bra BOTH;
  OTHER:
    bar.sync 2;
  BOTH:
    st.global.u32 [%d1], %r0;
  )"));
  expect_words(error_of([&] { t.results(32, 32); }), {"bar.sync", "wait at barrier", "0x"});
}

TEST(PtxBarrier, LanesThatSkipABarrierRunOn) {
  // Lanes from 4 on leave and exit; lanes 0 to 3 wait for that, in the function that holds the barrier too.
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 cell[4];
    setp.ge.u32 %p0, %r0, 4;
    @%p0 bra BOTH;
    bar.sync 0;
    ld.shared.u32 %r1, [cell];
    add.u32 %r1, %r1, 1;
  BOTH:
    add.u32 %r1, %r1, %r0;
    st.shared.u32 [cell], 50;
    st.global.u32 [%d1], %r1;
  )"));
  const auto out = t.results(32, 32);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(out[l], l < 4 ? 51 + l : l) << l;
}

TEST(PtxBarrier, PartOfAWarpIsNamed) {
  // The others wait for these at a shuffle.
  TestDevice t(kernel(R"(
    setp.ge.u32 %p0, %r0, 4;
    @%p0 bra BOTH;
    bar.sync 0;
  BOTH:
    shfl.sync.idx.b32 %r1, %r0, 0, 31, -1;
    st.global.u32 [%d1], %r1;
  )"));
  expect_words(error_of([&] { t.results(32, 32); }), {"shfl.sync", "lane 0", "0x0000000f"});
  TestDevice arrive(kernel(R"(
    setp.ge.u32 %p0, %r0, 4;
    @%p0 bra END;
    bar.arrive 0, 64;
  END:
    st.global.u32 [%d1], %r0;
  )"));
  expect_words(error_of([&] { arrive.results(32, 32); }), {"bar.arrive 0", "lane 4", "0xfffffff0"});
}

TEST(PtxBarrier, MbarrierBetweenWarps) {
  // Warp 0 waits for the 32 arrivals of warp 1 in two phases; the copy's arrival counts in the second.
  TestDevice t(kernel(R"(
    .shared .align 8 .b8 bar[8];
    .shared .align 4 .b8 cell[4];
    setp.eq.u32 %p0, %r0, 0;
    @%p0 mbarrier.init.shared.b64 [bar], 32;
    bar.sync 0;
    setp.ge.u32 %p1, %r0, 32;
    @%p1 bra ARRIVE;
  WAIT0:
    mbarrier.try_wait.parity.shared.b64 %p2, [bar], 0;
    @!%p2 bra WAIT0;
    ld.shared.u32 %r1, [cell];
    bar.sync 1, 64;
  WAIT1:
    mbarrier.test_wait.parity.shared.b64 %p2, [bar], 1;
    @!%p2 bra WAIT1;
    ld.shared.u32 %r2, [cell];
    mad.lo.u32 %r1, %r1, 100, %r2;
    st.global.u32 [%d1], %r1;
    ret;
  ARRIVE:
    mov.u32 %r3, 5;
    st.shared.u32 [cell], %r3;
    mbarrier.arrive.shared.b64 %d2, [bar];
    bar.sync 1, 64;
  SPIN:
    mbarrier.test_wait.shared.b64 %p2, [bar], %d2;
    @!%p2 bra SPIN;
    nanosleep.u32 20;
    mov.u32 %r3, 6;
    st.shared.u32 [cell], %r3;
    cp.async.mbarrier.arrive.noinc.shared.b64 [bar];
  )"));
  const auto out = t.results(64, 64);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(out[l], 506u);
}

TEST(PtxBarrier, ManyBlocksOnAnyNumberOfThreads) {
  // Each block writes what depends on its three indices.
  const std::string text = kernel(R"(
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ctaid.y;
    mov.u32 %r3, %ctaid.z;
    mov.u32 %r4, %nctaid.x;
    mov.u32 %r5, %nctaid.y;
    mad.lo.u32 %r6, %r3, %r5, %r2;
    mad.lo.u32 %r6, %r6, %r4, %r1;
    mad.lo.u32 %r7, %r6, %ntid.x, %r0;
    mul.wide.u32 %d2, %r7, 4;
    add.u64 %d2, %d0, %d2;
    mad.lo.u32 %r8, %r6, 1000, %r0;
    st.global.u32 [%d2], %r8;
    atom.global.add.u32 %r9, [counter], 1;
  )",
                                  "", ".global .align 4 .u32 counter;");
  for (const int threads : {1, 4}) {
    TestDevice t(text, {.threads = threads, .instruction_limit = {}, .print = {}});
    const std::uint64_t out = t.upload(std::vector<std::uint32_t>(60 * 40));
    const auto report = t.run({5, 4, 3}, {40, 1, 1}, 0, out);
    const auto r = t.download<std::uint32_t>(out, 60 * 40);
    for (std::uint32_t i = 0; i < 60 * 40; ++i) EXPECT_EQ(r[i], i / 40 * 1000 + i % 40);
    EXPECT_EQ(t.download<std::uint32_t>(t.device().symbol(t.module(), "counter").address, 1)[0], 2400u);
    EXPECT_EQ(report.warp_instructions, 60u * 2 * 18);  // 4 + 13 + ret of two warps
  }
}

}  // namespace
}  // namespace twofour::emu::ptx::test
