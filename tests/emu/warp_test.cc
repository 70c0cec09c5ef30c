#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "twofour/isa/error.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using namespace warp_test;

// The layouts of the Tensor Core's operands, restated for the test: lane (g, t), element e of register r.
struct Tiles {
  Grid a, b, c;  // a: m x stored k; b: n x k (columns of B); c: m x n
};

std::uint32_t field(std::uint32_t word, int e, int width) {
  return width == 32 ? word : word >> (e * width) & ((1u << width) - 1);
}

Tiles unpack(const isa::Instruction& i, const MmaOperands& x) {
  Tiles t{grid(i.shape.m, i.stored_k()), grid(i.shape.n, i.shape.k), grid(i.shape.m, i.shape.n)};
  const int width = isa::bits(i.a), per = 32 / width, halves = i.shape.m / 8;
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane / 4, q = lane % 4;
    for (int r = 0; r < isa::registers(i, isa::Operand::a); ++r)
      for (int e = 0; e < per; ++e)
        t.a[std::size_t(g + (halves == 2 ? 8 * (r % 2) : 0))]
           [std::size_t((r / halves) * 4 * per + q * per + e)] =
            field(x.a.word[std::size_t(r)][std::size_t(lane)], e, width);
    for (int r = 0; r < isa::registers(i, isa::Operand::b); ++r)
      for (int e = 0; e < per; ++e)
        t.b[std::size_t(g)][std::size_t(r * 4 * per + q * per + e)] =
            field(x.b.word[std::size_t(r)][std::size_t(lane)], e, width);
    const int c_width = isa::bits(i.c), c_per = 32 / c_width;
    for (int n = 0; n < isa::registers(i, isa::Operand::c) * c_per; ++n)
      t.c[std::size_t(g + 8 * (n / 2))][std::size_t(2 * q + n % 2)] =
          field(x.c.word[std::size_t(n / c_per)][std::size_t(lane)], n % c_per, c_width);
  }
  return t;
}

// The dense matrix that row `row` of a sparse A stands for: value and whether it is kept, from the PTX
// description of metadata.
std::vector<int> kept_columns(const isa::Instruction& i, const MmaOperands& x, int row) {
  const int per_group = i.a == ElementType::tf32 ? 2 : isa::bits(i.a) == 4 ? 8 : 4;
  std::vector<int> columns;
  for (int group = 0; group < i.shape.k / per_group; ++group) {
    int lane = 0, shift = 0;
    const int g = row % 8, high = row / 8, groups = i.shape.k / per_group;
    if (isa::bits(i.a) >= 16) {  // two rows share a word
      lane = groups == 4 ? 4 * g + x.selector : 4 * g + 2 * x.selector + group / 4;
      shift = 16 * high + 4 * (group % 4);
    } else {
      lane = groups == 8 ? 4 * g + 2 * x.selector + high : 4 * g + 2 * (group / 8) + high;
      shift = 4 * (group % 8);
    }
    const int code = int(x.metadata[std::size_t(lane)] >> shift & 15), first = code & 3, second = code >> 2;
    if (i.a == ElementType::tf32)
      columns.push_back(2 * group + (code == 0xE ? 1 : 0));
    else if (isa::bits(i.a) == 4)
      for (const int pair : {first, second})
        columns.insert(columns.end(), {8 * group + 2 * pair, 8 * group + 2 * pair + 1});
    else
      columns.insert(columns.end(), {4 * group + first, 4 * group + second});
  }
  return columns;
}

void fill_metadata(const isa::Instruction& i, MmaOperands& x, std::mt19937& random) {
  constexpr std::uint32_t ordered[] = {0x4, 0x8, 0x9, 0xC, 0xD, 0xE}, tf32[] = {0x4, 0xE};
  x.selector = int(random() % unsigned(i.selectors()));
  for (auto& word : x.metadata) {
    word = 0;
    for (int nibble = 0; nibble < 8; ++nibble)
      word |= (i.a == ElementType::tf32 ? tf32[random() % 2] : ordered[random() % 6]) << (4 * nibble);
  }
}

MmaOperands random_operands(const isa::Instruction& i, std::mt19937& random, bool specials) {
  MmaOperands x;
  x.a = random_fragment(i.a, isa::registers(i, isa::Operand::a), random, specials);
  x.b = random_fragment(i.b, isa::registers(i, isa::Operand::b), random, specials);
  x.c = random_fragment(i.c, isa::registers(i, isa::Operand::c), random, specials);
  if (i.is_sparse()) fill_metadata(i, x, random);
  return x;
}

