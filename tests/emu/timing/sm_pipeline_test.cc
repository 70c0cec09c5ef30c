// Small programs whose cycles follow from the rules and the numbers of the machine file, worked out by hand.
#include "twofour/emu/timing/sm_pipeline.h"

#include <gtest/gtest.h>

#include <map>

#include "twofour/emu/timing/sm_report.h"
#include "twofour/emu/timing/sm_timeline.h"
#include "twofour/emu/timing/sm_trace.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

/// Round numbers, so that expected cycles can be read off.
SmParameters machine() {
  auto m = isa::load_machine("a100-sxm4-80gb");
  m.alu_latency = 4;
  m.smem_latency = 23, m.smem_wavefront_latency = 2, m.copy_latency = 39;
  m.l1_latency = 36, m.l2_latency = 200, m.dram_latency = 600;
  return {m, {.l2_bytes_per_clk = 32, .dram_bytes_per_clk = 16}};
}

using Ops = std::vector<TimedOp>;

/// Keeps the cycle of every issue and the sum of stalls by warp.
class Recorder : public SmListener {
 public:
  void on_issue(const IssueEvent& e) override { issued[{e.warp.cta, e.warp.warp}].push_back(e.cycle); }
  void on_stall(const StallEvent& e) override {
    waited[{e.warp.cta, e.warp.warp}] += e.to - e.from;
    by_reason[e.reason] += e.to - e.from;
  }
  void on_cta(const CtaEvent& e) override { ctas.push_back(e); }
  std::map<std::pair<int, int>, std::vector<std::int64_t>> issued;
  std::map<std::pair<int, int>, std::int64_t> waited;
  std::map<Stall, std::int64_t> by_reason;
  std::vector<CtaEvent> ctas;
};

Recorder run(const std::vector<Ops>& warps, int ctas = 1, int resident = 1,
             const SmParameters& p = machine()) {
  CtaStream cta;
  for (const Ops& ops : warps) cta.push_back({{ops, 1}});
  Recorder recorder;
  run_sm({std::vector<const CtaStream*>(std::size_t(ctas), &cta), resident}, p, recorder);
  return recorder;
}

TimedOp alu(int write, int read) {
  return {.kind = OpKind::integer,
          .write = {static_cast<std::uint16_t>(write), 1},
          .read = {RegisterRange{static_cast<std::uint16_t>(read), 1}}};
}
TimedOp fp32(int write, int read) {
  TimedOp op = alu(write, read);
  op.kind = OpKind::fp32;
  return op;
}
TimedOp ldmatrix(int write, int wavefronts) {
  return {
      .kind = OpKind::ldmatrix, .write = {static_cast<std::uint16_t>(write), 4}, .wavefronts = wavefronts};
}
TimedOp copy(int bytes) {
  return {.kind = OpKind::cp_async, .wavefronts = (bytes + 127) / 128, .bytes = bytes};
}
TimedOp simple(OpKind kind, int argument = 0) {
  return {.kind = kind, .argument = argument};
}

std::vector<std::int64_t> cycles(std::initializer_list<std::int64_t> c) {
  return c;
}

TEST(SmPipeline, DependentAluOpsIssueEveryLatency) {
  EXPECT_EQ((run({{alu(1, 0), alu(2, 1), alu(3, 2)}}).issued[{0, 0}]), cycles({0, 4, 8}));
}

TEST(SmPipeline, APipeOfSixteenLanesTakesAnInstructionEveryOtherCycle) {
  EXPECT_EQ((run({{alu(1, 0), alu(2, 0), alu(3, 0)}}).issued[{0, 0}]), cycles({0, 2, 4}));
  // FP32 and integer are different pipes.
  EXPECT_EQ((run({{alu(1, 0), fp32(2, 0), alu(3, 0), fp32(4, 0)}}).issued[{0, 0}]), cycles({0, 1, 2, 3}));
}

