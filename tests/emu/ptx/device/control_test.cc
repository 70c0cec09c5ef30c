// Divergence, loops, switches, calls.
#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxControl, NestedBranchesMeetAgain) {
  // x = lane < 16 ? (lane odd ? 1 : 2) : (lane < 24 ? 3 : 4), then all lanes vote together.
  TestDevice t(kernel(R"(
    setp.lt.u32 %p0, %r0, 16;
    and.b32 %r1, %r0, 1;
    setp.ne.u32 %p1, %r1, 0;
    setp.lt.u32 %p2, %r0, 24;
    @!%p0 bra HIGH;
    @%p1 bra ODD;
    mov.u32 %r2, 2;
    bra LOWEND;
  ODD:
    mov.u32 %r2, 1;
  LOWEND:
    activemask.b32 %r4;
    bra JOIN;
  HIGH:
    mov.u32 %r2, 4;
    @!%p2 bra JOIN2;
    mov.u32 %r2, 3;
  JOIN2:
    activemask.b32 %r4;
  JOIN:
    activemask.b32 %r3;
    st.global.u32 [%d1], %r2;
    st.global.u32 [%d1+128], %r3;
    st.global.u32 [%d1+256], %r4;
  )"));
  const auto out = t.results(32, 96);
  for (std::uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(out[l], l < 16 ? (l % 2 ? 1u : 2u) : l < 24 ? 3u : 4u) << l;
    EXPECT_EQ(out[32 + l], 0xffffffffu) << l;
    EXPECT_EQ(out[64 + l], l < 16 ? 0x0000ffffu : 0xffff0000u) << l;
  }
}

TEST(PtxControl, LoopsOfDifferentTripCounts) {
  // Lane l adds 1 .. l, in an outer loop that runs l % 3 + 1 times.
  TestDevice t(kernel(R"(
    rem.u32 %r1, %r0, 3;
    mov.u32 %r3, 0;
  OUTER:
    mov.u32 %r2, 0;
  INNER:
    setp.ge.u32 %p0, %r2, %r0;
    @%p0 bra DONE;
    add.u32 %r2, %r2, 1;
    add.u32 %r3, %r3, %r2;
    bra INNER;
  DONE:
    setp.ne.u32 %p1, %r1, 0;
    sub.u32 %r1, %r1, 1;
    @%p1 bra OUTER;
    activemask.b32 %r4;
    st.global.u32 [%d1], %r3;
    st.global.u32 [%d1+256], %r4;
  )"));
  const auto out = t.results(64, 128);
  for (std::uint32_t l = 0; l < 64; ++l) {
    EXPECT_EQ(out[l], (l % 3 + 1) * (l * (l + 1) / 2)) << l;
    EXPECT_EQ(out[64 + l], 0xffffffffu);
  }
}

TEST(PtxControl, EarlyExitsLeaveTheOthersTogether) {
  // Lanes 3, 8 .. 11 end early, on two ways; the others still meet.
  TestDevice t(kernel(R"(
    setp.eq.u32 %p0, %r0, 3;
    @%p0 ret;
    setp.lt.u32 %p1, %r0, 16;
    @!%p1 bra JOIN;
    shr.u32 %r1, %r0, 2;
    setp.ne.u32 %p2, %r1, 2;
    @%p2 bra JOIN;
    mov.u32 %r5, 77;
    st.global.u32 [%d1], %r5;
    exit;
  JOIN:
    activemask.b32 %r3;
    st.global.u32 [%d1], %r3;
  )"));
  const auto out = t.results(32, 32);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(out[l], l == 3 ? 0u : l / 4 == 2 ? 77u : 0xfffff0f7u) << l;
}

TEST(PtxControl, SwitchByTable) {
  TestDevice t(kernel(R"(
    and.b32 %r1, %r0, 3;
    mov.u32 %r2, 100;
    setp.eq.u32 %p0, %r0, 31;
    TABLE: .branchtargets A, B, C, A;
    @!%p0 brx.idx %r1, TABLE;
    mov.u32 %r2, 9;
    bra END;
  A:
    mov.u32 %r2, 10;
    bra END;
  B:
    mov.u32 %r2, 20;
  C:
    add.u32 %r2, %r2, 1;
  END:
    activemask.b32 %r3;
    st.global.u32 [%d1], %r2;
    st.global.u32 [%d1+128], %r3;
  )"));
  const auto out = t.results(32, 64);
  const std::uint32_t expected[] = {10, 21, 101, 10};
  for (std::uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(out[l], l == 31 ? 9u : expected[l % 4]) << l;
    EXPECT_EQ(out[32 + l], 0xffffffffu);
  }
}

constexpr const char* factorial = R"(
.func (.param .b32 result) factorial(.param .b32 n)
{
  .reg .pred %p<2>; .reg .b32 %r<8>;
  ld.param.u32 %r1, [n];
  setp.gt.u32 %p0, %r1, 1;
  mov.u32 %r3, 1;
  @!%p0 bra END;
  sub.u32 %r2, %r1, 1;
  {
    .param .b32 a; .param .b32 b;
    st.param.b32 [a], %r2;
    call (b), factorial, (a);
    ld.param.b32 %r4, [b];
  }
  mul.lo.u32 %r3, %r4, %r1;
END:
  st.param.b32 [result], %r3;
  ret;
}
)";

TEST(PtxControl, RecursionOfDifferentDepths) {
  TestDevice t(kernel(R"(
    rem.u32 %r1, %r0, 13;
    {
      .param .b32 a; .param .b32 b;
      st.param.b32 [a], %r1;
      call.uni (b), factorial, (a);
      ld.param.b32 %r2, [b];
    }
    activemask.b32 %r3;
    st.global.u32 [%d1], %r2;
    st.global.u32 [%d1+128], %r3;
  )",
                      "", factorial));
  const auto out = t.results(32, 64);
  for (std::uint32_t l = 0; l < 32; ++l) {
    std::uint32_t f = 1;
    for (std::uint32_t k = 2; k <= l % 13; ++k) f *= k;
    EXPECT_EQ(out[l], f) << l;
    EXPECT_EQ(out[32 + l], 0xffffffffu);
  }
}

TEST(PtxControl, EndlessRecursionIsRefused) {
  TestDevice t(kernel(R"(
    call.uni again, ();
  )",
                      "", ".func again()\n{\n  call again, ();\n  ret;\n}\n"));
  expect_words(error_of([&] { t.results(32, 1); }),
               {"test.ptx", "kernel k", "calls deep", "endless recursion"});
}

