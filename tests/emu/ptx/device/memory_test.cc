// State spaces, widths, vectors, addresses that are wrong.
#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxMemory, WidthsAndSigns) {
  TestDevice t(kernel(R"(
    ld.param.u64 %d2, [in];
    cvt.u64.u32 %d3, %r0;
    add.u64 %d2, %d2, %d3;
    ld.global.u8 %r1, [%d2];
    ld.global.s8 %r2, [%d2];
    add.u64 %d2, %d2, %d3;
    ld.global.u16 %r3, [%d2];
    ld.global.s16 %r4, [%d2];
    ld.global.s8 %h1, [%d2];
    cvt.u32.u16 %r5, %h1;
    ld.global.s8 %d4, [%d2];
    shr.u64 %d4, %d4, 32;
    cvt.u32.u64 %r6, %d4;
    st.global.u32 [%d1], %r1;
    st.global.u32 [%d1+128], %r2;
    st.global.u32 [%d1+256], %r3;
    st.global.u32 [%d1+384], %r4;
    st.global.u32 [%d1+512], %r5;
    st.global.u32 [%d1+640], %r6;
  )",
                      ", .param .u64 in"));
  std::vector<std::uint8_t> in(64);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::uint8_t(37 * i + 11);
  const auto out = t.results(32, 192, t.upload(in));
  for (std::size_t l = 0; l < 32; ++l) {
    const auto half = std::uint16_t(in[2 * l] | in[2 * l + 1] << 8);
    EXPECT_EQ(out[l], in[l]);
    EXPECT_EQ(out[32 + l], std::uint32_t(std::int32_t(std::int8_t(in[l]))));
    EXPECT_EQ(out[64 + l], half);
    EXPECT_EQ(out[96 + l], std::uint32_t(std::int32_t(std::int16_t(half))));
    EXPECT_EQ(out[128 + l], std::uint16_t(std::int16_t(std::int8_t(in[2 * l]))));
    EXPECT_EQ(out[160 + l], in[2 * l] >= 128 ? 0xffffffffu : 0u);
  }
}

