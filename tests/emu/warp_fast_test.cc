// The path from registers to registers against the scalar definition, on every row and architecture. ctest
// runs it on every SIMD level.
#include <gtest/gtest.h>

#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/scalar_mma.h"
#include "twofour/isa/error.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using namespace warp_test;
using isa::Architecture;
using isa::Operand;

/// Random words of a kind: of all classes, with NaN and infinities, or finite with exponents close together.
enum class Kind { any, specials, close };

/// A float within 2^-8 .. 2^8, at times a zero.
std::uint32_t close_word(ElementType type, std::mt19937& random) {
  if (random() % 16 == 0) return 0;
  const int width = isa::bits(type), fraction = type == ElementType::f16    ? 10
                                                : type == ElementType::bf16 ? 7
                                                                            : 23;
  const std::uint32_t bias = type == ElementType::f16 ? 15 : 127;
  const auto field = std::uint32_t(bias - 8 + random() % 16), sign = std::uint32_t(random() % 2);
  return sign << (width - 1) | field << fraction | (std::uint32_t(random()) & ((1u << fraction) - 1));
}

Fragment fragment(ElementType type, int registers, Kind kind, std::mt19937& random) {
  const bool close =
      kind == Kind::close && isa::is_float(type) && isa::bits(type) >= 16 && type != ElementType::f64;
  if (!close && type != ElementType::f64 && isa::bits(type) >= 4 && type != ElementType::e4m3 &&
      type != ElementType::e5m2)
    return random_fragment(type, registers, random, kind == Kind::specials);
  Fragment f;
  const int width = isa::bits(type);
  for (int r = 0; r < registers; ++r)
    for (auto& word : f.word[std::size_t(r)])
      word = !close        ? std::uint32_t(random())
             : width == 32 ? close_word(type, random)
                           : close_word(type, random) | close_word(type, random) << 16;
  return f;
}

MmaOperands random_operands(const isa::Instruction& i, Kind kind, Kind c_kind, std::mt19937& random) {
  MmaOperands x;
  x.a = fragment(i.a, isa::registers(i, Operand::a), kind, random);
  x.b = fragment(i.b, isa::registers(i, Operand::b), kind, random);
  x.c = fragment(i.c, isa::registers(i, Operand::c), c_kind, random);
  for (auto& word : x.metadata) word = std::uint32_t(random());  // codes that PTX leaves undefined, too
  if (i.is_sparse()) x.selector = int(random() % unsigned(i.selectors()));
  return x;
}

bool has_rule(const isa::Instruction& i, Architecture architecture) {
  try {
    NumericOptions options;
    options.architecture = architecture;
    execute(i, {}, options);
    return true;
  } catch (const Error&) {
    return false;
  }
}

TEST(WarpFast, EqualsTheDefinitionOnEveryRowAndArchitecture) {
  std::mt19937 random(21);
  int rows = 0;
  for (const auto& i : isa::instructions()) {
    if (!i.multiplies()) continue;
    for (const auto architecture : {Architecture::volta, Architecture::turing, Architecture::ampere,
                                    Architecture::ada, Architecture::hopper}) {
      if (!has_rule(i, architecture)) continue;
      if (!isa::is_float(i.a) && architecture != Architecture::ampere) continue;
      ++rows;
      NumericOptions options;
      options.architecture = architecture;
      for (const Kind kind : {Kind::any, Kind::specials, Kind::close, Kind::close})
        for (const Kind c_kind : {Kind::any, Kind::specials, Kind::close}) {
          const MmaOperands x = random_operands(i, kind, c_kind, random);
          ASSERT_EQ(execute(i, x, options), execute_by_definition(i, x, options))
              << isa::ptx_name(i) << " on " << isa::name(architecture);
        }
    }
  }
  EXPECT_GT(rows, 500);
}

// Otherwise the test above would compare the definition with itself.
TEST(WarpFast, TakesOrdinaryOperands) {
  std::mt19937 random(22);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || i.a == ElementType::f64 || isa::requirement(i).sm > 80) continue;
    Fragment d;
    const MmaOperands x = random_operands(i, Kind::close, Kind::specials, random);
    EXPECT_TRUE(fast_mma(prepare(i, {}, x.selector), x, d)) << isa::short_name(i);
  }
}

TEST(WarpFast, ClampsAtBothLimits) {
  std::mt19937 random(28);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || !i.has_satfinite()) continue;
    MmaOperands x = random_operands(i, Kind::any, Kind::any, random);
    for (auto& r : x.c.word)
      for (auto& w : r) w = (random() % 2 ? 0x7fffffffu : 0x80000000u) ^ std::uint32_t(random() % 8);
    NumericOptions options;
    options.satfinite = true;
    const Fragment d = execute(i, x, options);
    ASSERT_EQ(d, execute_by_definition(i, x, options)) << isa::short_name(i);
    std::size_t clamped = 0;
    for (const auto w : d.word[0]) clamped += w == 0x7fffffff || w == 0x80000000;
    EXPECT_GT(clamped, 0u) << isa::short_name(i);
  }
}