TEST(SmPipeline, OneIssueACycleGreedyThenYoungest) {
  // Warps 0, 4 and 8 share sub-core 0: the youngest starts and goes on until it waits.
  std::vector<Ops> warps(9);
  const Ops ops{alu(1, 0), fp32(2, 0), fp32(3, 2)};
  warps[0] = warps[4] = warps[8] = ops;
  auto r = run(warps);
  EXPECT_EQ((r.issued[{0, 4}]), cycles({2, 3, 9}));
  EXPECT_EQ((r.issued[{0, 0}]), cycles({4, 5, 11}));  // goes on at 5, though the youngest could then
  EXPECT_EQ((r.issued[{0, 8}]), cycles({0, 1, 7}));   // before warp 4, which could at 7 too
}

TEST(SmPipeline, WarpsOfOtherSubCoresDoNotDisturb) {
  const Ops ops{alu(1, 0), alu(2, 1)};
  auto r = run({ops, ops, ops, ops});
  for (int w = 0; w < 4; ++w) EXPECT_EQ((r.issued[{0, w}]), cycles({0, 4})) << w;
}

TEST(SmPipeline, LdmatrixTakesItsWavefronts) {
  // x4: 23 + 3 * 2 cycles. A second one waits for four wavefronts.
  EXPECT_EQ((run({{ldmatrix(8, 4), alu(1, 8)}}).issued[{0, 0}]), cycles({0, 29}));
  EXPECT_EQ((run({{ldmatrix(8, 4), ldmatrix(12, 4), alu(1, 12)}}).issued[{0, 0}]), cycles({0, 1, 33}));
  // All sub-cores share the banks: the fourth warp's load starts 12 cycles late.
  const Ops ops{ldmatrix(8, 4), alu(1, 8)};
  auto r = run({ops, ops, ops, ops});
  EXPECT_EQ((r.issued[{0, 3}]), cycles({0, 41}));
}

TEST(SmPipeline, AFullQueueThrottles) {
  // Five places: the sixth load waits until the first has left at 0 - it has - and the seventh for the
  // second, which leaves at 32.
  const Ops ops(8, ldmatrix(8, 32));
  auto r = run({ops});
  EXPECT_GT(r.by_reason[Stall::short_scoreboard], 0);  // the same registers: each waits for the last
  Ops others;
  for (int i = 0; i < 8; ++i) others.push_back(ldmatrix(4 * i, 32));
  EXPECT_EQ((run({others}).issued[{0, 0}]), cycles({0, 1, 2, 3, 4, 5, 32, 64}));
  EXPECT_EQ(run({others}).by_reason[Stall::mio_throttle], 26 + 31);
}

TEST(SmPipeline, WaitGroupWaitsForItsGroups) {
  // One copy of 512 bytes: 16 cycles at 32 B/clk, 200 of L2, 4 wavefronts (the last 3 later), 39 to its use.
  const std::int64_t landed = 16 + 200 + 3 + 39;
  EXPECT_EQ((run({{copy(512), simple(OpKind::commit_group), simple(OpKind::wait_group, 0), alu(1, 0)}})
                 .issued[{0, 0}]),
            cycles({0, 1, landed, landed + 1}));
  // A second group is 16 cycles behind; wait_group 1 does not wait for it, wait_group 0 does.
  EXPECT_EQ((run({{copy(512), simple(OpKind::commit_group), copy(512), simple(OpKind::commit_group),
                   simple(OpKind::wait_group, 1), simple(OpKind::wait_group, 0)}})
                 .issued[{0, 0}]),
            cycles({0, 1, 2, 3, landed, landed + 16}));
  // What is not committed is not waited for.
  EXPECT_EQ((run({{copy(512), simple(OpKind::wait_group, 0)}}).issued[{0, 0}]), cycles({0, 1}));
}

