// wmma as a program sees it: load, multiply, store, against plain matrices in memory.
#include <gtest/gtest.h>

#include "twofour/emu/warp/wmma_memory.h"
#include "twofour/isa/error.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using namespace warp_test;
using isa::Family;
using isa::Major;
using isa::Operand;

/// A matrix in memory at a base address, its lines `stride` elements apart; elements below a byte lie low end
/// first.
class Stored {
 public:
  Stored(int rows, int cols, int width, Major major, int unit, std::mt19937& random)
      : width_(width), major_(major) {
    const int line = major == Major::row ? cols : rows, lines = major == Major::row ? rows : cols;
    const int step = unit * 8 / width;  // elements in a fragment
    stride = (line + step - 1) / step * step + step * int(random() % 3);
    base = std::uint64_t(unit) * (random() % 4);
    const std::int64_t bits = (std::int64_t(lines - 1) * stride + line) * width;
    bytes.resize(base + std::uint64_t(bits + 7) / 8);
    for (auto& b : bytes) b = std::byte(random());
  }
  std::uint64_t get(int row, int col) const {
    std::uint64_t word = 0;
    for (int b = 0; b < width_; ++b) {
      const std::int64_t at = place(row, col) + b;
      word |= std::uint64_t(std::to_integer<int>(bytes[std::size_t(at / 8)]) >> (at % 8) & 1) << b;
    }
    return word;
  }
  void set(int row, int col, std::uint64_t word) {
    for (int b = 0; b < width_; ++b) {
      const std::int64_t at = place(row, col) + b;
      const std::byte mask = std::byte{1} << (at % 8);
      std::byte& byte = bytes[std::size_t(at / 8)];
      byte = (word >> b & 1) != 0 ? byte | mask : byte & ~mask;
    }
  }
  MatrixAddress address() const { return {base, stride}; }

  std::uint64_t base = 0;
  std::int32_t stride = 0;
  std::vector<std::byte> bytes;

 private:
  std::int64_t place(int row, int col) const {
    const bool row_major = major_ == Major::row;
    return std::int64_t(base) * 8 +
           (std::int64_t(row_major ? row : col) * stride + (row_major ? col : row)) * width_;
  }
  int width_;
  Major major_;
};

const isa::Instruction& move_row(Family family, const isa::Shape& shape, ElementType type, Operand moved,
                                 Major major) {
  for (const auto& i : isa::instructions())
    if (i.family == family && i.shape == shape && i.a == type && i.moved == moved && i.a_major == major)
      return i;
  fail("no such row");
}

std::uint64_t random_element(ElementType type, std::mt19937& random) {
  if (type != ElementType::f64) return oracle::random_word(type, random, false);
  const double value = std::ldexp(double(random()), -30) - 2 + std::ldexp(double(random()), -80);
  std::uint64_t word = 0;
  std::memcpy(&word, &value, 8);
  return word;
}

Stored random_matrix(int rows, int cols, ElementType type, Major major, int unit, std::mt19937& random) {
  Stored m(rows, cols, isa::bits(type), major, unit, random);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c) m.set(r, c, random_element(type, random));
  return m;
}

std::uint64_t double_chain(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b,
                           std::uint64_t c) {
  const auto value = [](std::uint64_t word) {
    double d = 0;
    std::memcpy(&d, &word, 8);
    return d;
  };
  double sum = value(c);
  for (std::size_t k = 0; k < a.size(); ++k) sum = std::fma(value(a[k]), value(b[k]), sum);
  std::uint64_t word = 0;
  std::memcpy(&word, &sum, 8);
  return word;
}

