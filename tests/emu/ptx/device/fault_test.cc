// What stops a kernel, by kind; and reads that a GPU lets pass.
#include <gtest/gtest.h>

#include <optional>

#include "support.h"
#include "twofour/emu/ptx/kernel_error.h"

namespace twofour::emu::ptx::test {
namespace {

/// The kind of the error of one warp; nullopt: there is none.
std::optional<Fault> fault_of(const std::string& body, const std::string& before = "") {
  TestDevice t(kernel(body, "", before));
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(32));
  try {
    t.run({1, 1, 1}, {32, 1, 1}, 0, out);
  } catch (const KernelError& e) {
    return e.fault;
  }
  return {};
}

TEST(PtxFault, Kinds) {
  EXPECT_EQ(fault_of("st.global.u32 [%d1], %r0;"), std::nullopt);
  EXPECT_EQ(fault_of("st.global.u32 [%d1+4], %r0;"), Fault::address);
  EXPECT_EQ(fault_of("ld.shared.u32 %r1, [0];"), Fault::address);
  EXPECT_EQ(fault_of("st.global.u32 [%d1+2], %r0;"), Fault::alignment);
  EXPECT_EQ(fault_of("trap;"), Fault::other);
  EXPECT_EQ(fault_of("bar.sync 1, 64;"), Fault::other);
}

TEST(PtxFault, MatrixLoadOutsideSharedMemory) {
  const std::string load = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r1];";
  const std::string tile = ".shared .align 16 .b8 tile[128];\n";
  EXPECT_EQ(fault_of("mul.lo.u32 %r1, %r0, 16;\n and.b32 %r1, %r1, 127;\n mov.u32 %r3, tile;\n"
                     "add.u32 %r1, %r1, %r3;\n" +
                         load,
                     tile),
            std::nullopt);
  EXPECT_EQ(fault_of("mov.u32 %r1, tile;\n add.u32 %r1, %r1, 128;\n" + load, tile), Fault::address);
}

TEST(PtxFault, Assertion) {
  const char* const before = R"(
    .extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, .param .b64 d, .param .b64 e);
    .global .align 1 .b8 word[4] = {97, 98, 99, 0};
  )";
  EXPECT_EQ(fault_of(R"({
    .param .b64 a; .param .b64 b; .param .b32 c; .param .b64 d; .param .b64 e;
    mov.u64 %d2, word;
    st.param.b64 [a], %d2;
    st.param.b64 [b], %d2;
    st.param.b32 [c], 7;
    st.param.b64 [d], %d2;
    st.param.b64 [e], 1;
    call.uni __assertfail, (a, b, c, d, e);
  })",
                     before),
            Fault::assertion);
}

DeviceOptions stray() {
  DeviceOptions options;
  options.threads = 1;
  options.allow_stray = true;
  return options;
}

/// Every lane copies the word `offset` bytes behind its own of `in` to out.
std::string copy(int offset) {
  return kernel(
      "ld.param.u64 %d2, [in];\n mul.wide.u32 %d3, %r0, 4;\n add.u64 %d2, %d2, %d3;\n"
      "ld.global.u32 %r1, [%d2+" +
          std::to_string(offset) + "];\n st.global.u32 [%d1], %r1;",
      ", .param .u64 in");
}

// 32 words, 128 bytes that are in no allocation, and another allocation; the words are read from the 16th on.
TEST(PtxFault, StrayReadsGiveWhatLiesThere) {
  TestDevice t(copy(64), stray());
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(32, 5));
  ASSERT_EQ(t.upload(std::vector<std::uint32_t>(64, 6)), in + 256);
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(64));
  EXPECT_EQ(t.run({1, 1, 1}, {64, 1, 1}, 0, out, in).stray_reads, 2u);  // one of each warp
  const auto got = t.download<std::uint32_t>(out, 64);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(got[i], i < 16 ? 5u : i < 48 ? 0u : 6u) << i;
}

TEST(PtxFault, StrayReadsAreErrorsUnlessAllowed) {
  TestDevice t(copy(64));
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(32));
  expect_words(error_of([&] { t.results(32, 32, in); }), {"out of bounds", "lane 16"});
}

TEST(PtxFault, NothingIsMappedFarFromAllocations) {
  constexpr int far = 4 << 20;
  TestDevice t(copy(far), stray());
  const std::uint64_t in = t.upload(std::vector<std::uint32_t>(32));
  expect_words(error_of([&] { t.results(32, 32, in); }), {"out of bounds", "lane 0"});
  expect_words(error_of([&] { t.results(32, 32, std::uint64_t{0}); }), {"out of bounds"});
  // The address is the same, and now something is there.
  t.device().allocate(far + 4096);
  EXPECT_EQ(error_of([&] { t.results(32, 32, in); }), "");
}

TEST(PtxFault, SharedMemoryComesInUnits) {
  // 100 bytes: a GPU gives 128, of which the last 28 are nobody's.
  const auto end = [](int at) {
    return kernel("st.shared.u32 [at+" + std::to_string(at) + "], 9;\n ld.shared.u32 %r1, [at+" +
                      std::to_string(at) + "];\n st.global.u32 [%d1], %r1;",
                  "", ".shared .align 16 .b8 at[100];\n");
  };
  EXPECT_EQ(TestDevice(end(124), stray()).results(1, 1)[0], 9u);
  expect_words(error_of([&] { TestDevice(end(128), stray()).results(1, 1); }),
               {"out of bounds", "128 bytes"});
  expect_words(error_of([&] { TestDevice(end(100)).results(1, 1); }), {"out of bounds", "100 bytes"});
}

TEST(PtxFault, StrayWritesAreErrors) {
  TestDevice t(kernel("st.global.u32 [%d1+64], %r0;"), stray());
  expect_words(error_of([&] { t.results(32, 32); }), {"out of bounds", "lane 16"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
