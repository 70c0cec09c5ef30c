// Counts of small kernels, each counted by hand from its text.
#include "../ptx/device/support.h"
#include "twofour/emu/profile/launches.h"

namespace twofour::emu::profile {
namespace {

using ptx::Space;
using ptx::test::kernel;
using ptx::test::TestDevice;

ptx::DeviceOptions seen_by(ptx::Observer& observer, int threads = 1) {
  ptx::DeviceOptions options;
  options.threads = threads;
  options.observers = {&observer};
  return options;
}

/// What blocks of 32 threads execute; out: 4 KiB.
Statistics count(const std::string& text, std::uint32_t blocks = 1) {
  Launches launches;
  TestDevice device(text, seen_by(launches, 2));
  const auto report =
      device.run({blocks, 1, 1}, {32, 1, 1}, 0, device.upload(std::vector<std::uint32_t>(1024)));
  const Statistics s = launches.of("k");
  EXPECT_EQ(s.instructions(), report.warp_instructions);
  return s;
}

Traffic traffic(const Statistics& s, Space space) {
  return s.traffic[std::size_t(space)];
}

// The prologue of kernel() is a mov, an ld of 8 bytes, a mul and an add; its end a ret.
constexpr const char* mixed = R"(
  .shared .align 16 .b8 s[4096];
  mov.u32 %r7, %ctaid.x;
  mul.wide.u32 %d2, %r7, 128;
  add.u64 %d1, %d1, %d2;
  mov.u32 %r1, s;
  shl.b32 %r2, %r0, 7;
  add.u32 %r2, %r1, %r2;
  st.shared.u32 [%r2], %r0;
  ld.shared.u32 %r3, [%r1];
  ld.const.u32 %r4, [table];
  st.global.u32 [%d1], %r0;
  setp.lt.u32 %p0, %r0, 16;
  @%p0 ld.u32 %r5, [%d1];
  bar.sync 0;
  atom.global.add.u32 %r6, [%d0+2048], 1;
  setp.gt.u32 %p1, %r0, 99;
  @%p1 st.global.u32 [%d1], %r0;)";

TEST(Statistics, CountsInstructionsByKind) {
  const Statistics s = count(kernel(mixed, "", ".const .align 4 .u32 table[4] = {1, 2, 3, 4};"), 3);
  const std::map<std::string, std::uint64_t> expected{{"mov", 9},  {"ld", 12}, {"mul", 6},  {"add", 9},
                                                      {"shl", 3},  {"st", 9},  {"setp", 6}, {"bar", 3},
                                                      {"atom", 3}, {"ret", 3}};
  EXPECT_EQ(s.by_opcode, expected);
  const std::array<std::uint64_t, classes> by_class{0, 24, 33, 6};  // matrix, memory, arithmetic, control
  EXPECT_EQ(s.by_class, by_class);
}

TEST(Statistics, CountsBytesByStateSpace) {
  const Statistics s = count(kernel(mixed, "", ".const .align 4 .u32 table[4] = {1, 2, 3, 4};"));
  EXPECT_EQ(traffic(s, Space::param).loaded, 256u);
  EXPECT_EQ(traffic(s, Space::constant).loaded, 128u);
  EXPECT_EQ(traffic(s, Space::shared).loaded, 128u);
  EXPECT_EQ(traffic(s, Space::shared).stored, 128u);
  EXPECT_EQ(traffic(s, Space::global).loaded, 64u + 128u);   // half a warp, and the atomic
  EXPECT_EQ(traffic(s, Space::global).stored, 128u + 128u);  // not what the guard stopped
  EXPECT_EQ(s.global_sectors, 4u + 2u + 1u);
  EXPECT_EQ(s.shared_wavefronts, 32u + 1u);  // every lane in bank 0, and one word for all
}

TEST(Statistics, CountsLocalMemoryByGenericAddresses) {
  const Statistics s = count(kernel(R"(
  .local .align 8 .b8 l[64];
  mov.u64 %d2, l;
  cvta.local.u64 %d3, %d2;
  st.v2.u32 [%d3], {%r0, %r0};
  ld.local.u16 %h1, [l];)"));
  EXPECT_EQ(traffic(s, Space::local).stored, 256u);
  EXPECT_EQ(traffic(s, Space::local).loaded, 64u);
  EXPECT_EQ(traffic(s, Space::global).stored, 0u);
}

TEST(Statistics, CountsCopiesAndMatrixLoads) {
  const Statistics s = count(kernel(R"(
  .shared .align 128 .b8 s[4096];
  mov.u32 %r1, s;
  shl.b32 %r2, %r0, 4;
  add.u32 %r3, %r1, %r2;
  cvt.u64.u32 %d2, %r2;
  add.u64 %d2, %d0, %d2;
  cp.async.cg.shared.global [%r3], [%d2], 16;
  mov.u32 %r4, 0;
  cp.async.cg.shared.global [%r3], [%d2], 16, %r4;
  cp.async.wait_all;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r5, %r6, %r7, %r8}, [%r3];
  shl.b32 %r9, %r0, 7;
  and.b32 %r9, %r9, 1023;
  add.u32 %r9, %r1, %r9;
  ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r5}, [%r9];
  wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r10, %r11, %r12, %r13, %r14, %r15, %r16, %r17}, [%d0];)"));
  EXPECT_EQ(traffic(s, Space::global).loaded, 512u + 0u + 512u);  // copy, filled copy, a tile of 16 x 16
  EXPECT_EQ(s.global_sectors, 16u + 16u);
  EXPECT_EQ(traffic(s, Space::shared).stored, 2 * 512u);
  EXPECT_EQ(traffic(s, Space::shared).loaded, 512u + 128u);
  EXPECT_EQ(s.shared_wavefronts, 4u + 4u + 4u + 8u);  // rows 128 bytes apart lie in the same banks
  EXPECT_EQ(s.by_class[std::size_t(Class::matrix)], 0u);
  EXPECT_EQ(s.by_opcode.at("wmma"), 1u);
}