TEST(PtxMemory, VectorsThroughSharedMemoryAndGenericAddresses) {
  // Each thread writes v4 to shared memory, and reads its left neighbour's by a generic address, two by two.
  TestDevice t(kernel(R"(
    .shared .align 16 .b8 buffer[1024];
    mov.u64 %d2, buffer;
    cvta.shared.u64 %d3, %d2;
    shl.b32 %r1, %r0, 4;
    mov.u32 %r2, buffer;
    add.u32 %r2, %r2, %r1;
    add.u32 %r3, %r0, 100;
    add.u32 %r4, %r0, 200;
    add.u32 %r5, %r0, 300;
    st.shared.v4.u32 [%r2], {%r0, %r3, %r4, %r5};
    bar.sync 0;
    add.u32 %r6, %r0, 63;
    and.b32 %r6, %r6, 63;
    mul.wide.u32 %d4, %r6, 16;
    add.u64 %d4, %d3, %d4;
    isspacep.shared %p0, %d4;
    isspacep.global %p1, %d4;
    @!%p0 trap;
    @%p1 trap;
    ld.v2.b32 {%r7, %r8}, [%d4];
    ld.v2.b32 {%r9, _}, [%d4+8];
    add.u32 %r7, %r7, %r8;
    add.u32 %r7, %r7, %r9;
    cvta.to.global.u64 %d5, %d1;
    st.u32 [%d5], %r7;
  )"));
  const auto out = t.results(64, 64);
  for (std::uint32_t l = 0; l < 64; ++l) {
    const std::uint32_t left = (l + 63) % 64;
    EXPECT_EQ(out[l], 3 * left + 300) << l;
  }
}

TEST(PtxMemory, LocalArraysAreEachLanesOwn) {
  TestDevice t(kernel(R"(
    .local .align 8 .b8 array[64];
    mov.u64 %d2, array;
    cvta.local.u64 %d3, %d2;
    and.b32 %r1, %r0, 15;
    mul.wide.u32 %d4, %r1, 4;
    add.u64 %d5, %d2, %d4;
    st.local.u32 [%d5], %r0;
    st.local.u32 [array+60], %r0;
    add.u64 %d6, %d3, %d4;
    ld.u32 %r2, [%d6];
    ld.local.u32 %r3, [array+60];
    add.u32 %r2, %r2, %r3;
    st.global.u32 [%d1], %r2;
  )"));
  const auto out = t.results(96, 96);
  for (std::uint32_t l = 0; l < 96; ++l) EXPECT_EQ(out[l], 2 * l);
}

TEST(PtxMemory, VariablesOfTheModule) {
  TestDevice t(kernel(R"(
    and.b32 %r1, %r0, 3;
    mul.wide.u32 %d2, %r1, 4;
    mov.u64 %d3, weights;
    add.u64 %d3, %d3, %d2;
    ld.const.u32 %r2, [%d3];
    ld.const.u32 %r3, [weights+4];
    ld.global.u64 %d4, [pointer];
    ld.global.u32 %r4, [%d4];
    add.u32 %r2, %r2, %r3;
    add.u32 %r2, %r2, %r4;
    st.global.u32 [%d1], %r2;
    st.global.u32 [state], %r0;
  )",
                      "", R"(
.const .align 4 .u32 weights[4] = {5, 60, 700, 8000};
.global .align 4 .u32 state = 40000;
.global .align 8 .u64 pointer = state;
)"));
  const auto symbol = t.device().symbol(t.module(), "weights");
  EXPECT_EQ(symbol.bytes, 16u);
  const auto out = t.results(4, 4);
  const std::uint32_t weights[] = {5, 60, 700, 8000};
  for (std::uint32_t l = 0; l < 4; ++l) EXPECT_EQ(out[l], weights[l] + 60 + 40000);
  EXPECT_LT(t.download<std::uint32_t>(t.device().symbol(t.module(), "state").address, 1)[0], 4u);
  expect_words(error_of([&] { t.device().symbol(t.module(), "nobody"); }), {"nobody"});
}

TEST(PtxMemory, ParametersAreReadAtAnyOffset) {
  TestDevice t(kernel(R"(
    ld.param.u8 %r1, [block+3];
    ld.param.v2.u32 {%r2, %r3}, [block+8];
    mov.b64 %d2, block;
    and.b32 %r4, %r0, 3;
    mul.wide.u32 %d3, %r4, 4;
    add.u64 %d2, %d2, %d3;
    ld.param.u32 %r5, [%d2];
    st.global.u32 [%d1], %r1;
    st.global.u32 [%d1+16], %r2;
    st.global.u32 [%d1+32], %r3;
    st.global.u32 [%d1+48], %r5;
  )",
                      ", .param .align 8 .b8 block[16]"));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(16));
  t.run({1, 1, 1}, {4, 1, 1}, 0, out, std::uint64_t{0xaabbccdd'11223344}, std::uint64_t{0x55667788'99aabbcc});
  const auto r = t.download<std::uint32_t>(out, 16);
  const std::uint32_t words[] = {0x11223344, 0xaabbccdd, 0x99aabbcc, 0x55667788};
  for (std::size_t l = 0; l < 4; ++l) {
    EXPECT_EQ(r[l], 0x11u);
    EXPECT_EQ(r[4 + l], words[2]);
    EXPECT_EQ(r[8 + l], words[3]);
    EXPECT_EQ(r[12 + l], words[l]);
  }
}

TEST(PtxMemory, DynamicSharedMemoryComesAfterTheStatic) {
  TestDevice t(kernel(R"(
    .shared .align 4 .b8 fixed[4];
    mov.u32 %r1, fixed;
    mov.u32 %r2, dynamic;
    sub.u32 %r3, %r2, %r1;
    mov.u32 %r4, %dynamic_smem_size;
    mov.u32 %r5, 7;
    st.shared.u32 [dynamic+60], %r5;
    ld.shared.u32 %r6, [%r2+60];
    st.global.u32 [%d0], %r3;
    st.global.u32 [%d0+4], %r4;
    st.global.u32 [%d0+8], %r6;
    ld.shared.u32 %r7, [%r2+64];
  )",
                      "", ".extern .shared .align 16 .b8 dynamic[];"));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(4));
  const std::string message = error_of([&] { t.run({1, 1, 1}, {1, 1, 1}, 64, out); });
  expect_words(message, {"ld.shared.u32 %r7, [%r2+64]", "kernel k", "block (0, 0, 0)", "warp 0", "lane 0",
                         "shared memory access out of bounds"});
  const auto r = t.download<std::uint32_t>(out, 3);
  EXPECT_EQ(r[0], 16u);
  EXPECT_EQ(r[1], 64u);
  EXPECT_EQ(r[2], 7u);
}

