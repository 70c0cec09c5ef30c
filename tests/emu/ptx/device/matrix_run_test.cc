// mma that follow one another share what their operands are taken apart to. Results must be those of the same
// mma one at a time, which an instruction between them makes of them.
#include <random>

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

constexpr int pool = 48, steps = 40;  // registers, and mma of a kernel

/// An instruction without its operands, and how many registers each takes.
struct Form {
  const char* name;
  int a, b, c;
  int selectors = 0;  ///< sparse
};
constexpr Form forms[] = {
    {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", 4, 2, 2},
    {"mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.s8.s32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k16.row.col.s32.u8.u8.s32", 2, 1, 4},
    {"mma.sync.aligned.m16n8k64.row.col.s32.s4.u4.s32", 4, 2, 4},
    {"mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc", 4, 2, 4},
    {"mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32", 1, 1, 2},
    {"mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32", 4, 4, 4, 2},
    {"mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.s8.u8.s32", 4, 4, 4, 1},
    {"mma.sp.sync.aligned.m16n8k64.row.col.s32.u4.s4.s32", 2, 2, 4, 2},
};

std::string registers(int first, int count) {
  std::string list;
  for (int n = 0; n < count; ++n) list += fmt::format("{}%r{}", n == 0 ? "" : ", ", first + n);
  return list;
}

/// Operands begin at multiples of 4 in the pool. A, B and metadata are in its first third as a rule, D
/// seldom.
std::string random_mma(const Form& f, std::mt19937& random) {
  const auto pick = [&](int from, int to) {
    return 4 * std::uniform_int_distribution<>(from / 4, to / 4 - 1)(random);
  };
  const int d = random() % 8 == 0 ? pick(0, pool) : pick(16, pool);
  const int c = random() % 2 == 0 ? d : pick(16, pool);
  const int b = pick(0, 16), a = pick(0, 16), meta = pick(0, 16);
  const std::string dense = fmt::format("{} {{{}}}, {{{}}}, {{{}}}, {{{}}}", f.name, registers(d, f.c),
                                        registers(a, f.a), registers(b, f.b), registers(c, f.c));
  if (f.selectors == 0) return dense + ";\n";
  return fmt::format("{}, %r{}, {};\n", dense, meta, random() % unsigned(f.selectors));
}

/// Every register of the pool starts as words of `in`, and is stored to `out` after `turns` times the code.
/// bits: of a register.
std::string pool_kernel(const std::string& code, int turns, int bits = 32) {
  std::string text = fmt::format(R"(.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in)
{{
  .reg .b{0} %r<48>;
  .reg .b32 %t<4>;
  .reg .b64 %d<4>;
  .reg .pred %p;
  ld.param.u64 %d0, [out];
  ld.param.u64 %d1, [in];
  mov.u32 %t0, %tid.x;
  mul.wide.u32 %d2, %t0, {1};
  add.u64 %d0, %d0, %d2;
  add.u64 %d1, %d1, %d2;
  mov.u32 %t1, 0;
)",
                                 bits, bits / 8);
  for (int n = 0; n < pool; ++n)
    text += fmt::format("  ld.global.b{0} %r{1}, [%d1+{2}];\n", bits, n, 8 * bits * n);
  text += "again:\n" + code;
  text += fmt::format("  add.u32 %t1, %t1, 1;\n  setp.lt.u32 %p, %t1, {};\n  @%p bra again;\n", turns);
  for (int n = 0; n < pool; ++n)
    text += fmt::format("  st.global.b{0} [%d0+{1}], %r{2};\n", bits, 8 * bits * n, n);
  return text + "  ret;\n}\n";
}

struct Outcome {
  std::vector<std::uint32_t> words;
  std::uint64_t instructions;
};
/// Of two warps.
Outcome run(const std::string& text, const std::vector<std::uint32_t>& in) {
  TestDevice t(text);
  const std::uint64_t out = t.upload(std::vector<std::uint32_t>(in.size()));
  const LaunchReport report = t.run({1, 1, 1}, {64, 1, 1}, 0, out, t.upload(in));
  return {t.download<std::uint32_t>(out, in.size()), report.warp_instructions};
}

void expect_same(const std::vector<std::string>& code, int turns, const std::vector<std::uint32_t>& in,
                 int bits = 32) {
  std::string together, apart;
  for (const std::string& mma : code) {
    together += mma;
    apart += mma + "  mov.u32 %t2, 0;\n";
  }
  const Outcome a = run(pool_kernel(together, turns, bits), in), b = run(pool_kernel(apart, turns, bits), in);
  EXPECT_EQ(a.words, b.words) << together;
  EXPECT_EQ(a.instructions + 2 * code.size() * std::size_t(turns), b.instructions);
}
void expect_same(const std::vector<std::string>& code, int turns, std::mt19937& random) {
  std::vector<std::uint32_t> in(64 * pool);
  for (std::uint32_t& word : in) word = std::uint32_t(random());
  expect_same(code, turns, in);
}

TEST(PtxMatrixRun, IsTheSameMmaOneAtATime) {
  std::mt19937 random(71);
  for (const Form& f : forms)
    for (int round = 0; round < 4; ++round) {
      std::vector<std::string> code;
      for (int n = 0; n < steps; ++n) code.push_back(random_mma(f, random));
      expect_same(code, 2, random);
    }
}

TEST(PtxMatrixRun, EndsWhereTheKindChanges) {
  std::mt19937 random(72);
  constexpr Form others[] = {{"mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32", 4, 2, 4},
                             {"mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32", 4, 2, 4},
                             {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 4, 2, 4}};
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> code;
    for (int n = 0; n < steps; ++n)
      code.push_back(random_mma(random() % 3 == 0 ? others[random() % std::size(others)] : forms[4], random));
    expect_same(code, 2, random);
  }
}

TEST(PtxMatrixRun, LeavesGuardedOnesOut) {
  std::mt19937 random(76);
  std::vector<std::string> code;
  for (int n = 0; n < steps; ++n)  // %p: whether the turn is not the last
    code.push_back((n == 0 || random() % 4 != 0 ? "" : "@%p ") + random_mma(forms[4], random));
  code.front() = "setp.eq.u32 %p, %t1, 0;\n" + code.front();
  expect_same(code, 2, random);
}

/// Numbers, and few that are none.
TEST(PtxMatrixRun, OfDoublesIsTheSameMmaOneAtATime) {
  std::mt19937 random(77);
  constexpr Form f = {"mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64", 1, 1, 2};
  for (const unsigned rarity : {1u << 31, 200u}) {
    std::vector<std::string> code;
    for (int n = 0; n < steps; ++n) code.push_back(random_mma(f, random));
    std::vector<std::uint32_t> in(2 * 64 * pool);
    for (std::size_t n = 0; n < in.size(); n += 2) {
      in[n] = std::uint32_t(random());
      in[n + 1] = random() % rarity == 0 ? 0x7ff80000 : 0x3f000000 | std::uint32_t(random() & 0x80ffffff);
    }
    expect_same(code, 1, in, 64);
  }
}

/// A warp's turn ends within a run.
TEST(PtxMatrixRun, IsNotLongerThanTheTurn) {
  std::mt19937 random(73);
  std::vector<std::string> code;
  for (int n = 0; n < 7; ++n) code.push_back(random_mma(forms[4], random));
  expect_same(code, 40000, random);
}

TEST(PtxMatrixRun, StopsAtTheLimit) {
  std::mt19937 random(74);
  std::string code;
  for (int n = 0; n < steps; ++n) code += random_mma(forms[4], random);
  TestDevice t(pool_kernel(code, 1000000), {.threads = 1, .instruction_limit = 5003, .print = {}});
  const std::uint64_t words = t.upload(std::vector<std::uint32_t>(64 * pool));
  expect_words(error_of([&] { t.run({1, 1, 1}, {64, 1, 1}, 0, words, words); }), {"5003"});
}

TEST(PtxMatrixRun, NeedsAllLanes) {
  std::mt19937 random(75);
  std::string code = "  setp.eq.u32 %p, %t0, 5;\n  @%p bra over;\n";
  for (int n = 0; n < 4; ++n) code += random_mma(forms[4], random);
  TestDevice t(pool_kernel(code + "over:\n", 1));
  const std::uint64_t words = t.upload(std::vector<std::uint32_t>(64 * pool));
  expect_words(error_of([&] {
                 t.run({1, 1, 1}, {32, 1, 1}, 0, words, words);
               }),
               {"a matrix instruction needs all 32 lanes", "lane 5"});
}

}  // namespace
}  // namespace twofour::emu::ptx::test
