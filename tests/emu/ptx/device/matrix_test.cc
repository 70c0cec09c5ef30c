// Matrix instructions against emu::gemm on whole matrices, bit for bit.
#include <random>

#include "support.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/random.h"

namespace twofour::emu::ptx::test {
namespace {

using isa::ElementType;

std::vector<std::byte> bytes_of_matrix(const PackedMatrix& m) {
  std::vector<std::byte> out;
  for (std::int64_t r = 0; r < m.rows(); ++r) out.insert(out.end(), m.row(r).begin(), m.row(r).end());
  return out;
}

/// Copies 512 bytes of `a` and of `b` to shared memory, rows of 32 bytes of A, and makes ldmatrix's
/// addresses: %r10 for x4 on A (16 x 16 of 16 bits), %r11 for x2 on 8 rows of B.
constexpr const char* load_tiles = R"(
    .shared .align 16 .b8 tile[1024];
    ld.param.u64 %d2, [a];
    ld.param.u64 %d3, [b];
    mul.wide.u32 %d4, %r0, 16;
    add.u64 %d2, %d2, %d4;
    add.u64 %d3, %d3, %d4;
    mov.u32 %r1, tile;
    shl.b32 %r2, %r0, 4;
    add.u32 %r2, %r1, %r2;
    cp.async.cg.shared.global [%r2], [%d2], 16;
    cp.async.cg.shared.global [%r2+512], [%d3], 16;
    cp.async.commit_group;
    cp.async.wait_group 0;
    bar.warp.sync -1;
    and.b32 %r3, %r0, 15;
    shr.u32 %r4, %r0, 4;
    shl.b32 %r3, %r3, 5;
    shl.b32 %r4, %r4, 4;
    add.u32 %r10, %r1, %r3;
    add.u32 %r10, %r10, %r4;
    and.b32 %r5, %r0, 7;
    shr.u32 %r6, %r0, 3;
)";
constexpr const char* store_accumulators = R"(
    shr.u32 %r40, %r0, 2;
    and.b32 %r41, %r0, 3;
    shl.b32 %r40, %r40, 5;
    shl.b32 %r41, %r41, 3;
    add.u32 %r40, %r40, %r41;
    cvt.u64.u32 %d10, %r40;
    add.u64 %d10, %d0, %d10;
)";

TEST(PtxMatrix, MmaFromLdmatrix) {
  TestDevice t(kernel(std::string(load_tiles) + R"(
    shl.b32 %r5, %r5, 5;
    and.b32 %r6, %r6, 1;
    shl.b32 %r6, %r6, 4;
    add.u32 %r11, %r1, 512;
    add.u32 %r11, %r11, %r5;
    add.u32 %r11, %r11, %r6;
    ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r20, %r21, %r22, %r23}, [%r10];
    ldmatrix.sync.aligned.x2.m8n8.shared.b16 {%r24, %r25}, [%r11];
    mov.f32 %f1, 0f3F000000;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f2, %f3, %f4, %f5}, {%r20, %r21, %r22, %r23}, {%r24, %r25}, {%f1, %f1, %f1, %f1};
  )" + store_accumulators +
                          R"(
    st.global.v2.f32 [%d10], {%f2, %f3};
    st.global.v2.f32 [%d10+256], {%f4, %f5};
  )",
                      ", .param .u64 a, .param .u64 b"));
  std::mt19937_64 random(1);
  const PackedMatrix a = random_matrix(ElementType::f16, 16, 16, random),
                     b = random_matrix(ElementType::f16, 8, 16, random);
  auto b_bytes = bytes_of_matrix(b);
  b_bytes.resize(512);
  const auto out = t.results(32, 128, t.upload(bytes_of_matrix(a)), t.upload(b_bytes));
  PackedMatrix c(ElementType::f32, 16, 8);
  for (int r = 0; r < 16; ++r)
    for (int n = 0; n < 8; ++n) c.set_bits(r, n, 0x3f000000);
  const PackedMatrix d = gemm(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), a, b, &c);
  for (int r = 0; r < 16; ++r)
    for (int n = 0; n < 8; ++n) EXPECT_EQ(out[std::size_t(8 * r + n)], d.bits(r, n)) << r << " " << n;
}