TEST(PtxControl, FunctionPointers) {
  // Even lanes call twice(x), odd ones minus_one(x), through a table in memory; lane 5 calls nothing.
  const std::string functions = R"(
.func (.param .b32 r) twice(.param .b32 x)
{
  .reg .b32 %r<3>;
  ld.param.u32 %r1, [x];
  add.u32 %r1, %r1, %r1;
  st.param.b32 [r], %r1;
  ret;
}
.func (.param .b32 r) minus_one(.param .b32 x)
{
  .reg .b32 %r<3>;
  ld.param.u32 %r1, [x];
  sub.u32 %r1, %r1, 1;
  st.param.b32 [r], %r1;
  ret;
}
.global .align 8 .u64 table[2] = {twice, minus_one};
)";
  TestDevice t(kernel(R"(
    and.b32 %r1, %r0, 1;
    mul.wide.u32 %d2, %r1, 8;
    mov.u64 %d3, table;
    add.u64 %d3, %d3, %d2;
    ld.global.u64 %d4, [%d3];
    mov.u64 %d5, twice;
    setp.eq.u64 %p1, %d4, %d5;
    mov.u32 %r2, 1000;
    setp.ne.u32 %p0, %r0, 5;
    {
      .param .b32 a; .param .b32 b;
      st.param.b32 [a], %r0;
      PROTOTYPE: .callprototype (.param .b32 _) _ (.param .b32 _);
      @%p0 call (b), %d4, (a), PROTOTYPE;
      @%p0 ld.param.b32 %r2, [b];
    }
    @%p1 add.u32 %r2, %r2, 10000;
    activemask.b32 %r3;
    st.global.u32 [%d1], %r2;
    st.global.u32 [%d1+128], %r3;
  )",
                      "", functions));
  const auto out = t.results(32, 64);
  for (std::uint32_t l = 0; l < 32; ++l) {
    EXPECT_EQ(out[l], l == 5 ? 1000u : l % 2 ? l - 1 : 10000 + 2 * l) << l;
    EXPECT_EQ(out[32 + l], 0xffffffffu);
  }
}

TEST(PtxControl, WhatIsNotImplementedIsNamedWhereItStands) {
  TestDevice t(kernel("  frobnicate.b32 %r1, %r0;"));
  expect_words(error_of([&] { t.results(32, 1); }),
               {"test.ptx:", "not implemented", "frobnicate.b32 %r1, %r0"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
