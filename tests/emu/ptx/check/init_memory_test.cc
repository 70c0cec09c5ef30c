// initcheck: shared, local and global memory.
#include <gtest/gtest.h>

#include "twofour/emu/ptx/written.h"
#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::kernel;
using ptx::test::TestDevice;

Checked run(const std::string& body) {
  return run_under(Tool::initcheck, kernel(body), 32);
}
constexpr std::uint32_t all = ~0u;
const std::string use_r20 = R"(
  mov.u32 %r10, 0; mov.f32 %f10, 0f00000000;
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%r20, %r10, %r10, %r10}, {%r10, %r10},
    {%f10, %f10, %f10, %f10};
)";
// A row of 16 bytes a lane: its address in %r3.
const std::string rows = R"(
  .shared .align 16 .b8 rows[512];
  mov.u32 %r1, rows; shl.b32 %r2, %r0, 4; add.u32 %r3, %r1, %r2;
)";
const std::string ldmatrix = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4, %r5, %r6, %r7}, [%r3];\n";

TEST(InitShared, RowsOfLdmatrix) {
  const std::string fill = "st.shared.v4.u32 [%r3], {%r0, %r0, %r0, %r0};\n";
  expect_clean(run(rows + fill + ldmatrix));
  const Checked none = run(rows + ldmatrix);
  expect_one(none, "uninitialised shared memory", all, {"rows"});
  EXPECT_EQ(none.findings[0].address, ptx::shared_window);
  const Checked one = run(rows + "setp.ne.u32 %p0, %r0, 9;\n @%p0 " + fill + ldmatrix);
  expect_one(one, "uninitialised shared memory", 1u << 9);
  EXPECT_EQ(one.findings[0].address, ptx::shared_window + 9 * 16);
  // One byte of a row is enough; rows of lanes that give no address are not read.
  expect_one(run(rows +
                 "st.shared.v2.u32 [%r3], {%r0, %r0}; st.shared.u32 [%r3+8], %r0;\n"
                 "st.shared.u16 [%r3+12], %h0; mov.u16 %h1, 0; st.shared.u8 [%r3+14], %h1;\n"
                 "st.shared.u16 [%r3+12], %h1;\n" +
                 ldmatrix),
             "uninitialised shared memory", all);
  expect_clean(run(rows + "setp.lt.u32 %p0, %r0, 8;\n @%p0 " + fill +
                   "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r4}, [%r3];\n"));
}

TEST(InitShared, UnsetRegistersLeaveItUnset) {
  expect_one(run(rows + "st.shared.v4.u32 [%r3], {%r0, %r0, %r21, %r0};\n" + ldmatrix),
             "uninitialised shared memory", all);
  // And take away what was there.
  expect_one(run(rows +
                 "st.shared.v4.u32 [%r3], {%r0, %r0, 0, %r0};\n setp.eq.u32 %p0, %r0, 3;\n"
                 "@%p0 st.shared.u32 [%r3], %r21;\n" +
                 ldmatrix),
             "uninitialised shared memory", 1u << 3);
}

TEST(InitShared, LoadsHandItOn) {
  const std::string store = "setp.lt.u32 %p0, %r0, 16;\n @%p0 st.shared.u32 [%r3], %r0;\n";
  expect_one(run(rows + store + "ld.shared.u32 %r20, [%r3];\n" + use_r20), "uninitialised register",
             0xFFFF0000);
  expect_clean(run(rows + store + "ld.shared.u32 %r20, [%r3];\n"));
  // Of a vector only the element that is not there; by a generic address, too.
  const std::string generic =
      "cvta.to.shared.u64 %d5, %d5; cvt.u64.u32 %d5, %r3; cvta.shared.u64 %d6, %d5;\n";
  expect_clean(run(rows + generic + "st.u32 [%d6], %r0; ld.v2.u32 {%r20, %r22}, [%d6];\n" + use_r20));
  expect_one(run(rows + generic + "st.u32 [%d6], %r0; ld.v2.u32 {%r22, %r20}, [%d6];\n" + use_r20),
             "uninitialised register", all);
}

TEST(InitShared, EveryBlockBeginsAnew) {
  const CheckerSet checkers({Tool::initcheck});
  // Only block 0 writes.
  TestDevice t(kernel(rows +
                      "mov.u32 %r8, %ctaid.x; setp.eq.u32 %p0, %r8, 0;\n"
                      "@%p0 st.shared.v4.u32 [%r3], {%r0, %r0, %r0, %r0};\n" +
                      ldmatrix),
               watched_by(checkers));
  t.run({2, 1, 1}, {32, 1, 1}, 0, t.upload(std::vector<std::uint32_t>(32)));
  const auto findings = checkers.findings().list();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].block.x, 1u);
}