TEST(PtxMatrix, SparseMmaOnHalfTheWarpsMetadata) {
  for (const int selector : {0, 1}) {
    const std::string op = selector == 0 ? "mma.sp" : "mma.sp::ordered_metadata";
    TestDevice t(kernel(
        std::string(load_tiles) + R"(
      shl.b32 %r5, %r5, 6;
      shl.b32 %r6, %r6, 4;
      add.u32 %r11, %r1, 512;
      add.u32 %r11, %r11, %r5;
      add.u32 %r11, %r11, %r6;
      ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r20, %r21, %r22, %r23}, [%r10];
      ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r24, %r25, %r26, %r27}, [%r11];
      ld.param.u64 %d5, [e];
      mul.wide.u32 %d6, %r0, 4;
      add.u64 %d5, %d5, %d6;
      ld.global.nc.b32 %r28, [%d5];
      mov.f32 %f1, 0f00000000;
      )" + op +
            ".sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%f2, %f3, %f4, %f5}, {%r20, %r21, %r22, %r23}, "
            "{%r24, %r25, %r26, %r27}, {%f1, %f1, %f1, %f1}, %r28, 0x" +
            std::to_string(selector) + ";\n" + store_accumulators + R"(
      st.global.v2.f32 [%d10], {%f2, %f3};
      st.global.v2.f32 [%d10+256], {%f4, %f5};
    )",
        ", .param .u64 a, .param .u64 b, .param .u64 e"));
    std::mt19937_64 random(2);
    const SparseMatrix a = compress(prune(random_matrix(ElementType::f16, 16, 32, random)));
    const PackedMatrix b = random_matrix(ElementType::f16, 8, 32, random);
    const isa::Instruction& i = isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32");
    const auto metadata = metadata_registers(a, i, 0, 0, selector);
    const auto out = t.results(32, 128, t.upload(bytes_of_matrix(a.values)), t.upload(bytes_of_matrix(b)),
                               t.upload(std::vector<std::uint32_t>(metadata.begin(), metadata.end())));
    const PackedMatrix d = gemm(i, a, b);
    for (int r = 0; r < 16; ++r)
      for (int n = 0; n < 8; ++n) EXPECT_EQ(out[std::size_t(8 * r + n)], d.bits(r, n)) << r << " " << n;
  }
}

TEST(PtxMatrix, WmmaOfRowAndColumnMajorMatrices) {
  TestDevice t(kernel(R"(
    ld.param.u64 %d2, [a];
    ld.param.u64 %d3, [b];
    .shared .align 32 .b8 tile[1024];
    wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8}, [%d2], 16;
    wmma.load.b.sync.aligned.col.m16n16k16.f16 {%r9, %r10, %r11, %r12, %r13, %r14, %r15, %r16}, [%d3];
    mov.f32 %f1, 0f3E800000;
    wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {%f2, %f3, %f4, %f5, %f6, %f7, %f8, %f9},
      {%r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8}, {%r9, %r10, %r11, %r12, %r13, %r14, %r15, %r16},
      {%f1, %f1, %f1, %f1, %f1, %f1, %f1, %f1};
    wmma.store.d.sync.aligned.row.m16n16k16.shared.f32 [tile], {%f2, %f3, %f4, %f5, %f6, %f7, %f8, %f9}, 16;
    wmma.load.c.sync.aligned.row.m16n16k16.shared.f32 {%f2, %f3, %f4, %f5, %f6, %f7, %f8, %f9}, [tile], 16;
    wmma.store.d.sync.aligned.col.m16n16k16.global.f32 [%d0], {%f2, %f3, %f4, %f5, %f6, %f7, %f8, %f9}, 16;
  )",
                      ", .param .u64 a, .param .u64 b"));
  std::mt19937_64 random(3);
  const PackedMatrix a = random_matrix(ElementType::f16, 16, 16, random),
                     b = random_matrix(ElementType::f16, 16, 16, random);
  const auto out = t.results(32, 256, t.upload(bytes_of_matrix(a)), t.upload(bytes_of_matrix(b)));
  PackedMatrix c(ElementType::f32, 16, 16);
  for (int r = 0; r < 16; ++r)
    for (int n = 0; n < 16; ++n) c.set_bits(r, n, 0x3e800000);
  const PackedMatrix d = gemm(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), a, b, &c);
  for (int r = 0; r < 16; ++r)
    for (int n = 0; n < 16; ++n) EXPECT_EQ(out[std::size_t(16 * n + r)], d.bits(r, n)) << r << " " << n;
}