constexpr const char* dense =
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%r1, %r1, %r1, %r1}, {%r1, "
    "%r1}, "
    "{%f0, %f1, %f2, %f3};\n";
constexpr const char* sparse =
    "mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%r1, %r1, "
    "%r1, %r1}, {%r1, %r1, %r1, %r1}, {%f0, %f1, %f2, %f3}, %r2, 0;\n";

TEST(Statistics, GradesMatrixInstructions) {
  Launches launches;
  const std::string text = kernel("mov.u32 %r2, 0x44444444;\n" + std::string(dense) + dense + sparse, "", "");
  TestDevice device(text, seen_by(launches));
  for (int i = 0; i < 2; ++i)
    device.run({1, 1, 1}, {64, 1, 1}, 0, device.upload(std::vector<std::uint32_t>(1024)));
  const auto document = launches.json();
  ASSERT_EQ(document["launches"].size(), 2u);
  EXPECT_EQ(document["launches"][1]["instructions"], 2 * 9);
  EXPECT_EQ(document["launches"][1]["block"], nlohmann::ordered_json({64, 1, 1}));
  ASSERT_EQ(document["kernels"].size(), 1u);
  const auto& k = document["kernels"][0];
  EXPECT_EQ(k["launches"], 2);
  EXPECT_EQ(k["instructions"]["by_class"]["matrix"], 2 * 2 * 3);
  ASSERT_EQ(k["matrix"].size(), 2u);
  // Grades as docs/numerics.md has them: dense f16 was measured on hardware, sparse f16 was not.
  EXPECT_EQ(k["matrix"][0]["instruction"],
            "mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32");
  EXPECT_EQ(k["matrix"][0]["executed"], 4);
  EXPECT_EQ(k["matrix"][0]["fidelity"], "inferred");
  EXPECT_EQ(k["matrix"][1]["executed"], 8);
  EXPECT_EQ(k["matrix"][1]["fidelity"], "hardware");
}

TEST(Statistics, KeepsWhatAFailedLaunchDid) {
  Launches launches;
  TestDevice device(kernel("st.global.u32 [0], %r0;"), seen_by(launches));
  EXPECT_THROW(device.run({1, 1, 1}, {32, 1, 1}, 0, std::uint64_t{0}), Error);
  const auto document = launches.json();
  EXPECT_EQ(document["launches"][0]["failed"], true);
  EXPECT_EQ(launches.of("k").by_opcode.at("st"), 1u);
}

TEST(Strict, RefusesInferredArithmeticAtItsPlace) {
  for (const auto& [body, refused] : {std::pair{dense, false}, {sparse, true}}) {
    Strict strict;
    TestDevice device(kernel(body), seen_by(strict));
    std::string message;
    try {
      device.run({1, 1, 1}, {32, 1, 1}, 0, std::uint64_t{0});
    } catch (const Error& e) {
      message = e.what();
    }
    EXPECT_EQ(message.find("--strict") != std::string::npos, refused) << message;
    if (refused) {
      EXPECT_EQ(message.find("test.ptx:"), 0u) << message;
    }
  }
}

}  // namespace
}  // namespace twofour::emu::profile
