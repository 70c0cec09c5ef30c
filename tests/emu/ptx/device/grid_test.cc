// Blocks that wait for each other, cooperative grids, memory and launches that kernels ask for.
#include <algorithm>

#include "support.h"
#include "twofour/emu/ptx/heap.h"

namespace twofour::emu::ptx::test {
namespace {

/// Block 0 waits for a number that the last block writes.
const std::string waiting = kernel(R"(
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %nctaid.x;
  sub.u32 %r2, %r2, 1;
  setp.eq.u32 %p0, %r1, %r2;
  @%p0 st.global.u32 [%d0], 7;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
WAIT:
  ld.volatile.global.u32 %r3, [%d0];
  setp.eq.u32 %p2, %r3, 0;
  @%p2 bra WAIT;
  st.global.u32 [%d0+4], %r3;
DONE:
)");

TEST(PtxGrid, ABlockMayWaitForALaterOne) {
  TestDevice t(waiting);
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(2));
  t.run({9, 1, 1}, {1, 1, 1}, 0, out);
  EXPECT_EQ(t.download<std::uint32_t>(out, 2)[1], 7u);
}

TEST(PtxGrid, ABlockThatPollsGivesWay) {
  // Each block waits until the next one cleared its word, by compare-and-swap or by a load of one lane.
  const std::pair<const char*, const char*> polls[] = {
      {"atom.global.cas.b32 %r3, [%d2+4], 0, 0;", "%r3"},
      {"atom.global.or.b32 %r3, [%d2+4], 0;", "%r3"},
      {"ld.relaxed.gpu.global.v2.u32 {%r3, %r4}, [%d2+4];", "%r3"},
      {"ld.volatile.global.u32 %r3, [%d2+4];", "%r3"}};
  for (const auto& [read, value] : polls) {
    TestDevice t(kernel(fmt::format(R"(
      mov.u32 %r1, %ctaid.x;
      mul.wide.u32 %d2, %r1, 8;
      add.u64 %d2, %d0, %d2;
      add.u64 %d2, %d2, 4;
    WAIT:
      {}
      setp.ne.u32 %p2, {}, 0;
      @%p2 bra WAIT;
      st.global.u32 [%d2-4], 0;
    )",
                                    read, value)));
    std::vector<std::uint32_t> words(2 * 33, 1);
    words[64] = 0;  // after the last block's
    const std::uint64_t out = t.upload(words);
    std::vector<std::byte> parameters(8);
    std::memcpy(parameters.data(), &out, 8);
    const auto report = t.device().launch(t.module(), "k",
                                          {.grid = {32, 1, 1}, .block = {1, 1, 1}, .parameters = parameters});
    EXPECT_EQ(t.download<std::uint32_t>(out, 1)[0], 0u);
    // Turns of 2^20 instructions of each block would be 32 million.
    EXPECT_LT(report.warp_instructions, 1000000u) << read;
  }
}