TEST(PtxMatrix, IntegersSaturateAndDoublesTakeTwoWords) {
  // A and B of lane l: bytes 127, so every dot product is 32 * 127^2; f64: 8 x 8 x 4 of lane values.
  TestDevice t(kernel(R"(
    mov.u32 %r1, 0x7f7f7f7f;
    mov.u32 %r2, 0x7fffffff;
    mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 {%r3, %r4, %r5, %r6}, {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%r2, 0, %r2, %r2};
    mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r7, _, _, _}, {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%r2, %r2, %r2, %r2};
    cvt.rn.f64.u32 %e1, %r0;
    mov.f64 %e2, 0d3FF0000000000000;
    mov.f64 %e3, 0d0000000000000000;
    mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%e4, %e5}, {%e1}, {%e2}, {%e3, %e2};
    cvt.rzi.u32.f64 %r8, %e4;
    cvt.rzi.u32.f64 %r9, %e5;
    st.global.u32 [%d1], %r3;
    st.global.u32 [%d1+128], %r4;
    st.global.u32 [%d1+256], %r7;
    st.global.u32 [%d1+384], %r8;
    st.global.u32 [%d1+512], %r9;
  )"));
  const auto out = t.results(32, 160);
  for (std::uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(out[l], 0x7fffffffu);
    EXPECT_EQ(out[32 + l], 32u * 127 * 127);
    EXPECT_EQ(out[64 + l], 0x7fffffffu + 32u * 127 * 127);
    // Row g of A is 4g .. 4g + 3: the sum is 16 g + 6.
    EXPECT_EQ(out[96 + l], 16 * (l / 4) + 6);
    EXPECT_EQ(out[128 + l], 16 * (l / 4) + 7);
  }
}

TEST(PtxMatrix, MovmatrixTransposes) {
  TestDevice t(kernel(R"(
    mul.lo.u32 %r1, %r0, 0x20002;
    add.u32 %r1, %r1, 0x10000;
    movmatrix.sync.aligned.m8n8.trans.b16 %r2, %r1;
    st.global.u32 [%d1], %r2;
  )"));
  const auto out = t.results(32, 32);
  // Element (row, col) was 8 row + col.
  for (std::uint32_t l = 0; l < 32; ++l) {
    const std::uint32_t row = l / 4, col = 2 * (l % 4);
    EXPECT_EQ(out[l], (8 * col + row) | (8 * (col + 1) + row) << 16);
  }
}

TEST(PtxMatrix, WhatIsWrongIsNamed) {
  TestDevice unknown(
      kernel("mma.sync.aligned.m16n8k99.row.col.f32.f16.f16.f32 {%f1, %f1, %f1, %f1}, {%r1}, {%r1}, {%f1, "
             "%f1, %f1, %f1};"));
  expect_words(error_of([&] { unknown.results(32, 1); }), {"test.ptx:", "m16n8k99", "unknown instruction"});
  TestDevice partial(
      kernel("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2}, {%r3}, "
             "{%f1, %f1, %f1, %f1};"));
  expect_words(error_of([&] { partial.results(31, 1); }), {"m16n8k8", "all 32 lanes", "lane 31"});
  TestDevice few(
      kernel("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r1}, {%r3}, {%f1, "
             "%f1, %f1, %f1};"));
  expect_words(error_of([&] { few.results(32, 1); }), {"1 registers", "2 of 32 bits"});
  TestDevice row(
      kernel(".shared .align 16 .b8 s[512];\n mov.u32 %r1, s; add.u32 %r1, %r1, %r0;\n "
             "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r1];"));
  expect_words(error_of([&] { row.results(32, 1); }), {"ldmatrix", "lane 1", "multiple of 16"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