/// D as rows, from the operands' tiles. `element` is expected_element or expected_clamped.
template <class Element>
Grid expected_tile(const isa::Instruction& i, const MmaOperands& x, const Element& element) {
  const Tiles t = unpack(i, x);
  Grid d = grid(i.shape.m, i.shape.n);
  for (int row = 0; row < i.shape.m; ++row) {
    const std::vector<int> columns = i.is_sparse() ? kept_columns(i, x, row) : std::vector<int>();
    for (int col = 0; col < i.shape.n; ++col) {
      Words b = t.b[std::size_t(col)];
      if (i.is_sparse()) {
        b.clear();
        for (const int c : columns) b.push_back(t.b[std::size_t(col)][std::size_t(c)]);
      }
      d[std::size_t(row)][std::size_t(col)] =
          element(i, t.a[std::size_t(row)], b, t.c[std::size_t(row)][std::size_t(col)]);
    }
  }
  return d;
}

Grid result_tile(const isa::Instruction& i, const Fragment& d) {
  MmaOperands result;
  result.c = d;
  return unpack(i, result).c;
}

TEST(Warp, EveryInstructionEqualsADenseOracle) {
  std::mt19937 random(2);
  int rows = 0;
  for (const auto& i : oracle::sm_80_rows()) {
    if (i.a == ElementType::f64) continue;
    ++rows;
    for (int trial = 0; trial < 20; ++trial) {
      const MmaOperands x = random_operands(i, random, trial % 4 == 3);
      const Grid want = expected_tile(i, x, expected_element);
      ASSERT_EQ(result_tile(i, execute(i, x)), want) << isa::short_name(i);
      if (trial >= 4) continue;
      ASSERT_EQ(result_tile(i, execute_by_definition(i, x)), want) << isa::short_name(i);
    }
  }
  EXPECT_EQ(rows, 38 + 24 + 24);  // mma but the quad pair and f64, both spellings of mma.sp
}

TEST(Warp, SatfiniteClampsOnceAnInstruction) {
  std::mt19937 random(3);
  NumericOptions clamp;
  clamp.satfinite = true;
  int clamped = 0;
  for (const auto& i : oracle::sm_80_rows()) {
    if (!i.has_satfinite()) continue;
    for (int trial = 0; trial < 4; ++trial) {
      MmaOperands x = random_operands(i, random, false);
      for (auto& r : x.c.word)
        for (auto& word : r) word = random() % 2 ? 0x7fffffff - random() % 64 : 0x80000000 + random() % 64;
      const Grid want = expected_tile(i, x, expected_clamped);
      for (const auto& row : want)
        for (const auto word : row) clamped += word == 0x7fffffff || word == 0x80000000;
      ASSERT_EQ(result_tile(i, execute(i, x, clamp)), want) << isa::short_name(i);
      ASSERT_EQ(result_tile(i, execute_by_definition(i, x, clamp)), want) << isa::short_name(i);
    }
  }
  EXPECT_GT(clamped, 1000);
}

TEST(Warp, DoublesMultiplyByTheirLayout) {
  const auto& i = isa::find_instruction("m8n8k4.f64.f64.f64.f64");
  MmaOperands x;
  const auto put = [](Fragment& f, int lane, int index, double value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, 8);
    f.word[std::size_t(2 * index)][std::size_t(lane)] = std::uint32_t(word);
    f.word[std::size_t(2 * index + 1)][std::size_t(lane)] = std::uint32_t(word >> 32);
  };
  for (int lane = 0; lane < 32; ++lane) {
    put(x.a, lane, 0, 10 * (lane / 4) + lane % 4);   // A[row][k] = 10 row + k
    put(x.b, lane, 0, 100 * (lane % 4) + lane / 4);  // B[k][col] = 100 k + col
  }
  const Fragment d = execute(i, x);
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < 2; ++index) {
      const int row = lane / 4, col = 2 * (lane % 4) + index;
      double want = 0, got = 0;
      for (int k = 0; k < 4; ++k) want += double(10 * row + k) * (100 * k + col);
      const std::uint64_t word = d.word[std::size_t(2 * index)][std::size_t(lane)] |
                                 std::uint64_t(d.word[std::size_t(2 * index + 1)][std::size_t(lane)]) << 32;
      std::memcpy(&got, &word, 8);
      EXPECT_EQ(got, want) << row << "," << col;
    }
}

