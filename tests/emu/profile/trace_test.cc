// What is recorded of a launch.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "timed_device.h"
#include "twofour/isa/error.h"

namespace twofour::emu::profile::test {
namespace {

std::vector<TimedOp> ops_of(const std::string& body, std::uint32_t threads = 32) {
  TimedDevice t(kernel(body));
  const auto out = t.allocate(1 << 16);
  t.run("k", {}, {threads, 1, 1}, 0, out, 1u);
  return t.trace().blocks.at(0).warps.at(0).ops;
}

std::vector<TimedOp> of_kind(const std::vector<TimedOp>& ops, OpKind kind) {
  std::vector<TimedOp> some;
  for (const TimedOp& op : ops)
    if (op.kind == kind) some.push_back(op);
  return some;
}

TEST(CycleTrace, WhatCostsNothing) {
  // mov of tid, load, store and exit remain.
  const auto ops = ops_of(R"(
    cvta.to.global.u64 %a1, %a0;
    mov.u64 %a2, %a1;
    mov.u32 %r1, 7;
    cvt.u64.u32 %a3, %r1;
    cvt.u32.u64 %r2, %a3;
    add.s64 %a4, %a2, 64;
    ld.global.u32 %r3, [%a4+4];
    mov.b32 %f1, %r3;
    st.global.f32 [%a4], %f1;
)");
  ASSERT_EQ(ops.size(), 4u);
  const auto loads = of_kind(ops, OpKind::load_global), stores = of_kind(ops, OpKind::store_global);
  ASSERT_EQ(loads.size(), 1u);
  ASSERT_EQ(stores.size(), 1u);
  EXPECT_EQ(stores[0].read[0], loads[0].write);
}

TEST(CycleTrace, PairsThatAreOneInstruction) {
  // tid; IMAD.WIDE; LEA; LOP3; store x 3; exit.
  const auto ops = ops_of(R"(
    mul.wide.u32 %a1, %r0, 4;
    add.s64 %a2, %a0, %a1;
    shl.b32 %r1, %r0, 3;
    add.s32 %r2, %r1, %r0;
    and.b32 %r3, %r0, 12;
    xor.b32 %r4, %r3, 5;
    st.global.u32 [%a2], %r2;
    st.global.u32 [%a2+512], %r4;
    st.global.u32 [%a2+1024], %r4;
)");
  EXPECT_EQ(ops.size(), 8u);
  EXPECT_EQ(of_kind(ops, OpKind::fp32).size(), 1u);     // IMAD
  EXPECT_EQ(of_kind(ops, OpKind::integer).size(), 3u);  // tid, LEA, LOP3
}

TEST(CycleTrace, WideIntegersTakeTwo) {
  // tid; 2 x add; 2 x and; store; exit.
  const auto ops = ops_of(
      "cvt.u64.u32 %a1, %r0;\n add.s64 %a2, %a1, %a1;\n"
      "and.b64 %a3, %a2, %a1;\n st.global.u64 [%a0], %a3;\n");
  EXPECT_EQ(of_kind(ops, OpKind::integer).size(), 5u);
}

TEST(CycleTrace, BytesOfSectors) {
  const auto bytes = [](const std::string& offset) {
    const auto loads = of_kind(ops_of("mul.wide.u32 %a1, %r0, " + offset +
                                      ";\n add.s64 %a2, %a0, %a1;\n ld.global.u32 %r1, [%a2];\n"
                                      "st.global.u32 [%a0], %r1;\n"),
                               OpKind::load_global);
    return loads.at(0).bytes;
  };
  EXPECT_EQ(bytes("0"), 32);
  EXPECT_EQ(bytes("4"), 128);
  EXPECT_EQ(bytes("8"), 256);
  EXPECT_EQ(bytes("128"), 32 * 32);
}

TEST(CycleTrace, SectorsThatLanesTouchInTurnCountOnce) {
  const auto loads =
      of_kind(ops_of("and.b32 %r1, %r0, 1;\n mul.wide.u32 %a1, %r1, 64;\n add.s64 %a2, %a0, %a1;\n"
                     "ld.global.u32 %r2, [%a2];\n st.global.u32 [%a0], %r2;\n"),
              OpKind::load_global);
  EXPECT_EQ(loads.at(0).bytes, 64);
}

TEST(CycleTrace, WavefrontsOfSharedMemory) {
  const auto wavefronts = [](const std::string& shift) {
    const auto stores = of_kind(ops_of("shl.b32 %r1, %r0, " + shift +
                                       ";\n mov.u32 %r2, memory;\n add.s32 %r3, %r1, %r2;\n"
                                       "st.shared.u32 [%r3], %r0;\n"),
                                OpKind::store_shared);
    return stores.at(0).wavefronts;
  };
  EXPECT_EQ(wavefronts("2"), 1);
  EXPECT_EQ(wavefronts("3"), 2);
  EXPECT_EQ(wavefronts("7"), 32);
}

TEST(CycleTrace, LdmatrixByPhase) {
  const auto loads = [](const std::string& shift) {
    return of_kind(ops_of("shl.b32 %r1, %r0, " + shift + R"(;
      mov.u32 %r2, memory;
      add.s32 %r3, %r1, %r2;
      ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4,%r5,%r6,%r7}, [%r3];
      st.global.u32 [%a0], %r4;
    )"),
                   OpKind::ldmatrix);
  };
  EXPECT_EQ(loads("4").at(0).wavefronts, 4);   // rows side by side
  EXPECT_EQ(loads("7").at(0).wavefronts, 32);  // every row in the same banks
  EXPECT_EQ(loads("4").at(0).write.count, 4);
  EXPECT_EQ(loads("4").at(0).write.first % 4, 0);
}

TEST(CycleTrace, GuardsThatStopAllLanesLeaveTheIssueSlot) {
  const auto ops = ops_of(
      "setp.gt.u32 %p1, %r0, 100;\n @%p1 ld.global.u32 %r1, [%a0];\n"
      "st.global.u32 [%a0], %r0;\n");
  EXPECT_EQ(of_kind(ops, OpKind::load_global).size(), 0u);
  EXPECT_EQ(ops.size(), 5u);  // tid, setp, the load's slot, store, exit
}

TEST(CycleTrace, BothWaysOfABranch) {
  const auto ops = ops_of(
      "setp.lt.u32 %p1, %r0, 16;\n @%p1 bra LOW;\n mul.lo.u32 %r1, %r0, %r0;\n bra END;\nLOW:\n"
      "add.u32 %r1, %r0, 1;\nEND:\n st.global.u32 [%a0], %r1;\n");
  EXPECT_EQ(of_kind(ops, OpKind::fp32).size(), 1u);
  EXPECT_EQ(of_kind(ops, OpKind::integer).size(), 3u);
  EXPECT_EQ(of_kind(ops, OpKind::branch).size(), 2u);
  EXPECT_EQ(of_kind(ops, OpKind::exit).size(), 1u);
}

TEST(CycleTrace, AccumulatorsStayInPlace) {
  const auto ops = of_kind(ops_of(R"(
    mov.f32 %f4, 0f00000000; mov.f32 %f5, 0f00000000; mov.f32 %f6, 0f00000000; mov.f32 %f7, 0f00000000;
    mov.u32 %r9, 0;
  LOOP:
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, {%f4,%f5,%f6,%f7};
    add.s32 %r9, %r9, 1;
    mov.f32 %f4, %f0; mov.f32 %f5, %f1; mov.f32 %f6, %f2; mov.f32 %f7, %f3;
    setp.lt.s32 %p1, %r9, 4;
    @%p1 bra LOOP;
    st.global.v4.f32 [%a0], {%f4,%f5,%f6,%f7};
)"),
                           OpKind::mma);
  ASSERT_EQ(ops.size(), 4u);
  EXPECT_EQ(ops[0].write, ops[0].read[2]);
  EXPECT_EQ(ops[0].write.count, 4);
  EXPECT_EQ(ops[0].read[0].count, 4);
}

TEST(CycleTrace, AccumulatorsOfOtherNamesStayInPlace) {
  const auto ops = of_kind(ops_of(R"(
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f8,%f9,%f10,%f11}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, {%f0,%f1,%f2,%f3};
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f4,%f5,%f6,%f7}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, {%f8,%f9,%f10,%f11};
    st.global.v4.f32 [%a0], {%f4,%f5,%f6,%f7};
)"),
                           OpKind::mma);
  ASSERT_EQ(ops.size(), 2u);
  EXPECT_EQ(ops[0].write, ops[0].read[2]);
  EXPECT_EQ(ops[1].write, ops[0].write);
}