TEST(InitShared, CopiesAndTheirZeros) {
  const auto copy = [](const std::string& size) {
    return rows +
           "and.b32 %r8, %r0, 3; mul.wide.u32 %d5, %r8, 16; add.u64 %d6, %d0, %d5;\n"
           "cp.async.ca.shared.global [%r3], [%d6], 16" +
           size + ";\n cp.async.wait_all;\n" + ldmatrix;
  };
  expect_clean(run(copy("")));
  expect_clean(run(copy(", 8")));
  expect_clean(run(copy(", 0")));
}

TEST(InitShared, Atomics) {
  const std::string load = "ld.shared.u32 %r20, [%r3];\n" + use_r20;
  expect_one(run(rows + "atom.shared.add.u32 %r8, [%r3], 1;\n" + load), "uninitialised register", all);
  expect_clean(run(rows + "st.shared.u32 [%r3], 5;\n atom.shared.add.u32 %r8, [%r3], 1;\n" + load));
  expect_clean(run(rows + "atom.shared.exch.b32 %r8, [%r3], 1;\n" + load));
  expect_one(run(rows + "atom.shared.exch.b32 %r20, [%r3], 1;\n" + use_r20), "uninitialised register", all);
}

TEST(InitShared, FragmentsOfWmma) {
  const std::string tile =
      ".shared .align 32 .b8 tile[512];\n mov.u32 %r1, tile; shl.b32 %r2, %r0, 4;\n"
      "add.u32 %r3, %r1, %r2;\n";
  const std::string load =
      "wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 {%r2,%r3,%r4,%r5,%r6,%r7,%r8,%r9}, [tile];\n";
  expect_clean(run(tile + "st.shared.v4.u32 [%r3], {%r0, %r0, %r0, %r0};\n" + load));
  // Row 3 (32 bytes, lanes 6 and 7) is missing: lanes 12 to 15 hold it.
  expect_one(run(tile +
                 "shr.u32 %r8, %r0, 1; setp.ne.u32 %p0, %r8, 3;\n"
                 "@%p0 st.shared.v4.u32 [%r3], {%r0, %r0, %r0, %r0};\n" +
                 load),
             "uninitialised shared memory", 0xF000);
  const std::string store =
      "wmma.store.d.sync.aligned.row.m16n16k16.shared.f16 [tile], {%r40, %r40, %r40, %r40};\n";
  expect_clean(run(tile + "mov.u32 %r40, 0;\n" + store + load));
  expect_one(run(tile + store + load), "uninitialised shared memory", all);
}

TEST(InitLocal, ByLane) {
  const std::string local =
      ".local .align 4 .b8 stack[16];\n mov.u64 %d5, stack;\n setp.lt.u32 %p0, %r0, 4;\n";
  expect_one(run(local + "@%p0 st.local.u32 [stack+4], %r0;\n ld.local.u32 %r20, [stack+4];\n" + use_r20),
             "uninitialised register", ~15u);
  expect_clean(
      run(local + "st.local.u32 [stack], %r0;\n cvta.local.u64 %d6, %d5;\n ld.u32 %r20, [%d6];\n" + use_r20));
  expect_one(run(local + "st.local.u32 [stack], %r0;\n ld.local.u32 %r20, [stack+8];\n" + use_r20),
             "uninitialised register", all);
}

// Global memory

/// A kernel of `out` and `in`, whose address is in %d5 and that of element %r0 in %d6.
std::string reads(const std::string& body) {
  return kernel("ld.param.u64 %d5, [in]; mul.wide.u32 %d6, %r0, 4; add.u64 %d6, %d5, %d6;\n" + body,
                ", .param .u64 in");
}

struct Global {
  explicit Global(const std::string& body) : device(reads(body), watched_by(checkers)) {
    out = device.upload(std::vector<std::uint32_t>(64));
  }
  Checked run(std::uint64_t in) {
    device.run({1, 1, 1}, {32, 1, 1}, 0, out, in);
    return {checkers.findings().list(), ""};
  }
  CheckerSet checkers{{Tool::initcheck}};
  TestDevice device;
  std::uint64_t out;
};
const std::string load = "ld.global.u32 %r1, [%d6];\n";

TEST(InitGlobal, WhatNobodyWrote) {
  Global t(load);
  const std::uint64_t in = t.device.device().allocate(128);
  const Checked checked = t.run(in);
  expect_one(checked, "uninitialised global memory", all, {"allocation", "128 bytes"});
  EXPECT_EQ(checked.findings[0].address, in);
}

TEST(InitGlobal, WhatLiesInNoAllocationIsNotItsMatter) {
  Global t(load);
  const std::uint64_t in = t.device.device().allocate(256);
  EXPECT_NE(ptx::test::error_of([&] { t.run(in + 256); }), "");
  EXPECT_TRUE(t.checkers.findings().empty());
}

TEST(InitGlobal, WhatTheHostWrote) {
  Global t(load);
  const std::uint64_t in = t.device.device().allocate(128);
  t.device.device().bytes(in, 5 * 4);
  t.device.device().bytes(in + 7 * 4, 25 * 4);
  expect_one(t.run(in), "uninitialised global memory", 0x60);
}