TEST(Warp, DoublesRoundAsAsked) {
  const auto put = [](Fragment& f, double value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, 8);
    f.word[0][0] = std::uint32_t(word);
    f.word[1][0] = std::uint32_t(word >> 32);
  };
  const double ulp = std::ldexp(1, -52), half_down = -1 + ulp / 2;  // the double above -1
  struct Case {
    double c, a, nearest, zero, down, up;
  };
  for (const Case& t : {Case{1, ulp / 4, 1, 1, 1, 1 + ulp}, Case{-1, -ulp / 4, -1, -1, -1 - ulp, -1},
                        Case{-1, ulp / 8, -1, half_down, -1, half_down}}) {
    MmaOperands x;
    put(x.a, t.a);
    put(x.b, 1);
    put(x.c, t.c);
    for (const char* name : {"m8n8k4.f64.f64.f64.f64", "wmma.mma.row.col.m8n8k4.f64.f64.f64.f64"}) {
      const auto element = [&](isa::Rounding rounding) {
        NumericOptions options;
        options.rounding = rounding;
        const Fragment d = execute(isa::find_instruction(name), x, options);
        const std::uint64_t word = d.word[0][0] | std::uint64_t(d.word[1][0]) << 32;
        double value = 0;
        std::memcpy(&value, &word, 8);
        return value;
      };
      EXPECT_EQ(element(isa::Rounding::nearest_even), t.nearest) << name;
      EXPECT_EQ(element(isa::Rounding::toward_zero), t.zero) << name;
      EXPECT_EQ(element(isa::Rounding::downward), t.down) << name;
      EXPECT_EQ(element(isa::Rounding::upward), t.up) << name;
    }
  }
}

TEST(Warp, Fp8BelongsToAda) {
  NumericOptions ada;
  ada.architecture = isa::Architecture::ada;
  MmaOperands x;
  for (auto& r : x.a.word) r.fill(0x38383838);  // e4m3: 1.0
  for (auto& r : x.b.word) r.fill(0x40404040);  // e5m2: 2.0
  const Fragment d = execute(isa::find_instruction("m16n8k32.f32.e4m3.e5m2.f32"), x, ada);
  for (std::size_t r = 0; r < 4; ++r)
    for (const auto word : d.word[r]) EXPECT_EQ(word_float(word), 64.0f);
}

/// The message of the refusal, which execute() and execute_by_definition() share.
std::string refusal(const char* name, const MmaOperands& x = {}, const NumericOptions& options = {}) {
  const auto message = [&](const auto& run) -> std::string {
    try {
      run(isa::find_instruction(name), x, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "not refused";
  };
  EXPECT_EQ(message(execute), message(execute_by_definition));
  return message(execute);
}

TEST(Warp, RefusalsNameTheInstruction) {
  using testing::HasSubstr;
  MmaOperands x;
  x.selector = 2;
  EXPECT_THAT(refusal("sp.m16n8k32.f32.f16.f16.f32", x),
              HasSubstr("selector 2 is out of range for mma.sp.sync.aligned.m16n8k32"));
  NumericOptions clamp, up;
  clamp.satfinite = true;
  up.rounding = isa::Rounding::upward;
  for (const char* name : {"m16n8k256.s32.b1.b1.s32.and", "m16n8k16.f32.f16.f16.f32",
                           "wmma.mma.xor.popc.row.col.m8n8k128.s32.b1.b1.s32"})
    EXPECT_THAT(refusal(name, {}, clamp),
                HasSubstr(isa::ptx_name(isa::find_instruction(name)) + " has no .satfinite form"));
  for (const char* name : {"m16n8k32.s32.s8.s8.s32", "m16n8k16.f32.f16.f16.f32"})
    EXPECT_THAT(refusal(name, {}, up),
                HasSubstr(isa::ptx_name(isa::find_instruction(name)) + " takes no rounding mode"));
  EXPECT_THAT(refusal("m16n8k32.f32.e4m3.e4m3.f32"),
              HasSubstr("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32: ampere has no"));
  NumericOptions volta;
  volta.architecture = isa::Architecture::volta;
  EXPECT_THAT(refusal("wmma.mma.row.col.m16n16k16.f32.bf16.bf16.f32", {}, volta), HasSubstr("wmma.mma.sync"));
}

TEST(Warp, OnlyWhatMultipliesIsExecuted) {
  int refused = 0;
  for (const auto& i : isa::instructions()) {
    if (i.multiplies()) continue;
    EXPECT_THAT(refusal(isa::short_name(i).c_str()),
                testing::HasSubstr(isa::ptx_name(i) + " does not multiply"));
    ++refused;
  }
  EXPECT_EQ(refused, 88 + 26 + 6 + 1 + 16);
}

}  // namespace
}  // namespace twofour::emu
