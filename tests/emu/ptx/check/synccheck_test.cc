// What synccheck says of barriers and collectives.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::expect_words;
using ptx::test::kernel;

Checked synccheck(const std::string& body, std::uint32_t threads = 32) {
  return run_under(Tool::synccheck, kernel(body), threads);
}

Finding only(const Checked& checked) {
  EXPECT_EQ(checked.findings.size(), 1u) << text(checked);
  EXPECT_EQ(checked.explained, !checked.failure.empty()) << text(checked);
  return checked.findings.empty() ? Finding{} : checked.findings.front();
}

/// `inside` for lanes below 16 alone; all meet afterwards.
std::string half(const std::string& inside) {
  return "setp.ge.u32 %p0, %r0, 16;\n @%p0 bra SKIP;\n" + inside + "SKIP:\n st.global.u32 [%d1], %r0;\n";
}
/// The others exit.
std::string half_exits(const std::string& after) {
  return "setp.ge.u32 %p0, %r0, 16;\n @%p0 exit;\n" + after;
}

TEST(Synccheck, LanesThatTookAnotherWayThanABarrier) {
  const Finding f = only(synccheck(half("bar.sync 0;\n")));
  EXPECT_EQ(f.error, "divergent barrier");
  EXPECT_EQ(lanes_text(f.lanes), "16-31");
  expect_words(f.detail, {"lanes 16-31", "lanes 0-15"});
}

TEST(Synccheck, ExitedLanesAndBarriers) {
  expect_clean(synccheck(half_exits("bar.sync 0;\n"), 64));
  const Finding f = only(synccheck(half_exits("bar.sync 1, 32;\n")));
  EXPECT_EQ(f.error, "exited threads at a barrier");
  EXPECT_EQ(lanes_text(f.lanes), "16-31");
  expect_words(f.detail, {"counts 32 threads"});
  // A warp that the block does not fill: nobody exited.
  expect_clean(synccheck("bar.sync 1, 32;\n", 20));
}

TEST(Synccheck, BarriersThatNeedNotBeAligned) {
  expect_clean(synccheck(half("barrier.sync 0;\n")));
}

TEST(Synccheck, MasksOfEveryCollective) {
  for (const std::string op :
       {"shfl.sync.idx.b32 %r1, %r0, 0, 31, MASK", "vote.sync.ballot.b32 %r1, %p1, MASK",
        "vote.sync.any.pred %p2, %p1, MASK", "match.any.sync.b32 %r1, %r0, MASK",
        "match.all.sync.b32 %r1|%p2, %r0, MASK", "redux.sync.add.s32 %r1, %r0, MASK", "bar.warp.sync MASK"}) {
    const auto with = [&](const std::string& mask) {
      std::string s = op;
      return half(s.replace(s.find("MASK"), 4, mask) + ";\n");
    };
    SCOPED_TRACE(op);
    expect_clean(synccheck(with("0x0000ffff")));
    const Finding absent = only(synccheck(with("0x0007ffff")));
    EXPECT_EQ(absent.error, "lanes of the mask are absent");
    EXPECT_EQ(lanes_text(absent.lanes), "16-18");
    expect_words(absent.detail, {"0x0007ffff", "took another way"});
    const Finding stranger = only(synccheck(with("0x0000fffc")));
    EXPECT_EQ(stranger.error, "mask leaves out the executing lane");
    EXPECT_EQ(lanes_text(stranger.lanes), "0-1");
  }
}

TEST(Synccheck, MasksInRegisters) {
  // Each half its own mask, and a lane that names the other half.
  const std::string masks = R"(
    setp.lt.u32 %p1, %r0, 16;
    selp.b32 %r2, 0x0000ffff, 0xffff0000, %p1;
    setp.eq.u32 %p2, %r0, LANE;
    @%p2 mov.u32 %r2, 0x80000008;
    shfl.sync.bfly.b32 %r1, %r0, 1, 31, %r2;
  )";
  const auto with = [&](const std::string& lane) {
    std::string s = masks;
    return s.replace(s.find("LANE"), 4, lane);
  };
  expect_clean(synccheck(with("99")));
  const Checked checked = synccheck(with("3"));
  ASSERT_EQ(checked.findings.size(), 1u) << text(checked);  // absent: 3 of the first mask, 31 of lane 3's
  EXPECT_EQ(checked.findings[0].count, 2u);
  EXPECT_EQ(lanes_text(checked.findings[0].lanes), "3");
  expect_words(checked.findings[0].detail, {"come with another mask"});
}

