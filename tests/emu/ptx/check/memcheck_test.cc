// What memcheck says of single accesses: every lane that is wrong, and no other.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::expect_words;
using ptx::test::kernel;

/// 64 threads, 40 words of output.
Checked memcheck(const std::string& body, const std::string& before = "") {
  return run_under(Tool::memcheck, kernel(body, "", before), 64, 40);
}

/// The only finding, which explains why the launch failed.
Finding only(const Checked& checked) {
  EXPECT_EQ(checked.findings.size(), 1u) << text(checked);
  EXPECT_TRUE(checked.explained) << text(checked);
  return checked.findings.empty() ? Finding{} : checked.findings.front();
}

TEST(Memcheck, EveryLanePastTheEnd) {
  const Finding f = only(memcheck("st.global.u32 [%d1], %r0;\n"));
  EXPECT_EQ(f.error, "out of bounds");
  EXPECT_EQ(f.statement, "st.global.u32 [%d1], %r0");
  EXPECT_EQ(f.warp, 1);
  EXPECT_EQ(lanes_text(f.lanes), "8-31");
  EXPECT_EQ(f.address.value_or(0) % 256, 160u);
  expect_words(f.detail, {"24 lanes write 4 bytes of global memory", "0 bytes past the end", "160 bytes"});
}

TEST(Memcheck, LanesThatTheGuardStopsDoNotCount) {
  expect_clean(memcheck("setp.lt.u32 %p0, %r0, 40;\n @%p0 st.global.u32 [%d1], %r0;\n"));
}

TEST(Memcheck, ThePartOfAVectorThatIsPastTheEnd) {
  const Finding f = only(memcheck(R"(
    shl.b32 %r1, %r0, 4;
    cvt.u64.u32 %d2, %r1;
    add.u64 %d2, %d0, %d2;
    st.global.v4.u32 [%d2], {%r0, %r0, %r0, %r0};
  )"));
  EXPECT_EQ(lanes_text(f.lanes), "10-31");  // lane 9 has the last 16 of 160 bytes
  expect_words(f.detail, {"16 bytes"});
}

TEST(Memcheck, TwoMistakesOfOneInstruction) {
  const Checked checked = memcheck(R"(
    setp.lt.u32 %p0, %r0, 3;
    mov.u64 %d2, %d1;
    @%p0 add.u64 %d2, %d1, 2;
    setp.eq.u32 %p1, %r0, 31;
    @%p1 add.u64 %d2, %d1, 8192;
    ld.global.u32 %r1, [%d2];
  )");
  ASSERT_EQ(checked.findings.size(), 2u) << text(checked);
  EXPECT_EQ(checked.findings[0].error, "misaligned");
  EXPECT_EQ(lanes_text(checked.findings[0].lanes), "0-2");
  expect_words(checked.findings[0].detail, {"not a multiple of 4"});
  EXPECT_EQ(checked.findings[1].error, "out of bounds");
  EXPECT_EQ(lanes_text(checked.findings[1].lanes), "31");
}

TEST(Memcheck, TheNextAllocationIsFarAway) {
  const Finding f = only(run_under(Tool::memcheck, kernel("st.global.u32 [%d1+256], %r0;\n"), 32, 64));
  EXPECT_EQ(f.error, "out of bounds");
  const std::string two = kernel(R"(
    mov.u64 %d2, a;
    ld.global.u32 %r1, [%d2+256];
  )",
                                 "", ".global .align 4 .b8 a[256];\n.global .align 4 .b8 b[256];\n");
  EXPECT_EQ(only(run_under(Tool::memcheck, two, 32, 32)).error, "out of bounds");
}