/// What one element of wmma.mma is: f16 with C and D of different types accumulates in f32.
std::uint64_t expected_wmma(const isa::Instruction& i, const std::vector<std::uint64_t>& a,
                            const std::vector<std::uint64_t>& b, std::uint64_t c) {
  if (i.a == ElementType::f64) return double_chain(a, b, c);
  const Words x(a.begin(), a.end()), y(b.begin(), b.end());
  isa::Instruction step = i;
  if (i.c != i.d) step.c = step.d = ElementType::f32;
  const bool widen = i.c == ElementType::f16 && step.d == ElementType::f32;
  const std::uint32_t d =
      expected_element(step, x, y, widen ? float_word(half_value(std::uint32_t(c))) : std::uint32_t(c));
  return i.d == ElementType::f16 && step.d == ElementType::f32 ? nearest_half(word_float(d)) : d;
}

/// Registers of a fragment that wmma.mma reads; f16 A and B fill the rest with copies.
int distinct(const isa::Instruction& i, Operand o) {
  const int elements = o == Operand::a ? i.shape.m * i.shape.k : i.shape.k * i.shape.n;
  return elements * isa::bits(i.a) / 1024;
}

void spoil_copies(const isa::Instruction& i, Operand o, Fragment& f, std::mt19937& random) {
  for (auto r = std::size_t(distinct(i, o)); r < std::size_t(isa::registers(i, o)); ++r)
    for (auto& word : f.word[r]) word = std::uint32_t(random());
}

/// Bytes of a lane's fragment, as PTX counts them for alignment.
int unit(const isa::Instruction& i) {
  return 4 * isa::registers(i, i.moved);
}

/// By run(), D in the registers of A or C.
Fragment run_in_place(const isa::Instruction& i, MmaOperands x, bool in_a) {
  Fragment& held = in_a ? x.a : x.c;
  MmaRegisters r;
  for (std::size_t n = 0; n < max_operand_registers; ++n) {
    r.a[n] = x.a.word[n].data();
    r.b[n] = x.b.word[n].data();
    r.c[n] = x.c.word[n].data();
    r.d[n] = held.word[n].data();
  }
  run(prepare(i, {}, 0), r);
  for (auto n = std::size_t(isa::registers(i, Operand::d)); n < max_operand_registers; ++n)
    held.word[n].fill(0);
  return held;
}

void round_trip(const isa::Instruction& i, std::mt19937& random) {
  const auto [m, n, k] = i.shape;
  const Major c_major = random() % 2 ? Major::row : Major::col,
              d_major = random() % 2 ? Major::row : Major::col;
  const auto& load_a = move_row(Family::wmma_load, i.shape, i.a, Operand::a, i.a_major);
  const auto& load_b = move_row(Family::wmma_load, i.shape, i.b, Operand::b, i.b_major);
  const auto& load_c = move_row(Family::wmma_load, i.shape, i.c, Operand::c, c_major);
  const auto& store_d = move_row(Family::wmma_store, i.shape, i.d, Operand::d, d_major);
  const Stored a = random_matrix(m, k, i.a, i.a_major, unit(load_a), random);
  const Stored b = random_matrix(k, n, i.b, i.b_major, unit(load_b), random);
  const Stored c = random_matrix(m, n, i.c, c_major, unit(load_c), random);
  Stored d = random_matrix(m, n, i.d, d_major, unit(store_d), random), want = d;

  MmaOperands x;
  x.a = wmma_load(load_a, a.bytes, a.address());
  x.b = wmma_load(load_b, b.bytes, b.address());
  x.c = wmma_load(load_c, c.bytes, c.address());
  spoil_copies(i, Operand::a, x.a, random);
  spoil_copies(i, Operand::b, x.b, random);
  const Fragment result = execute(i, x);
  ASSERT_EQ(result, execute_by_definition(i, x)) << isa::ptx_name(i);
  ASSERT_EQ(result, run_in_place(i, x, random() % 2 != 0)) << isa::ptx_name(i);
  wmma_store(store_d, result, d.bytes, d.address());

  for (int row = 0; row < m; ++row)
    for (int col = 0; col < n; ++col) {
      std::vector<std::uint64_t> p, q;
      for (int j = 0; j < k; ++j) {
        p.push_back(a.get(row, j));
        q.push_back(b.get(j, col));
      }
      const std::uint64_t element = expected_wmma(i, p, q, c.get(row, col));
      ASSERT_EQ(d.get(row, col), element) << isa::ptx_name(i) << " row " << row << " column " << col;
      want.set(row, col, element);
    }
  ASSERT_EQ(d.bytes, want.bytes) << isa::ptx_name(i) << " wrote between its lines";
}