TEST(SmPipeline, MissesGoToDram) {
  auto p = machine();
  p.share.l2_hit = 0;
  const std::int64_t landed = 32 + 600 + 3 + 39;  // 512 bytes at 16 B/clk
  EXPECT_EQ((run({{copy(512), simple(OpKind::commit_group), simple(OpKind::wait_group, 0)}}, 1, 1, p)
                 .issued[{0, 0}]),
            cycles({0, 1, landed}));
  // Half of them: every other one, and the hit does not wait for the miss before it.
  p.share.l2_hit = 0.5;
  TimedOp load{.kind = OpKind::load_global, .write = {8, 1}, .bytes = 128};
  const auto one = [&](int loads) {
    Ops ops;
    for (int i = 0; i < loads; ++i) {
      load.write.first = static_cast<std::uint16_t>(8 + i);
      ops.push_back(load);
    }
    ops.push_back(alu(1, 8 + loads - 1));
    return run({ops}, 1, 1, p).issued[{0, 0}].back();
  };
  EXPECT_EQ(one(1), 4 + 200);
  EXPECT_EQ(one(2), 4 + 8 + 600);  // starts behind the first one's 4 cycles of L2
}

TEST(SmPipeline, StoresGoAtTheSpeedOfWhatTakesThem) {
  const Ops stores(8, TimedOp{.kind = OpKind::store_global, .bytes = 512});
  auto p = machine();
  // L2 takes one every 16 cycles, DRAM every 32; five wait in the queue besides the one that is on its way.
  EXPECT_EQ((run({stores}, 1, 1, p).issued[{0, 0}]), cycles({0, 1, 2, 3, 4, 5, 16, 32}));
  p.share.write_back = true;
  EXPECT_EQ((run({stores}, 1, 1, p).issued[{0, 0}]), cycles({0, 1, 2, 3, 4, 5, 32, 64}));
}

TEST(SmPipeline, HitsOfL1StayInTheSm) {
  auto p = machine();
  p.share.l1_hit = 1;
  const TimedOp load{.kind = OpKind::load_global, .write = {8, 1}, .bytes = 128};
  EXPECT_EQ((run({{load, alu(1, 8)}}, 1, 1, p).issued[{0, 0}]), cycles({0, 36}));
}