std::string touch(const std::string& access) {
  return kernel("ld.param.u64 %d2, [in];\n mul.wide.u32 %d3, %r0, 4;\n add.u64 %d2, %d2, %d3;\n" + access,
                ", .param .u64 in");
}

TEST(PtxMemory, OutOfBoundsNamesLaneAndAllocation) {
  TestDevice t(touch("ld.global.u32 %r1, [%d2];"));
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(40));
  expect_words(error_of([&] { t.results(64, 64, in); }),
               {"test.ptx:", "ld.global.u32 %r1, [%d2]", "warp 1", "lane 8", "out of bounds",
                "0 bytes past the end", "160 bytes"});
}

TEST(PtxMemory, MisalignedNamesTheAddress) {
  TestDevice t(touch("ld.global.v2.u32 {%r1, %r2}, [%d2];"));
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(70));
  expect_words(error_of([&] { t.results(32, 32, in); }),
               {"lane 1", "misaligned", fmt::format("{:#x}", in + 4), "multiple of 8"});
}

/// Memory of the host that begins 4 bytes past a multiple of 8: places in it tell nothing of alignment. The
/// first load is aligned, the second one of the same instruction is not.
TEST(PtxMemory, MisalignedInMemoryThatBeginsAnywhere) {
  TestDevice t(kernel(R"(
    ld.param.u64 %d2, [in];
    mul.wide.u32 %d3, %r0, 8;
    add.u64 %d2, %d2, %d3;
    mov.u32 %r3, 0;
again:
    ld.global.v2.u32 {%r1, %r2}, [%d2];
    sub.u64 %d2, %d2, 4;
    add.u32 %r3, %r3, 1;
    setp.lt.u32 %p0, %r3, 2;
    @%p0 bra again;
  )",
                      ", .param .u64 in"));
  alignas(16) static std::uint32_t host[100] = {};
  const auto begin = reinterpret_cast<std::uint64_t>(host + 1);
  if (!t.device().adopt(begin, sizeof host - 4)) GTEST_SKIP() << "device addresses are not the host's";
  expect_words(error_of([&] { t.results(32, 32, begin + 4); }),
               {"lane 0", "misaligned", fmt::format("{:#x}", begin), "multiple of 8"});
}

TEST(PtxMemory, UseAfterFreeAndNull) {
  TestDevice t(touch("st.global.u32 [%d2], %r0;"));
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(64));
  t.device().free(in);
  const auto error = [&](std::uint64_t address) {
    return error_of([&] { t.run({1, 1, 1}, {32, 1, 1}, 0, std::uint64_t{0}, address); });
  };
  expect_words(error(in), {"lane 0", "was freed"});
  expect_words(error(0), {"lane 0", "address 0x0", "in no allocation"});
  expect_words(error_of([&] { t.device().free(in); }), {"free of address"});
}

TEST(PtxMemory, AllocationsAreAlignedFreshAndReused) {
  Device d(isa::load_machine("a100-sxm4-40gb"));
  const std::uint64_t before = d.free_bytes(), a = d.allocate(100), b = d.allocate(1);
  EXPECT_EQ(a % 256, 0u);
  EXPECT_EQ(b % 256, 0u);
  EXPECT_GT(a, std::uint64_t{1} << 32);
  EXPECT_EQ(d.free_bytes(), before - 512);
  d.bytes(a, 100)[99] = std::byte{1};
  EXPECT_NE(error_of([&] { d.bytes(a, 101); }), "");
  d.free(a);
  EXPECT_EQ(d.allocate(256), a);
  EXPECT_EQ(d.bytes(a, 256)[99], std::byte{0});
  d.free(a);
  d.free(b);
  EXPECT_EQ(d.free_bytes(), before);
  expect_words(error_of([&] { d.allocate(std::uint64_t{1} << 60); }), {"out of device memory"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