TEST(WarpWmma, LoadMultiplyStoreEqualsPlainMatrices) {
  std::mt19937 random(11);
  int rows = 0;
  for (const auto& i : isa::instructions()) {
    if (i.family != Family::wmma_mma) continue;
    ++rows;
    for (int trial = 0; trial < 6; ++trial) round_trip(i, random);
  }
  EXPECT_EQ(rows, 96);
}

TEST(WarpWmma, WithoutStrideLinesTouch) {
  const auto& i = isa::find_instruction("wmma.load.a.col.m16n16k16.f16");
  std::vector<std::byte> memory(512);
  for (std::size_t n = 0; n < 256; ++n) memory[2 * n] = std::byte(n);
  EXPECT_EQ(wmma_load(i, memory, {}), wmma_load(i, memory, {0, 16}));
  EXPECT_EQ(wmma_load(i, memory, {}).word[0][4] & 0xff, 1u);  // lane 4, element 0: row 1 of column 0
  const auto& b = isa::find_instruction("wmma.load.b.row.m8n32k16.s8");
  EXPECT_EQ(wmma_load(b, memory, {}), wmma_load(b, memory, {0, 32}));
}

TEST(WarpWmma, SatfiniteClampsEveryStep) {
  NumericOptions clamp;
  clamp.satfinite = true;
  int rows = 0;
  for (const auto& i : isa::instructions()) {
    if (i.family != Family::wmma_mma || !i.has_satfinite()) continue;
    ++rows;
    MmaOperands x;
    for (auto& r : x.a.word) r.fill(0x11111111);
    for (auto& r : x.b.word) r.fill(0x11111111);
    for (auto& r : x.c.word) r.fill(0x7fffffff);
    const Fragment wrapped = execute(i, x), clamped = execute(i, x, clamp);
    for (int r = 0; r < isa::registers(i, Operand::d); ++r) {
      EXPECT_EQ(clamped.word[std::size_t(r)][0], 0x7fffffffu);
      EXPECT_GT(wrapped.word[std::size_t(r)][0], 0x80000000u);
    }
  }
  EXPECT_EQ(rows, 3 * 2 * 4 + 2);
}

// k 0 and 1 bring 2^25 and 1, k 4 brings -2^25. wmma chains two m16n8k4: after the first the f32 has lost the
// 1, so that D is 0. m16n8k8 does the same on Ampere, whose blocks are four products; Hopper sums all eight
// in one window of 25 bits below 2^25 and keeps the 1.
TEST(WarpWmma, Tf32ChainsStepsOfFour) {
  const auto& wmma = isa::find_instruction("wmma.mma.row.col.m16n16k8.f32.tf32.tf32.f32");
  const auto& mma = isa::find_instruction("m16n8k8.f32.tf32.tf32.f32");
  MmaOperands x;  // A row 0: lane t holds k = t in register 0 and k = t + 4 in register 2
  x.a.word[0][0] = float_word(0x1p25f);
  x.a.word[0][1] = float_word(1);
  x.a.word[2][0] = float_word(-0x1p25f);
  for (auto& r : x.b.word) r.fill(float_word(1));
  const auto element = [&](const isa::Instruction& i, isa::Architecture architecture) {
    NumericOptions options;
    options.architecture = architecture;
    return word_float(execute(i, x, options).word[0][0]);
  };
  EXPECT_EQ(element(wmma, isa::Architecture::ampere), 0);
  EXPECT_EQ(element(mma, isa::Architecture::ampere), 0);
  EXPECT_EQ(element(wmma, isa::Architecture::hopper), 0);
  EXPECT_EQ(element(mma, isa::Architecture::hopper), 1);
}