// A microsecond of the trace is a cycle: what a viewer shows is what happened.
TEST(SmPipeline, TraceHoldsEveryIssueAndSaysWhatItLeavesOut) {
  const Ops ops{copy(512), simple(OpKind::commit_group), simple(OpKind::wait_group, 0), ldmatrix(8, 4),
                alu(1, 8)};
  const CtaStream cta{{{ops, 1}}};
  ChromeTrace all, few(3);
  SmListeners listeners;
  listeners.add(all);
  listeners.add(few);
  run_sm({{&cta}, 1}, machine(), listeners);
  const auto text = all.json();
  for (const char* name : {R"("name":"cp.async")", R"("name":"long_scoreboard","ts":2.000,"dur":256.000)",
                           R"("name":"integer","ts":288.000,"dur":1.000)", R"("left_out":0)"})
    EXPECT_NE(text.find(name), std::string::npos) << name;
  EXPECT_EQ(few.json().find(R"("left_out":0)"), std::string::npos);
  EXPECT_TRUE(few.capped());
  const auto part = few.json();
  EXPECT_LT(part.size(), text.size());
  EXPECT_EQ(part.find(R"("name":"LDSM)"), std::string::npos);
}

TEST(SmPipeline, TimelineSaysWhyEachWaits) {
  const Ops ops{ldmatrix(8, 4), alu(1, 8), alu(2, 1)};
  const CtaStream cta{{{ops, 1}}};
  Timeline timeline(0, 2);
  run_sm({{&cta}, 1}, machine(), timeline);
  const auto rows = timeline.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(timeline.capped());
  EXPECT_EQ(rows[0].complete, 29);
  EXPECT_EQ(rows[1].issue, 29);
  EXPECT_EQ(rows[1].waited[static_cast<std::size_t>(Stall::short_scoreboard)], 28);
  const auto text = timeline_text(rows, 40);
  EXPECT_NE(text.find("|I----------------------------R\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| ssssssssssssssssssssssssssssI---R  <- short_scoreboard 28"), std::string::npos)
      << text;
}

TEST(SmPipeline, ABarrierHoldsTheCta) {
  const Ops slow{ldmatrix(8, 1), alu(1, 8), simple(OpKind::barrier), alu(2, 0)};
  const Ops fast{simple(OpKind::barrier), alu(2, 0)};
  auto r = run({fast, slow});
  EXPECT_EQ((r.issued[{0, 1}]), cycles({0, 23, 24, 28}));
  EXPECT_EQ((r.issued[{0, 0}]), cycles({0, 28}));
  EXPECT_EQ(r.by_reason[Stall::barrier], 27 + 3);
}

TEST(SmPipeline, AnEndedWarpIsNotWaitedFor) {
  auto r = run({{simple(OpKind::barrier), alu(1, 0)}, {alu(1, 0), simple(OpKind::exit)}});
  EXPECT_EQ((r.issued[{0, 0}]), cycles({0, 5}));
}

TEST(SmPipeline, ACtaStartsWhenAnotherEnds) {
  auto r = run({{alu(1, 0), simple(OpKind::exit)}}, 3, 1);
  EXPECT_EQ((r.issued[{0, 0}]), cycles({0, 1}));
  EXPECT_EQ((r.issued[{1, 0}]), cycles({2, 3}));
  EXPECT_EQ((r.issued[{2, 0}]), cycles({4, 5}));
  // Two at a time: the second comes when the machine has dealt a CTA to each of the 108 SMs, and none before
  // it.
  r = run({{alu(1, 0), simple(OpKind::exit)}}, 3, 2);
  EXPECT_EQ((r.issued[{1, 0}]), cycles({108, 109}));
  EXPECT_EQ((r.issued[{2, 0}]), cycles({108, 109}));
}

TEST(SmPipeline, SegmentsRepeat) {
  const Ops body{alu(1, 0), fp32(2, 0)}, end{simple(OpKind::exit)}, none;
  const CtaStream cta{{{none, 4}, {body, 3}, {none, 1}, {body, 0}, {end, 1}}};
  Recorder recorder;
  EXPECT_EQ(run_sm({{&cta}, 1}, machine(), recorder).instructions, 7);
}

TEST(SmPipeline, EveryCycleOfAWarpIsAnIssueOrAStall) {
  const auto p = machine();
  const auto& mma = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  Ops ops;
  for (int i = 0; i < 40; ++i) {
    const auto c = static_cast<std::uint16_t>(64 + 4 * (i % 5));
    ops.push_back(copy(512));
    ops.push_back(simple(OpKind::commit_group));
    ops.push_back(ldmatrix(8, 4));
    ops.push_back({.kind = OpKind::mma,
                   .instruction = &mma,
                   .write = {c, 4},
                   .read = {RegisterRange{8, 4}, {}, {c, 4}}});
    if (i % 8 == 7) ops.push_back(simple(OpKind::wait_group, 2));
    if (i % 8 == 7) ops.push_back(simple(OpKind::barrier));
    ops.push_back(simple(OpKind::branch));
  }
  auto r = run(std::vector<Ops>(8, ops));
  for (auto& [warp, issued] : r.issued)
    EXPECT_EQ(issued.back() + 1, std::int64_t(issued.size()) + r.waited[warp]) << warp.second;
}

TEST(SmPipeline, IsDeterministic) {
  Ops ops;
  for (int i = 0; i < 30; ++i)
    ops.insert(ops.end(), {ldmatrix(4 * (i % 8), 4), alu(40, 4 * (i % 8)), copy(256)});
  const auto once = run(std::vector<Ops>(8, ops), 4, 2), again = run(std::vector<Ops>(8, ops), 4, 2);
  EXPECT_EQ(once.issued, again.issued);
  EXPECT_EQ(once.by_reason, again.by_reason);
}

TEST(SmPipeline, Refusals) {
  EXPECT_THROW(run({{alu(264, 0)}}), Error);
  EXPECT_THROW(run({{TimedOp{.kind = OpKind::mma}}}), Error);
  EXPECT_THROW(run(std::vector<Ops>(65, Ops{alu(1, 0)})), Error);
  auto p = machine();
  p.share.l2_bytes_per_clk = 0;
  EXPECT_THROW(run({{copy(16)}}, 1, 1, p), Error);
}

}  // namespace
}  // namespace twofour::emu
