#include "twofour/emu/matrix/sparse_matrix.h"

#include <gtest/gtest.h>

#include "oracle.h"
#include "twofour/isa/error.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr ElementType sparse_types[] = {ElementType::f16, ElementType::bf16, ElementType::tf32,
                                        ElementType::s8,  ElementType::u8,   ElementType::s4,
                                        ElementType::u4};

PackedMatrix row_of(ElementType type, std::initializer_list<int> values) {
  PackedMatrix m(type, 1, std::int64_t(values.size()));
  std::int64_t c = 0;
  for (const int v : values) m.set_integer(0, c++, v);
  return m;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "was not refused";
}

TEST(PackedMatrix, PacksLittleEndFirst) {
  PackedMatrix m(ElementType::s4, 2, 3);
  EXPECT_EQ(m.row_bytes(), 2);
  m.set_integer(1, 0, -1);
  m.set_integer(1, 1, 5);
  m.set_integer(1, 2, -8);
  EXPECT_EQ(std::to_integer<int>(m.row(1)[0]), 0x5f);
  EXPECT_EQ(std::to_integer<int>(m.row(1)[1]), 0x08);
  EXPECT_EQ(m.integer(1, 0), -1);
  EXPECT_EQ(m.integer(1, 2), -8);
  EXPECT_EQ(m.integer(0, 1), 0);
  PackedMatrix b(ElementType::b1, 1, 11);
  b.set_bits(0, 10, 1);
  EXPECT_EQ(std::to_integer<int>(b.row(0)[1]), 4);
}

TEST(PackedMatrix, SizesThatCannotBeAreRefused) {
  EXPECT_THROW(PackedMatrix(ElementType::s8, -1, 4), Error);
  EXPECT_THROW(PackedMatrix(ElementType::f32, std::int64_t(1) << 40, std::int64_t(1) << 40), Error);
}

TEST(PackedMatrix, TransposesAndPads) {
  std::mt19937 random(14);
  for (const auto type : {ElementType::b1, ElementType::s4, ElementType::f16, ElementType::s32}) {
    const PackedMatrix m = oracle::random_matrix(type, 5, 13, random, false);
    const PackedMatrix t = transposed(m), p = padded(m, 6, 20);
    ASSERT_EQ(t.rows(), 13);
    ASSERT_EQ(p.cols(), 20);
    for (std::int64_t r = 0; r < 6; ++r)
      for (std::int64_t c = 0; c < 20; ++c) {
        const bool inside = r < 5 && c < 13;
        EXPECT_EQ(p.bits(r, c), inside ? m.bits(r, c) : 0) << isa::name(type);
        if (inside) {
          EXPECT_EQ(t.bits(c, r), m.bits(r, c)) << isa::name(type);
        }
      }
    EXPECT_THROW(padded(m, 5, 12), Error);
  }
}

TEST(Prune, KeepsTheTwoLargestMagnitudes) {
  EXPECT_EQ(prune(row_of(ElementType::s8, {-9, 3, 4, 1})), row_of(ElementType::s8, {-9, 0, 4, 0}));
  EXPECT_EQ(prune(row_of(ElementType::s8, {5, 5, -5, 5})), row_of(ElementType::s8, {5, 5, 0, 0}));
  EXPECT_EQ(prune(row_of(ElementType::s8, {1, 2, -128, 127})), row_of(ElementType::s8, {0, 0, -128, 127}));
  EXPECT_EQ(prune(row_of(ElementType::s4, {1, 1, 7, 0, 3, 3, 0, 0})),
            row_of(ElementType::s4, {0, 0, 7, 0, 3, 3, 0, 0}));
  PackedMatrix f(ElementType::tf32, 1, 2), want(ElementType::tf32, 1, 2);
  f.set_bits(0, 0, 0x3f800000);
  f.set_bits(0, 1, 0xc0000000);
  want.set_bits(0, 1, 0xc0000000);
  EXPECT_EQ(prune(f), want);
}

