// initcheck: registers, and where unset ones matter.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::kernel;

Checked run(const std::string& body, const std::string& before = "") {
  return run_under(Tool::initcheck, kernel(body, "", before), 32);
}
// Sets what an mma reads: A %r10-13, B %r14-15, C %f10-13.
const std::string all_operands = R"(
  mov.u32 %r10, 0; mov.u32 %r11, 0; mov.u32 %r12, 0; mov.u32 %r13, 0; mov.u32 %r14, 0; mov.u32 %r15, 0;
  mov.f32 %f10, 0f00000000; mov.f32 %f11, 0f00000000; mov.f32 %f12, 0f00000000; mov.f32 %f13, 0f00000000;
)";
std::string mma(const std::string& a = "%r10", const std::string& b = "%r14", const std::string& c = "%f10") {
  return "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {" + a +
         ", %r11, %r12, %r13}, {" + b + ", %r15}, {" + c + ", %f11, %f12, %f13};\n";
}
/// Whether %r20 of each lane is set when it comes to a matrix instruction.
std::string use_r20 = all_operands + mma("%r20");

constexpr std::uint32_t all = ~0u, low_half = 0xFFFF;

TEST(InitRegisters, OperandsOfMma) {
  expect_clean(run(all_operands + mma()));
  expect_one(run(all_operands + mma("%r1")), "uninitialised register", all, {"%r1 of A", "lanes 0-31"});
  expect_one(run(all_operands + mma("%r10", "%r2")), "uninitialised register", all, {"%r2 of B"});
  expect_one(run(all_operands + mma("%r10", "%r14", "%f4")), "uninitialised register", all, {"%f4 of C"});
  const Checked both = run(all_operands + mma("%r1", "%r2"));
  expect_one(both, "uninitialised register", all, {"%r1 of A", "%r2 of B"});
}

TEST(InitRegisters, WhatWasSaidIsNotSaidAgain) {
  expect_one(run(all_operands + mma("%r1") + "mov.b32 %r2, %r1;\n" + mma("%r2") + mma("%r10", "%r14", "%f0")),
             "uninitialised register", all);
}

TEST(InitRegisters, ALoopIsOneFinding) {
  const Checked checked = run(all_operands + R"(
    mov.u32 %r3, 0;
  LOOP:
    { .reg .b32 %x;
    mov.b32 %x, %r40;
    mov.b32 %r41, %r40;
    )" + mma("%r41") + R"(
    add.u32 %r3, %r3, 1;
    setp.lt.u32 %p1, %r3, 5;
    @%p1 bra LOOP; }
  )");
  expect_one(checked, "uninitialised register", all);
  EXPECT_EQ(checked.findings[0].count, 5u);
}

TEST(InitRegisters, MetadataOfTheLanesThatAreRead) {
  const auto sparse = [](int selector) {
    return all_operands + "and.b32 %r51, %r0, 2; setp.eq.u32 %p0, %r51, 0;\n" +
           "@%p0 mov.u32 %r20, 0x44444444;\n"
           "mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%r10, %r11}, "
           "{%r14, %r15}, {%f10, %f11, %f12, %f13}, %r20, " +
           std::to_string(selector) + ";\n";
  };
  // Lanes 4g and 4g + 1 hold a code; selector s reads lane 4g + s.
  expect_clean(run(sparse(0)));
  expect_clean(run(sparse(1)));
  expect_one(run(sparse(2)), "uninitialised register", 0x44444444, {"%r20 of metadata"});
  expect_one(run(sparse(3)), "uninitialised register", 0x88888888, {"%r20 of metadata"});
}

TEST(InitRegisters, ConditionalWritesAddLanes) {
  const std::string half = "setp.lt.u32 %p0, %r0, 16;\n @%p0 mov.u32 %r20, 1;\n";
  expect_one(run(half + use_r20), "uninitialised register", ~low_half, {"lanes 16-31"});
  expect_clean(run(half + "@!%p0 mov.u32 %r20, 2;\n" + use_r20));
  // In a branch, too.
  expect_one(run("setp.lt.u32 %p0, %r0, 16;\n @%p0 bra SKIP;\n mov.u32 %r20, 1;\nSKIP:\n" + use_r20),
             "uninitialised register", low_half);
  // An unset source takes away what was set.
  expect_one(run("mov.u32 %r20, 1;\n setp.lt.u32 %p0, %r0, 16;\n @%p0 mov.u32 %r20, %r21;\n" + use_r20),
             "uninitialised register", low_half);
}

TEST(InitRegisters, ArithmeticHandsItOn) {
  expect_one(run("add.u32 %r20, %r0, %r21;\n" + use_r20), "uninitialised register", all);
  expect_one(run("mov.b64 %d5, {%r0, %r21};\n mov.b64 {%r20, %r22}, %d5;\n" + use_r20),
             "uninitialised register", all);
  expect_one(run("cvt.rn.f32.u32 %f20, %r21;\n mov.b32 %r20, %f20;\n" + use_r20), "uninitialised register",
             all);
  expect_clean(run("mad.lo.u32 %r20, %r0, 3, 4;\n" + use_r20));
  expect_clean(run("mov.u32 %r20, %laneid;\n" + use_r20));
}

