// cp.async, printf, assertions, launches that are refused, kernels that never end.
#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxCopy, CopiesFillWithZerosAndWaitInGroups) {
  TestDevice t(kernel(R"(
    .shared .align 16 .b8 buffer[1024];
    ld.param.u64 %d2, [in];
    mul.wide.u32 %d3, %r0, 16;
    add.u64 %d2, %d2, %d3;
    shl.b32 %r1, %r0, 4;
    mov.u32 %r2, buffer;
    add.u32 %r2, %r2, %r1;
    rem.u32 %r3, %r0, 17;
    cp.async.cg.shared.global.L2::128B [%r2], [%d2], 16, %r3;
    cp.async.commit_group;
    setp.eq.u32 %p0, %r0, 1;
    cp.async.ca.shared.global [%r2+512], [%d2+4], 4;
    cp.async.ca.shared.global [%r2+520], [%d2+8], 8, %p0;
    cp.async.commit_group;
    cp.async.wait_group 1;
    cp.async.wait_all;
    bar.sync 0;
    ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r2];
    ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r2+512];
    add.u64 %d4, %d0, %d3;
    st.global.v4.u32 [%d4], {%r4, %r5, %r6, %r7};
    st.global.v4.u32 [%d4+512], {%r8, %r9, %r10, %r11};
  )",
                      ", .param .u64 in"));
  std::vector<std::uint8_t> in(512);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::uint8_t(7 * i + 1 + i / 256);
  const std::uint64_t out = t.upload(std::vector<std::uint8_t>(1024));
  t.run({1, 1, 1}, {32, 1, 1}, 0, out, t.upload(in));
  const auto r = t.download<std::uint8_t>(out, 1024);
  for (std::size_t l = 0; l < 32; ++l)
    for (std::size_t b = 0; b < 16; ++b) {
      EXPECT_EQ(r[16 * l + b], b < l % 17 ? in[16 * l + b] : 0) << l << " " << b;
      const std::uint8_t late = b < 4 ? in[16 * l + 4 + b] : b < 8 || l == 1 ? 0 : in[16 * l + b];
      EXPECT_EQ(r[512 + 16 * l + b], late) << l << " " << b;
    }
}

TEST(PtxPrint, FormatsOfEveryKind) {
  std::string printed;
  TestDevice t(kernel(R"(
    .local .align 8 .b8 list[48];
    mov.u64 %d2, list;
    cvta.local.u64 %d3, %d2;
    st.local.u32 [list], 42;
    st.local.u64 [list+8], -5;
    mov.f64 %e1, 0d3FF8000000000000;
    st.local.f64 [list+16], %e1;
    mov.u64 %d4, word;
    cvta.global.u64 %d5, %d4;
    st.local.u64 [list+24], %d5;
    st.local.u32 [list+32], %r0;
    mov.u64 %d6, format;
    cvta.global.u64 %d7, %d6;
    {
      .param .b64 a; .param .b64 b; .param .b32 c;
      st.param.b64 [a], %d7;
      st.param.b64 [b], %d3;
      call.uni (c), vprintf, (a, b);
      ld.param.b32 %r1, [c];
    }
    st.global.u32 [%d1], %r1;
  )",
                      "", R"(
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.global .align 1 .b8 word[4] = {97, 98, 99, 0};
.global .align 1 .b8 format[30] = {37, 48, 53, 100, 32, 37, 108, 108, 100, 32, 37, 46, 50, 102, 32, 37, 37, 37, 115, 32, 37, 120, 10, 0};
)"),
               {.threads = 1, .instruction_limit = {}, .print = [&](std::string_view s) { printed += s; }});
  const auto out = t.results(2, 2);
  // "%05d %lld %.2f %%%s %x\n"
  EXPECT_EQ(printed, "00042 -5 1.50 %abc 0\n00042 -5 1.50 %abc 1\n");
  EXPECT_EQ(out[0], 21u);
}

