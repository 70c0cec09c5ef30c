// PTX that is damaged, or asks for more than there is: refused by one message, in bounded time and memory.
#include <sys/resource.h>

#include <functional>

#include "device/support.h"
#include "twofour/isa/file.h"

namespace twofour::emu::ptx::test {
namespace {

/// The message of a launch of `k` with a buffer of 4 KiB; empty if nothing was refused.
std::string refusal(const std::string& text, Dim3 block = {32, 1, 1}, Dim3 grid = {1, 1, 1}) {
  DeviceOptions options;
  options.memory_bytes = 1 << 20;
  options.threads = 2;
  options.instruction_limit = 1'000'000;
  try {
    TestDevice device(text, options);
    device.run(grid, block, 0, device.upload(std::vector<std::uint32_t>(1024)));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void expect(const std::string& message, const std::string& words) {
  EXPECT_NE(message.find(words), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(HostilePtx, EveryPrefixOfAFileIsRefusedOrRuns) {
  const std::string file = isa::read_file(TWOFOUR_SOURCE_DIR "/examples/kernels/histogram.ptx");
  std::size_t accepted = 0;
  for (std::size_t bytes = 0; bytes <= file.size(); ++bytes) {
    try {
      const Module m = parse(file.substr(0, bytes), "f");
      DeviceOptions options;
      options.memory_bytes = 1 << 20;
      options.threads = 1;
      options.instruction_limit = 100'000;
      Device device(isa::load_machine("a100-sxm4-40gb"), options);
      const auto loaded = device.load(m);
      for (const Function& f : m.functions) {
        if (!f.entry || f.external) continue;
        const std::vector<std::byte> parameters(std::size_t(f.parameters.size()) * 8);
        EXPECT_THROW(device.launch(*loaded, f.name, {{}, {}, 0, parameters}), Error);  // or null pointers
      }
      ++accepted;
    } catch (const Error& e) {
      ASSERT_EQ(std::string(e.what()).find("f:"), 0u) << e.what();
    }
  }
  EXPECT_GT(accepted, 0u);
}

TEST(HostilePtx, EndlessLoopsMeetTheLimit) {
  expect(refusal(kernel("L: bra L;")), "the limit is 1000000: an endless loop?");
  expect(refusal(kernel("L: setp.ne.u32 %p0, %r0, 99;\n@%p0 bra L;"), {1024, 1, 1}, {64, 1, 1}),
         "the limit is");
  expect(refusal(kernel("L: nanosleep.u32 100000;\nbra L;")), "the limit is");
}

TEST(HostilePtx, TheLimitNamesItsPlaceInACallee) {
  const std::string callee = ".func f()\n{\n ret;\n}\n";
  std::string body = "L:\n";
  for (int i = 0; i < 200; ++i) body += "call f, ();\n";
  expect(refusal(kernel(body + "bra L;", "", callee)), "the limit is");
}

TEST(HostilePtx, EndlessRecursionIsRefused) {
  expect(refusal(kernel("call f, ();", "", ".func f()\n{\n call f, ();\n ret;\n}\n")), "endless recursion?");
  const std::string table =
      ".func f();\n.func f()\n{\n .reg .b64 %a;\n mov.u64 %a, f;\n P: .callprototype ()_ ();\n call %a, (), "
      "P;\n "
      "ret;\n}\n";
  expect(refusal(kernel("call f, ();", "", table)), "endless recursion?");
}

TEST(HostilePtx, RecursionOfManyWarpsIsHeldInMemory) {
  // 2^16 registers of 128 bytes a warp; each warp waits at the bottom, so that all hold their frames.
  std::string deep = ".func f(.param .b32 n)\n{\n .reg .pred %p; .reg .b32 %q; .reg .b32 %r<65536>;\n";
  for (int i = 0; i < 4096; ++i) deep += fmt::format("mov.u32 %r{}, 1;\n", i);
  deep +=
      "ld.param.u32 %q, [n];\nsetp.eq.u32 %p, %q, 0;\n@%p bar.sync 0;\n@%p ret;\nsub.u32 %q, %q, 1;\n{ "
      ".param "
      ".b32 m; st.param.b32 [m], %q; call f, (m); }\nret;\n}\n";
  const std::string body = "{ .param .b32 a; mov.u32 %r1, 400; st.param.b32 [a], %r1; call f, (a); }";
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  DeviceOptions options;
  options.memory_bytes = 1 << 20;
  options.threads = 1;
  std::string message;
  try {
    TestDevice device(kernel(body, "", deep), options);
    device.run({1, 1, 1}, {1024, 1, 1}, 0, std::uint64_t{0});
  } catch (const Error& e) {
    message = e.what();
  }
  getrusage(RUSAGE_SELF, &after);
  expect(message, "registers and local memory of the block take more than 1073741824 bytes");
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 1400 * 1024);  // KiB
}

/// CPU seconds of this process.
double seconds() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  return double(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         1e-6 * double(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

// What takes minutes if something is looked for in a list once for each member of the list.
TEST(HostilePtx, ManyFunctionsAreFoundAtOnce) {
  std::string functions = ".func f0()\n{\n ret;\n}\n";
  for (int i = 1; i < 60000; ++i)
    functions += fmt::format(".func f{}()\n{{\n call f{}, ();\n ret;\n}}\n", i, i - 1);
  const double start = seconds();
  expect(refusal(kernel("call f59999, ();", "", functions)), "endless recursion?");
  EXPECT_LT(seconds() - start, 20);
}

TEST(HostilePtx, ManyParametersInRegistersAreFoundAtOnce) {
  std::string parameters, moves, arguments;
  for (int i = 0; i < 100000; ++i) {
    parameters += fmt::format("{}.reg .b32 p{}", i == 0 ? "" : ",", i);
    moves += fmt::format("mov.u32 p{}, 1;\n", i);
    arguments += i == 0 ? "7" : ",7";
  }
  const double start = seconds();
  EXPECT_EQ(refusal(kernel("call f, (" + arguments + ");", "",
                           ".func f(" + parameters + ")\n{\n" + moves + "ret;\n}\n")),
            "");
  EXPECT_LT(seconds() - start, 20);
}

TEST(HostilePtx, DeepFlowIsLaidOutAtOnce) {
  constexpr int n = 60000;
  std::string body = "bra E;\n";
  for (int i = 0; i < n; ++i) body += "@%p0 bra C0;\nbra E;\n";
  for (int i = 0; i < n; ++i) body += fmt::format("C{}: @%p0 bra C{};\n", i, i);
  const double start = seconds();
  EXPECT_EQ(refusal(kernel(body + "E:")), "");
  EXPECT_LT(seconds() - start, 20);
}

TEST(HostilePtx, ManyUnknownMatrixInstructions) {
  std::string body = "bra E;\n";
  for (int i = 0; i < 100000; ++i)
    body += "mma.sync.aligned.m16n8k17.row.col.f32.f16.f16.f32 {}, {}, {}, {};\n";
  const double start = seconds();
  EXPECT_EQ(refusal(kernel(body + "E:")), "");
  EXPECT_LT(seconds() - start, 20);
}

TEST(HostilePtx, TablesOfBranchesAreBounded) {
  std::string table = "bra E;\nT: .branchtargets E", body;
  for (int i = 1; i < 1024; ++i) table += ",E";
  for (int i = 0; i < 1024; ++i) body += "brx.idx %r0, T;\n";
  EXPECT_EQ(refusal(kernel(table + ";\n" + body + "E:")), "");
  expect(refusal(kernel(table + ";\n" + body + "brx.idx %r0, T;\nE:")), "more than 1048576 targets");
}

TEST(HostilePtx, LongStatementsAreCutInMessages) {
  std::string body = "mov.u32 %r1";
  for (int i = 0; i < 100000; ++i) body += ", %r2";
  const std::string message = refusal(kernel(body + ";"));
  expect(message, "100001 operands, it takes 2 to 2: mov.u32 %r1, %r2");
  EXPECT_LT(message.size(), 2000u);
}

TEST(HostilePtx, AMillionRegisters) {
  EXPECT_EQ(refusal(kernel(".reg .b32 %many<1000000>;")), "");  // only those that are named cost anything
  expect(refusal(kernel(".reg .b32 %many<2000000>;")), "registers");
  std::string body = ".reg .b64 %many<1000000>;\n";
  for (int i = 0; i < 150000; i += 3)
    body += fmt::format("add.u64 %many{}, %many{}, %many{};\n", i, i + 1, i + 2);
  expect(refusal(kernel(body), {1024, 1, 1}), "registers and local memory of the block");
}

TEST(HostilePtx, MisalignedVectors) {
  expect(refusal(kernel("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%d0+4];")), "misaligned");
  expect(refusal(kernel(".shared .b8 s[64];\nld.shared.v2.u64 {%d2, %d3}, [s+8];")), "misaligned");
  expect(refusal(kernel(".local .b8 l[64];\nst.local.v2.u32 [l+4], {%r1, %r2};")), "misaligned");
}

TEST(HostilePtx, SizesOfTheLaunch) {
  const std::string text = kernel("");
  expect(refusal(text, {2000, 1, 1}), "the limits are 1024 x 1024 x 64 and 1024 in all");
  expect(refusal(text, {32, 33, 1}), "the limits are");
  expect(refusal(text, {1, 1, 65}), "the limits are");
  expect(refusal(text, {0, 1, 1}), "a block of 0 x 1 x 1");
  expect(refusal(text, {1, 1, 1}, {1, 0, 1}), "a grid of 1 x 0 x 1");
  expect(refusal(text, {1, 1, 1}, {0x80000000u, 1, 1}), "a grid of 2147483648 x 1 x 1");
  expect(refusal(text, {1, 1, 1}, {1, 65536, 1}), "the limits are");
  // The largest grid there is: its blocks meet the limit on instructions.
  expect(refusal(text, {1, 1, 1}, {0x7fffffffu, 65535, 65535}), "the limit is 1000000");
}

TEST(HostilePtx, SizesOfVariables) {
  for (const char* size : {"49153", "17000000", "1099511627776"})
    expect(refusal(kernel(fmt::format(".shared .b8 s[{}];\nst.shared.u8 [s], %r0;", size))),
           "bytes of static shared memory");
  for (const char* size : {"600000", "1099511627776"})
    expect(refusal(kernel(fmt::format(".local .b8 l[{}];\nst.local.u8 [l], %r0;", size))), "test.ptx");
  expect(refusal(".version 8.0\n.target sm_80\n.address_size 64\n.entry k(.param .u64 o)\n{\n.local .b8 "
                 "l[600000];\n}\n"),
         "");  // no instruction to name
  for (const char* size : {"2000000", "1000000000000", "9223372036854775807"})
    EXPECT_NE(refusal(kernel("", "", fmt::format(".global .b8 g[{}];", size))), "");
  EXPECT_NE(refusal(kernel("", ", .param .b8 p[70000]")), "");
}

TEST(HostilePtx, ArithmeticThatIsNoneNamesItsPlace) {
  expect(refusal(kernel("testp.nan.f32 %p0, %f1;")), "test.ptx:13:1: ");
  expect(refusal(kernel("frobnicate.u32 %r1, %r2;")), "test.ptx:13: frobnicate");
}

TEST(HostilePtx, Deadlocks) {
  expect(refusal(kernel("setp.lt.u32 %p0, %r0, 32;\n@%p0 bar.sync 1, 64;"), {64, 1, 1}), "deadlock");
  expect(refusal(kernel("bar.sync 0, 96;"), {64, 1, 1}), "deadlock");
}

}  // namespace
}  // namespace twofour::emu::ptx::test