TEST(CycleTrace, FootprintAndHits) {
  // Two blocks load the same 128 bytes twice and store them: 128 bytes from DRAM, 512 asked for.
  TimedDevice t(
      kernel("mul.wide.u32 %a1, %r0, 4;\n add.s64 %a2, %a0, %a1;\n ld.global.u32 %r1, [%a2];\n"
             "ld.global.u32 %r2, [%a2];\n add.u32 %r3, %r1, %r2;\n st.global.u32 [%a2+4096], %r3;\n"));
  const auto out = t.allocate(1 << 16);
  const auto& time = t.run("k", {2, 1, 1}, {32, 1, 1}, 0, out, 1u);
  const GlobalTraffic& traffic = t.trace().traffic;
  EXPECT_EQ(traffic.read, 512);
  EXPECT_EQ(traffic.read_once, 128);
  EXPECT_EQ(traffic.written, 256);
  EXPECT_EQ(traffic.written_once, 128);
  EXPECT_DOUBLE_EQ(time.l1_hit, 0.5);
  EXPECT_DOUBLE_EQ(time.l2_hit, 0.5);  // of the 256 bytes that L1 misses, 128 come from DRAM
}

TEST(CycleTrace, BlocksOfOneSm) {
  TimedDevice t(kernel("add.u32 %r0, %r0, 1;\n"), 2);
  const auto out = t.allocate(256);
  t.run("k", {2 * 108 + 1, 1, 1}, {32, 1, 1}, 0, out, 1u);
  ASSERT_EQ(t.trace().blocks.size(), 3u);
  EXPECT_EQ(t.trace().blocks[1].index, 108u);
  EXPECT_EQ(t.trace().blocks[2].index, 216u);
}

TEST(CycleTrace, AFailedLaunchHasNoTime) {
  int taken = 0;
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  Tracer tracer(machine, [&](const LaunchTrace&) { ++taken; });
  ptx::DeviceOptions options;
  options.observers = {&tracer};
  ptx::Device device(machine, options);
  const auto module = device.load(ptx::parse(kernel("st.global.u32 [%a0+4096], %r0;\n"), "test.ptx"));
  std::vector<std::byte> parameters(12);
  const std::uint64_t out = device.allocate(256);
  std::memcpy(parameters.data(), &out, 8);
  EXPECT_THROW(device.launch(*module, "k", {{}, {32, 1, 1}, 0, parameters}), Error);
  EXPECT_EQ(taken, 0);
}

}  // namespace
}  // namespace twofour::emu::profile::test