TEST(PtxPrint, TooFewArgumentsAndWildStringsAreRefused) {
  TestDevice t(kernel(R"(
    mov.u64 %d6, format;
    cvta.global.u64 %d7, %d6;
    mov.u64 %d8, 0;
    {
      .param .b64 a; .param .b64 b; .param .b32 c;
      st.param.b64 [a], %d7;
      st.param.b64 [b], %d8;
      call.uni (c), vprintf, (a, b);
    }
  )",
                      "", R"(
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.global .align 1 .b8 format[3] = {37, 100, 0};
)"));
  expect_words(error_of([&] { t.results(1, 1); }), {"vprintf", "more arguments than there are"});
}

TEST(PtxHostile, EndlessLoopsEndAtTheLimit) {
  TestDevice t(kernel("LOOP:\n  add.u32 %r1, %r1, 1;\n  bra LOOP;"),
               {.threads = 2, .instruction_limit = 100000, .print = {}});
  expect_words(error_of([&] { t.results(64, 1); }), {"kernel k", "the limit is 100000", "endless loop"});
}

TEST(PtxHostile, AHugeGridTakesNoMemoryAndStopsAtAnError) {
  TestDevice t(kernel(R"(
    mov.u32 %r1, %ctaid.x;
    setp.lt.u32 %p0, %r1, 5000;
    @%p0 ret;
    trap;
  )"));
  const std::string message = error_of([&] { t.run({0x7fffffff, 1, 1}, {1, 1, 1}, 0, std::uint64_t{0}); });
  expect_words(message, {"trap", "block (5000, 0, 0)"});
}

TEST(PtxHostile, LaunchesThatNoGpuTakes) {
  TestDevice t(kernel("", ", .param .u32 n"));
  const auto error = [&](Dim3 grid, Dim3 block, std::uint64_t shared) {
    return error_of([&] { t.run(grid, block, shared, std::uint64_t{0}, 1u); });
  };
  EXPECT_EQ(error({1, 1, 1}, {1024, 1, 1}, 163 * 1024), "");
  expect_words(error({1, 1, 1}, {1025, 1, 1}, 0), {"kernel k", "1025"});
  expect_words(error({1, 1, 1}, {32, 33, 1}, 0), {"32 x 33 x 1"});
  expect_words(error({1, 1, 1}, {1, 1, 65}, 0), {"1 x 1 x 65"});
  expect_words(error({1, 70000, 1}, {1, 1, 1}, 0), {"70000"});
  expect_words(error({0, 1, 1}, {1, 1, 1}, 0), {"0 x 1 x 1"});
  expect_words(error({1, 1, 1}, {1, 1, 1}, 164 * 1024), {"dynamic shared memory"});
  expect_words(error_of([&] {
                 t.run({1, 1, 1}, {1, 1, 1}, 0, std::uint64_t{0});
               }),
               {"8 bytes of parameters, it takes 12"});
}

TEST(PtxHostile, HugeLocalMemoryIsRefused) {
  TestDevice t(kernel(".local .align 8 .b8 big[1073741824];\n st.local.u32 [big], %r0;"));
  expect_words(error_of([&] { t.results(32, 1); }), {".local"});
}

TEST(PtxHostile, PrintWidthsAreBounded) {
  std::string big;
  TestDevice t(kernel(R"(
    mov.u64 %d6, format;
    {
      .param .b64 a; .param .b64 b; .param .b32 c;
      st.param.b64 [a], %d6;
      st.param.b64 [b], %d6;
      call.uni (c), vprintf, (a, b);
    }
  )",
                      "", R"(
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.global .align 4 .b8 format[9] = {37, 57, 57, 57, 57, 57, 57, 100, 0};
)"),
               {.threads = 1, .instruction_limit = {}, .print = [&](std::string_view s) { big += s; }});
  expect_words(error_of([&] { t.results(1, 1); }), {"width"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