TEST(InitRegisters, NotAtMovesAndStores) {
  expect_clean(run("mov.b32 %r20, %r21;\n add.u32 %r22, %r20, 1;\n st.global.u32 [%d1], %r22;\n"));
}

TEST(InitRegisters, SelectTakesWhatItChooses) {
  const std::string half = "setp.lt.u32 %p0, %r0, 16;\n";
  expect_one(run(half + "selp.u32 %r20, %r0, %r21, %p0;\n" + use_r20), "uninitialised register", ~low_half);
  expect_one(run(half + "selp.u32 %r20, %r21, %r0, %p0;\n" + use_r20), "uninitialised register", low_half);
  expect_one(run("selp.u32 %r20, %r0, %r0, %p1;\n" + use_r20), "uninitialised register", all);
}

TEST(InitRegisters, AnOperandThatDecidesAlone) {
  expect_clean(run("and.b32 %r20, %r21, 0;\n" + use_r20));
  expect_clean(run("or.b32 %r20, %r21, 0xFFFFFFFF;\n" + use_r20));
  expect_clean(run("and.b16 %h1, %h2, 0;\n cvt.u32.u16 %r20, %h1;\n" + use_r20));
  expect_one(run("and.b32 %r20, %r21, 1;\n" + use_r20), "uninitialised register", all);
  expect_one(run("or.b32 %r20, %r21, 0x7FFFFFFF;\n" + use_r20), "uninitialised register", all);
  expect_one(run("or.b32 %r20, 0, %r21;\n" + use_r20), "uninitialised register", all);
  const std::string by = "selp.u32 %r20, 1, 2, %p2;\n" + use_r20;
  const std::string half = "setp.lt.u32 %p0, %r0, 16;\n";
  expect_one(run(half + "and.pred %p2, %p0, %p1;\n" + by), "uninitialised register", low_half);
  expect_one(run(half + "or.pred %p2, %p1, %p0;\n" + by), "uninitialised register", ~low_half);
  expect_one(run(half + "setp.gt.and.u32 %p2, %r21, 4, %p0;\n" + by), "uninitialised register", low_half);
  expect_one(run(half + "setp.gt.and.u32 %p2, %r21, 4, !%p0;\n" + by), "uninitialised register", ~low_half);
  expect_one(run(half + "setp.gt.or.u32 %p2, %r21, 4, %p0;\n" + by), "uninitialised register", ~low_half);
  expect_one(run(half + "setp.gt.xor.u32 %p2, %r21, 4, %p0;\n" + by), "uninitialised register", all);
}

TEST(InitRegisters, GuardsAndBranches) {
  expect_one(run("@%p0 bra SKIP;\nSKIP:\n"), "uninitialised condition", all, {"%p0"});
  expect_one(run("setp.gt.u32 %p0, %r21, 3;\n@!%p0 bra SKIP;\nSKIP:\n"), "uninitialised condition", all,
             {"%p0"});
  expect_one(run("@%p0 st.global.u32 [%d1], %r0;\n"), "uninitialised condition", all);
  expect_one(run("setp.lt.u32 %p1, %r0, 16;\n @%p1 setp.lt.u32 %p0, %r0, 3;\n @%p0 bra SKIP;\nSKIP:\n"),
             "uninitialised condition", ~low_half);
  // Only the lanes that come there.
  expect_clean(
      run("setp.lt.u32 %p1, %r0, 16;\n @!%p1 bra END;\n @%p1 setp.lt.u32 %p0, %r0, 3;\n @%p0 bra END;\n"
          "mov.u32 %r1, 1;\nEND:\n"));
  // Once is enough.
  expect_one(run("@%p0 bra SKIP;\nSKIP:\n @%p0 bra END;\nEND:\n"), "uninitialised condition", all, {"%p0"});
  // A guard of arithmetic only makes its result unset.
  expect_one(run("mov.u32 %r20, 1;\n @%p0 mov.u32 %r20, 2;\n" + use_r20), "uninitialised register", all);
  expect_clean(run("@%p0 mov.u32 %r20, 2;\n"));
}

TEST(InitRegisters, Addresses) {
  expect_one(run("@!%p0 mov.u32 %r1, 0;\n mov.u32 %r2, 0x1000000;\n"
                 ".shared .b8 buffer[64];\n setp.lt.u32 %p1, %r0, 16;\n @%p1 mov.u32 %r3, buffer;\n"
                 "@!%p1 add.u32 %r3, %r60, 0x1000000;\n st.shared.u32 [%r3], %r0;\n"),
             "uninitialised address", ~low_half, {"%r3"});
}

