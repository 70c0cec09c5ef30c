// atom and red: operations, types, spaces.
#include <bit>
#include <cmath>

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxAtomic, IntegerOperations) {
  // 64 threads, each operation on a word of its own that starts at 10.
  TestDevice t(kernel(R"(
    sub.s32 %r1, %r0, 20;
    red.global.add.u32 [%d0], %r0;
    red.global.min.s32 [%d0+4], %r1;
    red.global.max.u32 [%d0+8], %r0;
    red.relaxed.gpu.global.and.b32 [%d0+12], -2;
    red.or.b32 [%d0+16], %r0;
    red.xor.b32 [%d0+20], %r0;
    atom.global.inc.u32 %r2, [%d0+24], 20;
    atom.global.dec.u32 %r2, [%d0+28], 20;
    atom.global.max.s32 %r2, [%d0+32], %r1;
    red.global.min.u32 [%d0+36], %r1;
    cvt.u64.u32 %d2, %r0;
    shl.b64 %d2, %d2, 30;
    atom.add.u64 %d3, [%d0+40], %d2;
    atom.global.exch.b32 _, [%d0+48], %r0;
  )"));
  std::vector<std::uint32_t> start(14, 10);
  start[11] = 0;
  const std::uint64_t out = t.upload(start);
  t.run({1, 1, 1}, {64, 1, 1}, 0, out);
  const auto r = t.download<std::uint32_t>(out, 14);
  EXPECT_EQ(r[0], 10u + 2016);
  EXPECT_EQ(std::int32_t(r[1]), -20);
  EXPECT_EQ(r[2], 63u);
  EXPECT_EQ(r[3], 10u);
  EXPECT_EQ(r[4], 63u);
  EXPECT_EQ(r[5], 10u);
  EXPECT_EQ(r[6], (10u + 64) % 21);
  std::uint32_t dec = 10;
  for (int i = 0; i < 64; ++i) dec = dec == 0 ? 20 : dec - 1;
  EXPECT_EQ(r[7], dec);
  EXPECT_EQ(r[8], 43u);
  EXPECT_EQ(r[9], 0u);
  EXPECT_EQ(r[10] | std::uint64_t(r[11]) << 32, 10 + (std::uint64_t{2016} << 30));
  EXPECT_EQ(r[12], 63u);
}

TEST(PtxAtomic, OldValuesAreATotalOrder) {
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 count[4];
    atom.shared.add.u32 %r1, [count], 1;
    mul.wide.u32 %d2, %r1, 4;
    add.u64 %d2, %d0, %d2;
    st.global.u32 [%d2], 1;
  )"));
  for (const std::uint32_t once : t.results(256, 256)) EXPECT_EQ(once, 1u);
}

TEST(PtxAtomic, FloatingPoint) {
  // In shared memory f32 keeps subnormals, in global memory it flushes them.
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 sum[4];
    red.global.add.f32 [%d0], 0f3F000000;
    red.global.add.f32 [%d0+4], 0f00000001;
    red.shared.add.f32 [sum], 0f00000001;
    red.global.add.f64 [%d0+8], 0d3FB999999999999A;
    mov.b32 %r1, 0x3c003800;
    red.global.add.noftz.f16x2 [%d0+16], %r1;
    mov.b16 %h1, 0x3f80;
    red.global.add.noftz.bf16 [%d0+20], %h1;
    bar.sync 0;
    ld.shared.u32 %r2, [sum];
    st.global.u32 [%d0+24], %r2;
  )"));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(7));
  t.run({1, 1, 1}, {32, 1, 1}, 0, out);
  const auto r = t.download<std::uint32_t>(out, 7);
  EXPECT_EQ(std::bit_cast<float>(r[0]), 16.0f);
  EXPECT_EQ(r[1], 0u);
  double sum = 0;
  for (int i = 0; i < 32; ++i) sum += 0.1;
  EXPECT_EQ(std::bit_cast<double>(r[2] | std::uint64_t(r[3]) << 32), sum);
  EXPECT_EQ(r[4], 0x50004c00u);  // 32 and 16
  EXPECT_EQ(r[5], 0x4200u);      // 32
  EXPECT_EQ(r[6], 32u);
}

TEST(PtxAtomic, CompareAndSwap) {
  // A lock-free maximum of l * 37 % 64, on 16 bits between others that must stay.
  TestDevice t(kernel(R"(
    mul.lo.u32 %r1, %r0, 37;
    and.b32 %r1, %r1, 63;
    cvt.u16.u32 %h1, %r1;
    ld.global.u16 %h2, [%d0+2];
  AGAIN:
    setp.ge.u16 %p0, %h2, %h1;
    @%p0 bra DONE;
    mov.b16 %h3, %h2;
    atom.global.cas.b16 %h2, [%d0+2], %h3, %h1;
    setp.ne.b16 %p1, %h2, %h3;
    @%p1 bra AGAIN;
  DONE:
  )"));
  const std::uint64_t out = t.upload(std::vector<std::uint16_t>{7, 0, 9, 9});
  t.run({1, 1, 1}, {64, 1, 1}, 0, out);
  EXPECT_EQ(t.download<std::uint16_t>(out, 4), (std::vector<std::uint16_t>{7, 63, 9, 9}));
}

TEST(PtxAtomic, BlocksOnSeveralThreadsLoseNothing) {
  TestDevice t(kernel(R"(
    mov.u32 %r1, 0;
  LOOP:
    red.global.add.f64 [%d0], 0d3FF0000000000000;
    add.u32 %r1, %r1, 1;
    setp.lt.u32 %p0, %r1, 20;
    @%p0 bra LOOP;
  )"),
               {.threads = 4, .instruction_limit = {}, .print = {}});
  const std::uint64_t out = t.upload(std::vector<double>(1));
  t.run({64, 1, 1}, {32, 1, 1}, 0, out);
  EXPECT_EQ(t.download<double>(out, 1)[0], 64.0 * 32 * 20);
}

}  // namespace
}  // namespace twofour::emu::ptx::test