TEST(Prune, AlwaysGivesAMatrixThatCompresses) {
  std::mt19937 random(3);
  for (const auto type : sparse_types) {
    const PackedMatrix dense = oracle::random_matrix(type, 33, 64, random, false);
    const PackedMatrix pruned = prune(dense);
    EXPECT_GT(count_violations(dense, nullptr), 0);
    EXPECT_EQ(count_violations(pruned, nullptr), 0);
    EXPECT_EQ(prune(pruned), pruned) << "pruning twice changes something";
  }
}

TEST(Compress, DecompressGivesTheMatrixBack) {
  std::mt19937 random(4);
  for (const auto type : sparse_types) {
    PackedMatrix dense = oracle::random_matrix(type, 17, 128, random, false, true);
    if (isa::is_float(type))  // a negative zero counts as zero, so it need not survive
      for (std::int64_t r = 0; r < dense.rows(); ++r)
        for (std::int64_t c = 0; c < dense.cols(); ++c)
          if (dense.bits(r, c) << (65 - isa::bits(type)) == 0) dense.set_bits(r, c, 0);
    const SparseMatrix sparse = compress(dense);
    EXPECT_EQ(sparse.values.cols(), 64);
    EXPECT_EQ(decompress(sparse), dense) << isa::name(type);
    for (const auto code : sparse.codes) EXPECT_TRUE(isa::is_ordered_code(isa::sparse_form(type), code));
  }
}

// Every set of non-zeros in one group: sixteen masks of four elements, sixteen of four pairs.
TEST(Compress, EveryMaskOfAGroup) {
  for (int mask = 0; mask < 16; ++mask)
    for (const auto type : {ElementType::s8, ElementType::s4}) {
      const int unit = type == ElementType::s4 ? 2 : 1;
      PackedMatrix m(type, 1, 4 * unit);
      for (int u = 0; u < 4; ++u)
        if (mask >> u & 1) m.set_integer(0, u * unit + unit - 1, u + 1);
      if (__builtin_popcount(unsigned(mask)) > 2) {
        EXPECT_THROW(compress(m), Error) << mask;
      } else {
        EXPECT_EQ(decompress(compress(m)), m) << mask;
      }
    }
}

TEST(Compress, RefusalsSayWhere) {
  PackedMatrix m(ElementType::s8, 3, 8);
  for (std::int64_t c = 4; c < 7; ++c) m.set_integer(2, c, 1);
  const std::string text = refusal([&] { compress(m); });
  EXPECT_NE(text.find("row 2, columns 4 to 7 hold 3 non-zero elements, 2 may be kept"), std::string::npos)
      << text;
  EXPECT_NE(refusal([] { compress(PackedMatrix(ElementType::s8, 4, 6)); }).find("not a multiple of 4"),
            std::string::npos);
  EXPECT_NE(refusal([] { compress(PackedMatrix(ElementType::b1, 4, 8)); }).find("no sparse form"),
            std::string::npos);
  PackedMatrix nan(ElementType::f16, 1, 4);
  nan.set_bits(0, 3, 0x7e00);
  EXPECT_NE(refusal([&] { prune(nan); }).find("row 0, column 3 is NaN"), std::string::npos);
}

// f16 m16n8k32, rows 0 and 8, selector 1, the first eight groups: PTX puts groups 0-3 in lane 2 and 4-7 in
// lane 3, row 8 in the upper half-word.
TEST(Metadata, StandsWhereTheInstructionReadsIt) {
  const auto& i = isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32");
  PackedMatrix m(ElementType::f16, 16, 32);
  for (std::int64_t c = 2; c < 32; c += 4) {  // row 0 keeps columns 2 and 3 of each group: code 0xE
    m.set_bits(0, c, 0x3c00);
    m.set_bits(0, c + 1, 0x3c00);
  }
  m.set_bits(8, 1, 0x3c00);  // row 8, group 0: columns 1 and 3, code 0xD
  m.set_bits(8, 3, 0x3c00);
  const auto words = metadata_registers(compress(m), i, 0, 0, 1);
  EXPECT_EQ(words[2], 0x444DEEEEu);
  EXPECT_EQ(words[3], 0x4444EEEEu);
  EXPECT_EQ(words[0], 0u);
  EXPECT_EQ(words[6], 0x44444444u);
}

}  // namespace
}  // namespace twofour::emu
