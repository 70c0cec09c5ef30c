#include <gtest/gtest.h>

#include "oracle.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

// The layouts of dense operands, restated for the test: lane (g, t), element e of register r.
struct Tiles {
  std::vector<std::vector<std::uint32_t>> a, b, c;  // a: m x stored k; b: n x k (columns of B); c: m x n
};

std::uint32_t field(std::uint32_t word, int e, int width) {
  return width == 32 ? word : word >> (e * width) & ((1u << width) - 1);
}

Tiles unpack(const isa::Instruction& i, const MmaOperands& x) {
  const auto grid = [](int rows, int cols) {
    return std::vector<std::vector<std::uint32_t>>(std::size_t(rows),
                                                   std::vector<std::uint32_t>(std::size_t(cols)));
  };
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

Fragment random_fragment(ElementType type, int registers, std::mt19937& random, bool specials) {
  Fragment f;
  const int width = isa::bits(type);
  for (int r = 0; r < registers; ++r)
    for (auto& word : f.word[std::size_t(r)])
      for (int e = 0; e < 32 / width; ++e)
        word |= oracle::random_word(type, random, specials) << (width == 32 ? 0 : e * width);
  return f;
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

std::uint32_t expected(const isa::Instruction& i, const std::vector<std::uint32_t>& a,
                       const std::vector<std::uint32_t>& b, std::uint32_t c) {
  if (isa::is_float(i.a)) return oracle::ampere_float_dot(i, a, b, c);
  return std::uint32_t(oracle::integer_dot(i, a, b, std::int32_t(c)));
}

TEST(Warp, EveryInstructionEqualsADenseOracle) {
  std::mt19937 random(2);
  for (const auto& i : oracle::sm_80_tensor_core_rows()) {
    if (i.a == ElementType::f64) continue;
    ASSERT_LE(std::max({isa::registers(i, isa::Operand::a), isa::registers(i, isa::Operand::b),
                        isa::registers(i, isa::Operand::c), isa::registers(i, isa::Operand::d)}),
              max_operand_registers);
    for (int trial = 0; trial < 20; ++trial) {
      const bool specials = trial % 4 == 3;
      MmaOperands x;
      x.a = random_fragment(i.a, isa::registers(i, isa::Operand::a), random, specials);
      x.b = random_fragment(i.b, isa::registers(i, isa::Operand::b), random, specials);
      x.c = random_fragment(i.c, isa::registers(i, isa::Operand::c), random, specials);
      if (i.is_sparse()) fill_metadata(i, x, random);
      const Tiles t = unpack(i, x);
      MmaOperands result;
      result.c = execute(i, x);
      const Tiles d = unpack(i, result);
      for (int row = 0; row < i.shape.m; ++row) {
        std::vector<int> columns = i.is_sparse() ? kept_columns(i, x, row) : std::vector<int>();
        for (int col = 0; col < i.shape.n; ++col) {
          std::vector<std::uint32_t> b = t.b[std::size_t(col)];
          if (i.is_sparse()) {
            b.clear();
            for (const int c : columns) b.push_back(t.b[std::size_t(col)][std::size_t(c)]);
          }
          ASSERT_EQ(d.c[std::size_t(row)][std::size_t(col)],
                    expected(i, t.a[std::size_t(row)], b, t.c[std::size_t(row)][std::size_t(col)]))
              << isa::short_name(i) << " row " << row << " column " << col;
        }
      }
    }
  }
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

TEST(Warp, IllegalRequestsAreRefused) {
  MmaOperands x;
  x.selector = 2;
  EXPECT_THROW(execute(isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32"), x), Error);
  NumericOptions clamp;
  clamp.satfinite = true;
  EXPECT_THROW(execute(isa::find_instruction("m16n8k256.s32.b1.b1.s32.and"), {}, clamp), Error);
  EXPECT_THROW(execute(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), {}, clamp), Error);
}

}  // namespace
}  // namespace twofour::emu