TEST(InitRegisters, ShuffleTakesFromTheSourceLane) {
  const std::string lane0 = "setp.eq.u32 %p0, %r0, 0;\n @%p0 mov.u32 %r21, 7;\n";
  expect_clean(run(lane0 + "shfl.sync.idx.b32 %r20, %r21, 0, 31, -1;\n" + use_r20));
  // Lane l has that of l - 1; lane 0 its own.
  expect_one(run(lane0 + "shfl.sync.up.b32 %r20, %r21, 1, 0, -1;\n" + use_r20), "uninitialised register",
             ~3u);
  expect_one(run(lane0 + "shfl.sync.bfly.b32 %r20, %r21, 2, 31, -1;\n" + use_r20), "uninitialised register",
             ~4u);
  expect_clean(run("shfl.sync.down.b32 %r20|%p2, %r21, 1, 31, -1;\n selp.u32 %r20, 1, 2, %p2;\n" + use_r20));
}

TEST(InitRegisters, VotesNeedAllLanes) {
  const std::string vote = "vote.sync.ballot.b32 %r20, %p0, -1;\n" + use_r20;
  expect_clean(run("setp.lt.u32 %p0, %r0, 16;\n" + vote));
  expect_one(run("setp.lt.u32 %p1, %r0, 16;\n @%p1 setp.lt.u32 %p0, %r0, 9;\n" + vote),
             "uninitialised register", all);
}

TEST(InitRegisters, TransposeMovesColumns) {
  // Row 1 is in lanes 4 to 7; it becomes column 1, which lanes 4g hold beside column 0.
  expect_one(run("shr.u32 %r1, %r0, 2;\n setp.ne.u32 %p0, %r1, 1;\n @%p0 mov.u32 %r21, 0;\n"
                 "movmatrix.sync.aligned.m8n8.trans.b16 %r20, %r21;\n" +
                 use_r20),
             "uninitialised register", 0x11111111);
  // Columns 4 and 5 are in lanes 4g + 2; they become rows 4 and 5.
  expect_one(run("and.b32 %r1, %r0, 3;\n setp.ne.u32 %p0, %r1, 2;\n @%p0 mov.u32 %r21, 0;\n"
                 "movmatrix.sync.aligned.m8n8.trans.b16 %r20, %r21;\n" +
                 use_r20),
             "uninitialised register", 0x00FF0000);
}

// Calls

const std::string decide = R"(
.func (.param .b32 result) decide(.param .b32 given)
{
  .reg .pred %q<3>; .reg .b32 %x<4>;
  ld.param.u32 %x0, [given];
  setp.ne.u32 %q0, %x0, 0;
  @%q0 mov.u32 %x1, 1;
  st.param.b32 [result], %x0;
  setp.ne.u32 %q1, %x1, 0;
  @%q1 bra OUT;
OUT:
  ret;
}
)";
std::string call(int given) {
  return "{ .param .b32 a; .param .b32 b;\n st.param.b32 [a], " + std::to_string(given) +
         ";\n call.uni (b), decide, (a);\n ld.param.b32 %r20, [b]; }\n";
}

TEST(InitRegisters, EveryCallBeginsWithoutRegisters) {
  expect_clean(run(call(1) + use_r20, decide));
  expect_clean(run(call(1) + call(1), decide));
  expect_one(run(call(0), decide), "uninitialised condition", all, {"%q1"});
  expect_one(run(call(1) + call(0), decide), "uninitialised condition", all, {"%q1"});
}

TEST(InitRegisters, EveryCallBeginsWithoutLocalMemory) {
  const std::string remember = R"(
.func remember(.param .b32 given)
{
  .reg .pred %q<3>; .reg .b32 %x<4>; .local .align 4 .b8 kept[8];
  ld.param.u32 %x0, [given];
  setp.ne.u32 %q0, %x0, 0;
  @%q0 st.local.u32 [kept], %x0;
  ld.local.u32 %x1, [kept];
  setp.ne.u32 %q1, %x1, 0;
  @%q1 bra OUT;
OUT:
  ret;
}
)";
  const auto call = [](int given) {
    return "{ .param .b32 a;\n st.param.b32 [a], " + std::to_string(given) +
           ";\n call.uni remember, (a); }\n";
  };
  expect_clean(run(call(1) + call(1), remember));
  expect_one(run(call(1) + call(0), remember), "uninitialised condition", all, {"%q1"});
}

TEST(InitRegisters, EveryBlockBeginsAnew) {
  const CheckerSet checkers({Tool::initcheck});
  ptx::test::TestDevice t(
      kernel("mov.u32 %r8, %ctaid.x; setp.eq.u32 %p0, %r8, 0;\n @%p0 mov.u32 %r20, 1;\n" + use_r20),
      watched_by(checkers));
  t.run({2, 1, 1}, {32, 1, 1}, 0, t.upload(std::vector<std::uint32_t>(32)));
  const auto findings = checkers.findings().list();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].block.x, 1u);
  EXPECT_EQ(findings[0].count, 1u);
}

}  // namespace
}  // namespace twofour::emu::check::test