TEST(PtxGrid, EveryBlockOfACooperativeGridIsResident) {
  // Each adds 1, waits until all did, and notes what it saw; three rounds.
  TestDevice t(kernel(R"(
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %nctaid.x;
    mul.wide.u32 %d2, %r1, 4;
    add.u64 %d2, %d0, %d2;
    mov.u32 %r3, 0;
  ROUND:
    add.u32 %r3, %r3, %r2;
    atom.global.add.u32 %r4, [%d0], 1;
  WAIT:
    ld.acquire.gpu.global.u32 %r5, [%d0];
    setp.lt.u32 %p0, %r5, %r3;
    @%p0 bra WAIT;
    mul.lo.u32 %r6, %r2, 3;
    setp.lt.u32 %p1, %r3, %r6;
    @%p1 bra ROUND;
    st.global.u32 [%d2+4], %r5;
    mov.u32 %r7, %envreg1;
    mov.u32 %r8, %envreg2;
    mov.b64 %d3, {%r8, %r7};
    ld.u32 %r9, [%d3+4];
    setp.eq.u32 %p2, %r9, 0;
    setp.ne.u32 %p3, %r1, 0;
    @%p3 bra DONE;
    @%p2 st.global.u32 [%d0], 99;
  DONE:
  )"));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(65));
  std::vector<std::byte> parameters(8);
  std::memcpy(parameters.data(), &out, 8);
  const std::uint64_t before = t.device().free_bytes();
  const auto report = t.device().launch(
      t.module(), "k",
      {.grid = {64, 1, 1}, .block = {1, 1, 1}, .parameters = parameters, .cooperative = true});
  EXPECT_EQ(t.device().free_bytes(), before);
  const auto r = t.download<std::uint32_t>(out, 65);
  EXPECT_EQ(r[0], 99u);  // the grid's workspace is there, its counter 0
  for (int b = 1; b <= 64; ++b) EXPECT_EQ(r[std::size_t(b)], 192u);
  // A block that waits gives way: a turn of 4096 instructions for each round of each block would be 700,000.
  EXPECT_LT(report.warp_instructions, 100000u);
}

TEST(PtxGrid, WithoutACooperativeLaunchThereIsNoWorkspace) {
  TestDevice t(
      kernel("mov.u32 %r1, %envreg1; mov.u32 %r2, %envreg2; or.b32 %r1, %r1, %r2; "
             "st.global.u32 [%d1], %r1;"));
  EXPECT_EQ(t.results(1, 1)[0], 0u);
}

TEST(PtxGrid, WhatIsNotImplementedFailsOnlyWhereItRuns) {
  TestDevice t(kernel(R"(
    setp.gt.u32 %p0, %r0, 40;
    @%p0 bra RARE;
    st.global.u32 [%d1], 1;
    bra DONE;
  RARE:
    frobnicate.b32 %r1, %r0;
  DONE:
  )"));
  EXPECT_EQ(t.results(32, 32)[31], 1u);
  EXPECT_NE(error_of([&] { t.results(42, 42); }).find("lane 9: not implemented"), std::string::npos);
}

TEST(PtxStack, AllocaTakesMemoryOfTheFrame) {
  // Lane l asks for 4 (l + 1) bytes; a function with a variable of its own runs in between.
  TestDevice t(kernel(R"(
    add.u32 %r1, %r0, 1;
    mul.wide.u32 %d2, %r1, 4;
    alloca.u64 %d3, %d2, 16;
    st.local.u32 [%d3], 11;
    add.u64 %d4, %d3, %d2;
    st.local.u32 [%d4-4], %r0;
    { .param .b32 a; .param .b32 b;
      st.param.b32 [a], %r0;
      call.uni (b), keep, (a);
      ld.param.b32 %r2, [b]; }
    alloca.u64 %d5, 8, 8;
    st.local.u32 [%d5], 77;
    ld.local.u32 %r3, [%d4-4];
    add.u32 %r2, %r2, %r3;
    st.global.u32 [%d1], %r2;
  )",
                      "", R"(
    .func (.param .b32 b) keep (.param .b32 a)
    {
      .local .align 4 .b8 mine[64];
      .reg .b32 %r<4>;
      ld.param.b32 %r0, [a];
      st.local.u32 [mine], 5;
      st.local.u32 [mine+60], 6;
      ld.local.u32 %r1, [mine];
      st.param.b32 [b], %r1;
      ret;
    }
  )"));
  const auto r = t.results(32, 32);
  for (std::uint32_t l = 0; l < 32; ++l) EXPECT_EQ(r[l], l + 5);
  TestDevice much(kernel("mov.u64 %d2, -8; alloca.u64 %d3, %d2, 8;"));
  EXPECT_NE(error_of([&] { much.results(1, 1); }).find("local memory a thread"), std::string::npos);
}

const std::string heap_calls = R"(
.extern .func (.param .b64 r) malloc (.param .b64 n);
.extern .func free (.param .b64 p);
)";

TEST(PtxHeap, KernelsAllocateAndFree) {
  // Every thread takes 100 bytes; the lowest half gives them back.
  TestDevice t(kernel(R"(
    { .param .b64 n; .param .b64 r;
      st.param.b64 [n], 100;
      call.uni (r), malloc, (n);
      ld.param.b64 %d2, [r]; }
    st.u32 [%d2+96], %r0;
    mul.wide.u32 %d3, %r0, 8;
    add.u64 %d3, %d0, %d3;
    st.global.u64 [%d3], %d2;
    setp.lt.u32 %p0, %r0, 32;
    @!%p0 bra DONE;
    { .param .b64 p;
      st.param.b64 [p], %d2;
      call.uni free, (p); }
  DONE:
  )",
                      "", heap_calls));
  const std::uint64_t out = t.upload(std::vector<std::uint64_t>(64));
  t.run({1, 1, 1}, {64, 1, 1}, 0, out);
  auto pointers = t.download<std::uint64_t>(out, 64);
  for (std::size_t i = 32; i < 64; ++i) EXPECT_EQ(t.download<std::uint32_t>(pointers[i] + 96, 1)[0], i);
  std::vector<std::uint64_t> kept(pointers.begin() + 32, pointers.end());
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 1; i < 32; ++i) EXPECT_GE(kept[i] - kept[i - 1], 100u);
  EXPECT_FALSE(t.device().set_heap_bytes(1 << 20));
}