TEST(Synccheck, ExitedLanesMayStayInAMask) {
  expect_clean(synccheck(half_exits("shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;\n")));
}

TEST(Synccheck, MatrixInstructionsNeedTheWholeWarp) {
  const std::string mma =
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r1,%r2}, {%r3}, "
      "{%f0,%f1,%f2,%f3};\n";
  expect_clean(synccheck(mma));
  const Finding f = only(synccheck(half(mma)));
  EXPECT_EQ(f.error, "lanes of a matrix instruction are absent");
  EXPECT_EQ(lanes_text(f.lanes), "16-31");
  expect_words(f.detail, {"took another way"});
  expect_words(only(synccheck(half_exits(mma))).detail, {"exited"});
}

TEST(Synccheck, DeadlockIsFoundAtEveryBarrierThatWaits) {
  const Checked checked = synccheck(R"(
    setp.ge.u32 %p0, %r0, 32;
    @%p0 bra OTHER;
    bar.sync 0;
    ret;
  OTHER:
    bar.sync 1, 64;
  )",
                                    64);
  ASSERT_EQ(checked.findings.size(), 2u) << text(checked);
  EXPECT_TRUE(checked.explained);
  for (const Finding& f : checked.findings) {
    EXPECT_EQ(f.error, "deadlock");
    expect_words(f.detail, {"barrier 0", "barrier 1", "32 of 64 threads"});
  }
  EXPECT_EQ(checked.findings[0].warp, 0);
  EXPECT_EQ(checked.findings[0].statement, "bar.sync 0");
  EXPECT_EQ(checked.findings[1].warp, 1);
  EXPECT_EQ(checked.findings[1].statement, "bar.sync 1, 64");
}

TEST(Synccheck, WarpsThatWentOnOrEndedAreNoPartOfADeadlock) {
  const Finding f = only(synccheck(R"(
    bar.sync 0;
    setp.ge.u32 %p0, %r0, 32;
    @%p0 exit;
    bar.sync 1, 64;
  )",
                                   64));
  EXPECT_EQ(f.error, "deadlock");
  EXPECT_EQ(f.statement, "bar.sync 1, 64");
  EXPECT_EQ(f.warp, 0);
}

TEST(Synccheck, WhatTheExecutorRefusesOfBarriers) {
  const Finding f = only(synccheck("mov.u32 %r1, 16;\n bar.sync %r1;\n"));
  EXPECT_EQ(f.error, "wrong use of a barrier");
  expect_words(f.detail, {"barriers 0 to 15"});
}

std::string mbarrier(const std::string& body) {
  return ".shared .align 8 .b8 bar[16];\n setp.ne.u32 %p0, %r0, 0;\n @%p0 bra END;\n" + body + "END:\n";
}

TEST(Synccheck, MbarriersAreMadeBeforeTheyAreUsed) {
  const std::string init = "mbarrier.init.shared.b64 [bar], 1;\n",
                    arrive = "mbarrier.arrive.shared.b64 %d2, [bar];\n",
                    test = "mbarrier.test_wait.shared.b64 %p1, [bar], %d2;\n";
  expect_clean(synccheck(mbarrier(init + arrive + test)));
  const Finding none = only(synccheck(mbarrier("mov.u64 %d2, 0;\n" + test)));
  EXPECT_EQ(none.error, "mbarrier is not initialised");
  EXPECT_EQ(lanes_text(none.lanes), "0");
  EXPECT_EQ(none.address, ptx::shared_window);
  expect_words(none.detail, {"no mbarrier.init"});
  EXPECT_EQ(only(synccheck(mbarrier(init + "mov.u64 %d2, 0;\n mbarrier.test_wait.shared.b64 %p1, [bar+8], "
                                           "%d2;\n")))
                .address,
            ptx::shared_window + 8);
  expect_words(only(synccheck(mbarrier(init + "mbarrier.inval.shared.b64 [bar];\n" + arrive))).detail,
               {"was made invalid"});
}

TEST(Synccheck, MoreArrivalsThanAnMbarrierExpects) {
  const Finding f = only(synccheck(
      mbarrier("mbarrier.init.shared.b64 [bar], 2;\n mbarrier.arrive.shared.b64 %d2, [bar], 3;\n")));
  EXPECT_EQ(f.error, "wrong use of an mbarrier");
  EXPECT_EQ(f.detail, "3 arrivals at an mbarrier that expects 2 more");
}

}  // namespace
}  // namespace twofour::emu::check::test