TEST(InitGlobal, WhatWasFreedIsNotWritten) {
  Global t(load);
  const std::uint64_t first = t.device.device().allocate(128);
  t.device.device().bytes(first, 128);
  t.device.device().free(first);
  ASSERT_EQ(t.device.device().allocate(128), first);
  expect_one(t.run(first), "uninitialised global memory", all);
}

TEST(InitGlobal, WhatTheDeviceWrote) {
  for (const std::string write :
       {"st.global.u32 [%d6], %r0;\n", "atom.global.exch.b32 %r2, [%d6], 1;\n", "st.u32 [%d6], %r60;\n"}) {
    Global t(write + load);
    expect_clean(t.run(t.device.device().allocate(128)));
  }
}

TEST(InitGlobal, AtomicsReadToo) {
  Global t("red.global.add.u32 [%d6], 1;\n" + load);
  expect_one(t.run(t.device.device().allocate(128)), "uninitialised global memory", all);
}

TEST(InitGlobal, CopiesReadToo) {
  Global t(rows + "cp.async.ca.shared.global [%r3], [%d6], 4;\n cp.async.wait_all;\n");
  expect_one(t.run(t.device.device().allocate(128)), "uninitialised global memory", all);
  Global nothing(rows + "cp.async.ca.shared.global [%r3], [%d6], 4, 0;\n cp.async.wait_all;\n");
  expect_clean(nothing.run(nothing.device.device().allocate(128)));
}

TEST(InitGlobal, FragmentsOfWmma) {
  Global t("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r2,%r3,%r4,%r5,%r6,%r7,%r8,%r9}, [%d5];\n");
  const std::uint64_t in = t.device.device().allocate(512);
  expect_one(t.run(in), "uninitialised global memory", all);
}

TEST(InitGlobal, PaddingOfVectorsIsNoMistake) {
  // Three words of each four are written.
  const std::string body =
      "shl.b32 %r1, %r0, 4; cvt.u64.u32 %d7, %r1; add.u64 %d7, %d5, %d7;\n"
      "ld.global.v4.u32 {%r20, %r21, %r22, %r23}, [%d7];\n";
  const auto padded = [](Global& t) {
    const std::uint64_t in = t.device.device().allocate(512);
    for (std::uint64_t l = 0; l < 32; ++l) t.device.device().bytes(in + 16 * l, 12);
    return in;
  };
  Global t(body + use_r20);
  expect_clean(t.run(padded(t)));
  Global used(body + "mov.b32 %r20, %r23;\n" + use_r20);
  expect_one(used.run(padded(used)), "uninitialised register", all, {"%r20 of A"});
}

TEST(InitGlobal, VariablesOfModulesAreWritten) {
  expect_clean(run_under(Tool::initcheck,
                         kernel("ld.global.u32 %r1, [table]; ld.const.u32 %r2, [numbers+4];\n", "",
                                ".global .u32 table[4];\n.const .u32 numbers[4] = {1, 2};\n"),
                         32));
}

TEST(InitGlobal, OneKernelReadsWhatAnotherWrote) {
  Global t("setp.eq.u64 %p0, %d5, 0;\n @%p0 bra WRITE;\n" + load + "bra END;\nWRITE:\n" +
           "ld.global.u64 %d7, [%d0]; mul.wide.u32 %d8, %r0, 4; add.u64 %d7, %d7, %d8; st.global.u32 [%d7], "
           "%r0;\nEND:\n");
  const std::uint64_t in = t.device.device().allocate(128);
  std::memcpy(t.device.device().bytes(t.out, 8).data(), &in, 8);
  t.run(0);
  expect_clean(t.run(in));
}

TEST(WrittenBytes, BitsOfRanges) {
  constexpr std::uint64_t begin = 1 << 20, size = std::uint64_t{1} << 22;
  ptx::WrittenBytes w(begin, size);
  w.set(begin + 60, 10);
  EXPECT_TRUE(w.all(begin + 60, 10));
  EXPECT_FALSE(w.all(begin + 59, 11));
  EXPECT_FALSE(w.all(begin + 60, 11));
  EXPECT_TRUE(w.any(begin + 69, 100));
  EXPECT_FALSE(w.any(begin + 70, 100));
  EXPECT_FALSE(w.any(begin, 60));
  w.set(begin, size);
  EXPECT_TRUE(w.all(begin, size));
  w.clear(begin + 256, size - 512);  // whole pages of bits and their edges
  EXPECT_TRUE(w.all(begin, 256));
  EXPECT_TRUE(w.all(begin + size - 256, 256));
  EXPECT_FALSE(w.any(begin + 256, size - 512));
  EXPECT_TRUE(w.all(begin - 8, 8)) << "what lies outside counts as written";
  EXPECT_TRUE(w.any(begin + size - 4, 8));
}

}  // namespace
}  // namespace twofour::emu::check::test