TEST(PtxHeap, FreeOfWhatMallocDidNotGive) {
  TestDevice t(kernel("{ .param .b64 p; st.param.b64 [p], %d0; call.uni free, (p); }", "", heap_calls));
  EXPECT_NE(error_of([&] { t.results(1, 1); }).find("which malloc did not give"), std::string::npos);
}

TEST(PtxHeap, PiecesJoinAgain) {
  DeviceHeap heap(std::make_shared<GlobalMemory>(1 << 20), 4096);
  heap.prepare();
  const std::uint64_t a = heap.allocate(1000), b = heap.allocate(1), c = heap.allocate(3000);
  EXPECT_EQ(b - a, 1008u);
  EXPECT_EQ(c - b, 16u);
  EXPECT_EQ(heap.allocate(100), 0u);
  EXPECT_EQ(heap.allocate(~std::uint64_t{0}), 0u);
  EXPECT_TRUE(heap.free(b));
  EXPECT_FALSE(heap.free(b));
  EXPECT_TRUE(heap.free(a));
  EXPECT_TRUE(heap.free(c));
  EXPECT_EQ(heap.allocate(4096), a);
}

/// A kernel that adds 1 and launches two of itself with `depth` one less.
const std::string tree = R"(.version 8.0
.target sm_80
.address_size 64
.extern .func (.param .b64 r) __cudaCDP2GetParameterBufferV2
  (.param .b64 f, .param .align 4 .b8 g[12], .param .align 4 .b8 b[12], .param .b32 s);
.extern .func (.param .b32 r) __cudaCDP2LaunchDeviceV2 (.param .b64 buffer, .param .b64 stream);
.visible .entry k(.param .u32 depth, .param .u64 out)
{
  .reg .b32 %r<8>; .reg .b64 %d<8>; .reg .pred %p<4>;
  ld.param.u32 %r0, [depth];
  ld.param.u64 %d0, [out];
  atom.global.add.u32 %r1, [%d0], 1;
  setp.eq.u32 %p0, %r0, 0;
  @%p0 ret;
  mov.u64 %d1, k;
  { .param .b64 f; .param .align 4 .b8 g[12]; .param .align 4 .b8 b[12]; .param .b32 s; .param .b64 r;
    st.param.b64 [f], %d1;
    st.param.b32 [g], 2; st.param.b32 [g+4], 1; st.param.b32 [g+8], 1;
    st.param.b32 [b], 1; st.param.b32 [b+4], 1; st.param.b32 [b+8], 1;
    st.param.b32 [s], 0;
    call.uni (r), __cudaCDP2GetParameterBufferV2, (f, g, b, s);
    ld.param.b64 %d2, [r]; }
  sub.u32 %r2, %r0, 1;
  st.u32 [%d2], %r2;
  st.u64 [%d2+8], %d0;
  { .param .b64 buffer; .param .b64 stream; .param .b32 r;
    st.param.b64 [buffer], %d2; st.param.b64 [stream], 0;
    call.uni (r), __cudaCDP2LaunchDeviceV2, (buffer, stream);
    ld.param.b32 %r3, [r]; }
  ret;
}
)";

TEST(PtxNested, KernelsLaunchKernels) {
  TestDevice t(tree);
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(1));
  t.run({1, 1, 1}, {1, 1, 1}, 0, std::uint32_t{4}, out);
  EXPECT_EQ(t.download<std::uint32_t>(out, 1)[0], 1u + 2 + 4 + 8 + 16);
}

TEST(PtxNested, LaunchesWithoutAnEndMeetTheLimit) {
  TestDevice t(tree, {.threads = 1, .instruction_limit = 200000, .print = {}});
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(1));
  const auto message = error_of([&] { t.run({1, 1, 1}, {1, 1, 1}, 0, ~std::uint32_t{0}, out); });
  EXPECT_NE(message.find("the limit is 200000"), std::string::npos) << message;
}

}  // namespace
}  // namespace twofour::emu::ptx::test