// C f16, D f32: 2^-12 + 2^-24 is no f16. C f32, D f16: 2048 + 2^-10 + 1 goes up to 2050; had C been rounded
// to f16 first, 2048 + 1 would have been a tie and gone to 2048.
TEST(WarpWmma, MixedAccumulatorsConvertOnce) {
  MmaOperands x;
  x.a.word[0][0] = 0x0c00;  // A[0][0] = 2^-12
  x.b.word[0][0] = 0x3c00;  // B[0][0] = 1
  x.c.word[0][0] = 1;       // C[0][0] = 2^-24
  EXPECT_EQ(word_float(execute(isa::find_instruction("wmma.mma.row.col.m16n16k16.f32.f16"), x).word[0][0]),
            0x1p-12f + 0x1p-24f);
  x.a.word[0][0] = 0x3c00;
  x.c.word[0][0] = float_word(2048 + 0x1p-10f);
  EXPECT_EQ(execute(isa::find_instruction("wmma.mma.row.col.m16n16k16.f16.f32"), x).word[0][0],
            0x6801u);  // 2050
}

TEST(WarpWmma, RefusesWhatPtxForbids) {
  std::vector<std::byte> memory(4096);
  const auto& f16 = isa::find_instruction("wmma.load.a.row.m16n16k16.f16");
  const auto message = [&](const isa::Instruction& i, MatrixAddress at, std::size_t bytes) -> std::string {
    try {
      wmma_load(i, std::span(memory).first(bytes), at);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message(f16, {32, 16}, 32 + 512), "");
  EXPECT_EQ(
      message(f16, {16, 16}, 4096),
      "wmma.load.a.sync.aligned.row.m16n16k16.f16: base address 16 is not a multiple of the fragment's 32 "
      "bytes");
  EXPECT_EQ(
      message(f16, {0, 20}, 4096),
      "wmma.load.a.sync.aligned.row.m16n16k16.f16: a stride of 20 elements (320 bits) is not a multiple of "
      "16 bytes");
  EXPECT_EQ(message(f16, {0, 24}, 4096), "");
  EXPECT_EQ(message(isa::find_instruction("wmma.load.b.row.m32n8k16.f16"), {}, 256), "");
  // The last element, row 15 and k 15, is in lane 31 of register 3.
  EXPECT_EQ(
      message(f16, {0, 16}, 511),
      "wmma.load.a.sync.aligned.row.m16n16k16.f16: lane 31 reaches address 510, outside the 511 bytes of "
      "memory");
  EXPECT_NE(message(f16, {std::uint64_t(1) << 62, 16}, 4096), "");
  EXPECT_NE(message(f16, {0, -16}, 4096), "");
  EXPECT_EQ(message(isa::find_instruction("wmma.load.b.col.m8n8k32.s4"), {4, 40}, 4 + 20 * 7 + 16), "");
  EXPECT_NE(message(isa::find_instruction("wmma.load.b.col.m8n8k32.s4"), {4, 36}, 4096), "");
  EXPECT_NE(message(isa::find_instruction("wmma.load.b.col.m8n8k32.s4"), {4, 40}, 4 + 20 * 7 + 15), "");
  EXPECT_NE(message(isa::find_instruction("wmma.store.d.row.m16n16k16.f32"), {}, 4096), "");
  EXPECT_THROW(wmma_store(f16, {}, memory, {}), Error);
  const std::vector<std::byte> before = memory;
  EXPECT_THROW(wmma_store(isa::find_instruction("wmma.store.d.row.m16n16k16.f32"), {},
                          std::span(memory).first(1023), {}),
               Error);
  EXPECT_EQ(memory, before);
}

}  // namespace
}  // namespace twofour::emu