TEST(Memcheck, SharedMemoryPastTheBlock) {
  const Finding f = only(memcheck(R"(
    .shared .align 4 .b8 tile[128];
    shl.b32 %r1, %r0, 2;
    mov.u32 %r2, tile;
    add.u32 %r2, %r2, %r1;
    atom.shared.add.u32 %r3, [%r2+8], 1;
  )"));
  EXPECT_EQ(lanes_text(f.lanes), "30-31");
  EXPECT_EQ(f.warp, 0);
  expect_words(f.detail, {"change", "shared memory", "is byte 128 of 128"});
}

TEST(Memcheck, GenericAddressesOfSharedMemory) {
  const Finding f = only(memcheck(R"(
    .shared .align 4 .b8 tile[128];
    mov.u64 %d2, tile;
    cvta.shared.u64 %d2, %d2;
    st.u32 [%d2+128], %r0;
  )"));
  expect_words(f.detail, {"shared memory", "is byte 128 of 128"});
}

TEST(Memcheck, LocalMemoryPastTheFrame) {
  const Finding f = only(memcheck(R"(
    .local .align 4 .b8 array[16];
    mov.u64 %d2, array;
    mov.u32 %r1, 0;
    setp.gt.u32 %p0, %r0, 29;
    @%p0 add.u64 %d2, %d2, 16;
    st.local.u32 [%d2], %r0;
  )"));
  EXPECT_EQ(lanes_text(f.lanes), "30-31");
  expect_words(f.detail, {"local memory", "is byte 16 of 16"});
}

TEST(Memcheck, ConstantsAreWrittenByNoKernel) {
  const Checked checked =
      memcheck("mov.u64 %d2, c;\n st.global.u32 [%d2+4], %r0;\n", ".const .align 4 .b8 c[16];\n");
  EXPECT_EQ(checked.failure, "");
  ASSERT_EQ(checked.findings.size(), 1u);
  EXPECT_EQ(checked.findings[0].error, "write to read-only memory");
  EXPECT_EQ(checked.findings[0].count, 2u);  // warps
  expect_words(checked.findings[0].detail, {".const"});
}

TEST(Memcheck, ConstantsAreRead) {
  expect_clean(memcheck("ld.const.u32 %r1, [c+4];\n", ".const .align 4 .b8 c[16];\n"));
  EXPECT_EQ(only(memcheck("ld.const.u32 %r1, [c+16];\n", ".const .align 4 .b8 c[16];\n")).error,
            "out of bounds");
}

const std::string tile = R"(
    .shared .align 128 .b8 tile[1024];
    mov.u32 %r1, tile;
    shl.b32 %r2, %r0, 4;
    add.u32 %r3, %r1, %r2;
)";

TEST(Memcheck, BothSidesOfACopy) {
  // 64 threads, 16 bytes each: shared memory has all, global memory 160 bytes.
  const Finding from = only(memcheck(tile + R"(
    cvt.u64.u32 %d2, %r2;
    add.u64 %d2, %d0, %d2;
    cp.async.ca.shared.global [%r3], [%d2], 16;
  )"));
  EXPECT_EQ(lanes_text(from.lanes), "10-31");
  expect_words(from.detail, {"read 16 bytes of global"});
  const Finding to = only(memcheck(tile + "cp.async.ca.shared.global [%r3+1008], [%d0], 16;\n"));
  EXPECT_EQ(lanes_text(to.lanes), "1-31");
  expect_words(to.detail, {"write 16 bytes of shared"});
}

TEST(Memcheck, CopiesReadTheirSourceSize) {
  // Lanes 0 to 9 read 16 bytes, lane 10 and up none.
  expect_clean(memcheck(tile + R"(
    cvt.u64.u32 %d2, %r2;
    add.u64 %d2, %d0, %d2;
    setp.lt.u32 %p0, %r0, 10;
    selp.u32 %r5, 16, 0, %p0;
    cp.async.ca.shared.global [%r3], [%d2], 16, %r5;
  )"));
}

TEST(Memcheck, CopiesThatEndWithTheirBuffer) {
  // 152 bytes: eight from byte 144 on.
  const auto with = [](int source_size) {
    return run_under(
        Tool::memcheck,
        kernel(tile + fmt::format("cp.async.ca.shared.global [%r3], [%d0+144], 16, {};\n", source_size)), 32,
        38);
  };
  expect_clean(with(8));
  EXPECT_EQ(only(with(9)).error, "out of bounds");
}

TEST(Memcheck, WhatTheExecutorRefusesBesideAddresses) {
  const Finding f =
      only(memcheck(tile + "mov.u32 %r5, 17;\n cp.async.ca.shared.global [%r3], [%d0], 16, %r5;\n"));
  EXPECT_EQ(f.error, "invalid access");
  EXPECT_EQ(f.detail, "src-size 17 is larger than cp-size 16");
}

TEST(Memcheck, RowsOfLdmatrixAreThoseOfItsMatrices) {
  const std::string wild = tile + "setp.gt.u32 %p0, %r0, 15;\n @%p0 add.u32 %r3, %r3, 4104;\n";
  expect_clean(run_under(Tool::memcheck,
                         kernel(wild + "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r6, %r7}, [%r3];\n"), 32));
  const Finding f = only(run_under(
      Tool::memcheck,
      kernel(wild + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r6, %r7, %r8, %r9}, [%r3];\n"), 32));
  EXPECT_EQ(f.error, "misaligned");
  EXPECT_EQ(lanes_text(f.lanes), "16-31");
}

TEST(Memcheck, ElementsOfWmma) {
  const auto load = [](const std::string& at, int stride) {
    const std::string text =
        "wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 {{%r6,%r7,%r8,%r9,%r10,%r11,%r12,%r13}}, [{}], "
        "{};\n";
    return run_under(Tool::memcheck, kernel(tile + fmt::format(fmt::runtime(text), at, stride)), 32);
  };
  expect_clean(load("tile+32", 16));
  EXPECT_EQ(only(load("tile+8", 16)).error, "misaligned");
  // 16 rows of 80 bytes: row 12 ends at byte 992, row 13 begins at 1040.
  const Finding f = only(load("tile", 40));
  EXPECT_EQ(f.error, "out of bounds");
  EXPECT_EQ(f.address, ptx::shared_window + 13 * 80);
}

TEST(Memcheck, AbsentLanesAreNotItsBusiness) {
  const Checked checked = run_under(
      Tool::memcheck, kernel(tile + "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r6}, [%r3];\n"), 16);
  EXPECT_TRUE(checked.findings.empty());
  EXPECT_NE(checked.failure, "");
}

}  // namespace
}  // namespace twofour::emu::check::test