/// f64 from registers of 64 bits a lane.
struct WideRegisters {
  std::array<std::array<std::uint64_t, warp_lanes>, 6> lanes = {};  ///< A, B, C, C, D, D
  explicit WideRegisters(const MmaOperands& x) {
    const auto put = [&](std::size_t reg, const Fragment& f, std::size_t n) {
      for (std::size_t l = 0; l < warp_lanes; ++l)
        lanes[reg][l] = f.word[2 * n][l] | std::uint64_t(f.word[2 * n + 1][l]) << 32;
    };
    put(0, x.a, 0);
    put(1, x.b, 0);
    for (std::size_t n = 0; n < 2; ++n) put(2 + n, x.c, n);
  }
  MmaRegisters registers() {
    const auto at = [&](std::size_t n) { return reinterpret_cast<std::uint32_t*>(lanes[n].data()); };
    MmaRegisters r;
    r.a[0] = at(0), r.b[0] = at(1);
    for (std::size_t n = 0; n < 2; ++n) r.c[n] = at(2 + n), r.d[n] = at(4 + n);
    return r;
  }
};

TEST(WarpFast, DoublesRunFromWideRegistersUnlessTheyAreNoNumbers) {
  const auto& i = isa::find_instruction("m8n8k4.f64.f64.f64.f64");
  const PreparedMma mma = prepare_wide(i, {});
  if (mma.fast.multiply == nullptr) GTEST_SKIP() << "no AVX-512";
  std::mt19937 random(31);
  for (int round = 0; round < 200; ++round) {
    MmaOperands x;
    for (Fragment* f : {&x.a, &x.b, &x.c})
      for (auto& reg : f->word)
        for (std::uint32_t& word : reg) word = (random() & 0x80ffffff) | 0x3f000000;
    const bool special = round % 4 == 0;
    Fragment& changed = round % 3 == 0 ? x.a : round % 3 == 1 ? x.b : x.c;
    if (special) changed.word[1][random() % warp_lanes] = 0x7ff00001;  // a NaN
    WideRegisters wide(x);
    const WideRegisters before = wide;
    EXPECT_EQ(run_fast(mma, wide.registers()), !special);
    if (special) {
      EXPECT_EQ(wide.lanes, before.lanes);
      continue;
    }
    const Fragment d = execute_by_definition(i, x);
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t l = 0; l < warp_lanes; ++l)
        ASSERT_EQ(wide.lanes[4 + n][l], d.word[2 * n][l] | std::uint64_t(d.word[2 * n + 1][l]) << 32);
  }
}

// f64 as small numbers, so that chains lose bits but stay numbers.
TEST(WarpFast, TakesOrdinaryDoubles) {
  std::mt19937_64 random(27);
  const auto& i = isa::find_instruction("m8n8k4.f64.f64.f64.f64");
  MmaOperands x;
  for (Fragment* f : {&x.a, &x.b, &x.c})
    for (std::size_t r = 1; r < 4; r += 2)
      for (std::size_t l = 0; l < 32; ++l) {
        f->word[r - 1][l] = std::uint32_t(random());
        f->word[r][l] = (std::uint32_t(random()) & 0x807fffff) | 0x3f800000;
      }
  Fragment d;
  ASSERT_TRUE(fast_mma(prepare(i, {}, 0), x, d));
  EXPECT_EQ(d, execute_by_definition(i, x));
  NumericOptions down;
  down.rounding = isa::Rounding::downward;
  EXPECT_FALSE(fast_mma(prepare(i, down, 0), x, d));
}

/// D in the registers of C, in another order; a register of D that is not wanted.
TEST(WarpFast, ReadsAllBeforeItWrites) {
  std::mt19937 random(26);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || isa::requirement(i).sm > 80) continue;
    const MmaOperands x = random_operands(i, Kind::close, Kind::close, random);
    const Fragment want = execute_by_definition(i, x);
    MmaOperands here = x;
    MmaRegisters r;
    const auto d_count = std::size_t(isa::registers(i, Operand::d));
    for (std::size_t n = 0; n < max_operand_registers; ++n) {
      r.a[n] = here.a.word[n].data();
      r.b[n] = here.b.word[n].data();
      r.c[n] = here.c.word[n].data();
      r.d[n] = here.c.word[(n + 1) % d_count].data();
    }
    r.metadata = here.metadata.data();
    const PreparedMma mma = prepare(i, {}, x.selector);
    run(mma, r);
    for (std::size_t n = 0; n < d_count; ++n)
      ASSERT_EQ(here.c.word[(n + 1) % d_count], want.word[n]) << isa::short_name(i) << " " << n;
    here = x;
    r.d[0] = nullptr;
    r.d[1] = here.a.word[0].data();
    run(mma, r);
    ASSERT_EQ(here.a.word[0], want.word[1]) << isa::short_name(i);
  }
}

/// Powers of two of either sign, some of them one unit smaller, with exponents low to high.
Fragment powers(ElementType type, int low, int high, std::mt19937& random) {
  const auto word = [&] {
    const float value =
        std::ldexp(random() % 2 ? 1.0f : -1.0f, low + int(random() % unsigned(high - low + 1)));
    if (type == ElementType::f16) return nearest_half(value);
    const float near = random() % 3 == 0 ? std::nextafter(value, 0.0f) : value;
    return isa::bits(type) == 16 ? float_word(value) >> 16 : float_word(near);
  };
  Fragment f;
  for (auto& r : f.word)
    for (auto& w : r) w = isa::bits(type) == 16 ? word() | word() << 16 : word();
  return f;
}

// Sums cancel, tie, overflow and sink among subnormals; C is as large as the products, or far from them.
TEST(WarpFast, EqualsTheDefinitionWherePowersOfTwoMeet) {
  std::mt19937 random(23);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || !isa::is_float(i.a) || isa::bits(i.a) < 16 || i.a == ElementType::f64)
      continue;
    const bool half = i.d == ElementType::f16, small_range = i.a == ElementType::f16;
    for (const int centre : {0, small_range ? -6 : -50, small_range ? 6 : 50})
      for (const auto& [low, high] :
           {std::pair{2 * centre - 10, 2 * centre + 10}, std::pair{half ? -24 : -149, half ? -14 : -120},
            std::pair{-10, 10}, std::pair{half ? 10 : 60, half ? 16 : 127}})
        for (int trial = 0; trial < 5; ++trial) {
          MmaOperands x{powers(i.a, centre - 8, centre + 8, random),
                        powers(i.b, centre - 8, centre + 8, random), powers(i.c, low, high, random)};
          for (auto& w : x.metadata) w = std::uint32_t(random());
          ASSERT_EQ(execute(i, x), execute_by_definition(i, x))
              << isa::short_name(i) << " " << centre << " " << low;
        }
  }
}

TEST(WarpFast, ZeroProductsLeaveC) {
  std::mt19937 random(25);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || !isa::is_float(i.a) || isa::bits(i.a) < 16 || i.a == ElementType::f64)
      continue;
    const bool half = i.d == ElementType::f16;
    const int registers = half ? 2 : 4;
    MmaOperands x;
    x.b = fragment(i.b, isa::registers(i, Operand::b), Kind::close, random);
    for (int trial = 0; trial < 20; ++trial) {
      x.c = fragment(i.c, registers, Kind::any, random);
      if (trial % 2 == 0 && !half)  // all of them below 2^-102
        for (std::size_t r = 0; r < 4; ++r)
          for (auto& w : x.c.word[r]) w = std::uint32_t(random()) & 0x8cffffff;
      Fragment want = x.c;  // but for -0, which becomes +0
      for (auto& r : want.word)
        for (auto& w : r) {
          if (!half && w == 0x80000000) w = 0;
          if (half && (w & 0xffff) == 0x8000) w &= 0xffff0000;
          if (half && w >> 16 == 0x8000) w &= 0xffff;
        }
      ASSERT_EQ(execute(i, x), want) << isa::short_name(i);
    }
  }
}

// The first block of eight takes C, the largest f32, beyond 2^128; the second would bring it back, but an
// infinity stays.
TEST(WarpFast, OverflowBetweenBlocksStays) {
  MmaOperands x;
  const std::uint32_t big = float_word(0x1p59f) >> 16, negative = big | 0x8000;
  for (auto& r : x.a.word) r.fill(big | big << 16);
  x.b.word[0].fill(big | big << 16);            // k 0 to 7
  x.b.word[1].fill(negative | negative << 16);  // k 8 to 15
  for (auto& r : x.c.word) r.fill(0x7f7fffff);
  const Fragment d = execute(isa::find_instruction("m16n8k16.f32.bf16.bf16.f32"), x);
  for (std::size_t r = 0; r < 4; ++r)
    for (const auto word : d.word[r]) EXPECT_EQ(word, 0x7f800000u);
}

TEST(WarpFast, EveryF16WordAsAElement) {
  const auto& f32 = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  const auto& f16 = isa::find_instruction("m16n8k16.f16.f16.f16.f16");
  std::mt19937 random(24);
  for (std::uint32_t word = 0; word < 0x10000; word += 256) {
    if ((word & 0x7c00) == 0x7c00) continue;
    MmaOperands x;
    for (std::uint32_t n = 0; n < 128; ++n)
      x.a.word[n / 32][n % 32] = (word + 2 * n) | (word + 2 * n + 1) << 16;
    for (auto& r : x.b.word)
      for (auto& w : r) w = close_word(ElementType::f16, random) | close_word(ElementType::f16, random) << 16;
    x.c = fragment(ElementType::f16, 2, Kind::any, random);
    ASSERT_EQ(execute(f16, x), execute_by_definition(f16, x)) << word;
    x.c = fragment(ElementType::f32, 4, Kind::any, random);
    ASSERT_EQ(execute(f32, x), execute_by_definition(f32, x)) << word;
  }
}

}  // namespace
}  // namespace twofour::emu
