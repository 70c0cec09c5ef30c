#include "twofour/emu/arbitrary/bit_planes.h"

#include <gtest/gtest.h>

#include "forms.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

std::string message(const auto& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(BitPlanes, PlanesLieBelowEachOther) {
  const BitForm form{3, 2, BitEncoding::signed_weights};
  // -4 = 100b, 3 = 011b, -1 = 111b, 1 = 001b
  const Values w{2, 2, {-4, 3, -1, 1}};
  const BitPlanes planes = weight_planes(form, w.packed());
  EXPECT_EQ(planes.rows, 2);
  EXPECT_EQ(planes.k, 2);
  ASSERT_EQ(planes.bits.rows(), 6);
  const int expected[6][2] = {{0, 1}, {1, 1}, {0, 1}, {1, 0}, {1, 0}, {1, 0}};
  for (int r = 0; r < 6; ++r)
    for (int c = 0; c < 2; ++c) EXPECT_EQ(int(planes.bits.bits(r, c)), expected[r][c]) << r << "," << c;
  EXPECT_EQ(count_ones(planes), (std::vector<std::int32_t>{1, 2, 1, 1, 1, 1}));
}

TEST(BitPlanes, EveryBitOfEveryElement) {
  std::mt19937 random(1);
  for (const std::int64_t k : {1, 7, 8, 9, 31, 64, 77}) {
    const BitForm form{8, 8, BitEncoding::unsigned_weights};
    const Values v = random_values(weight_values(form), 3, k, random);
    const BitPlanes planes = weight_planes(form, v.packed());
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t c = 0; c < k; ++c)
        for (int bit = 0; bit < 8; ++bit)
          ASSERT_EQ(int(planes.bits.bits(bit * 3 + r, c)), v.row(r)[c] >> bit & 1) << k;
  }
}

TEST(BitPlanes, BipolarOperandsAreOneBit) {
  const BitForm form{1, 1, BitEncoding::bipolar};
  const BitPlanes from_bytes = weight_planes(form, Values{1, 3, {1, -1, 1}}.packed());
  EXPECT_EQ(int(from_bytes.bits.row(0)[0]), 0b101);
  PackedMatrix bits(ElementType::b1, 1, 3);
  bits.set_bits(0, 0, 1);
  bits.set_bits(0, 2, 1);
  EXPECT_EQ(weight_planes(form, bits), from_bytes);
  EXPECT_EQ(operand_value(bits, 0, 1, weight_range(form)), -1);
}

TEST(BitPlanes, RefusesValuesOutOfRange) {
  const BitForm form{2, 3, BitEncoding::signed_weights};
  EXPECT_EQ(message([&] {
              weight_planes(form, Values{2, 2, {0, 1, -2, 2}}.packed());
            }),
            "element 2 in row 1, column 1; the operand takes -2 to 1");
  EXPECT_EQ(message([&] {
              activation_planes(form, Values{1, 2, {-1, 1}}.packed());
            }),
            "element -1 in row 0, column 0; the operand takes 0 to 7");
  const BitForm bipolar{1, 1, BitEncoding::bipolar};
  EXPECT_EQ(message([&] {
              activation_planes(bipolar, Values{1, 2, {1, 0}}.packed());
            }),
            "element 0 in row 0, column 1; the operand takes -1 or 1");
  EXPECT_THROW(weight_planes(form, PackedMatrix(ElementType::f16, 1, 1)), Error);
  EXPECT_THROW(weight_planes(form, PackedMatrix(ElementType::s32, 1, 1)), Error);
}

TEST(BitPlanes, WidthsAndEncodingsByName) {
  const auto w2a3 = parse_bit_widths("w2a3");
  ASSERT_TRUE(w2a3);
  EXPECT_EQ(w2a3->weight, 2);
  EXPECT_EQ(w2a3->activation, 3);
  for (const char* other : {"", "w0a1", "w9a1", "w1a9", "w1a", "w11a1", "s8", "a1w1"})
    EXPECT_FALSE(parse_bit_widths(other)) << other;
  for (const BitForm& form : all_forms()) EXPECT_EQ(parse_bit_encoding(name(form.encoding)), form.encoding);
  EXPECT_THROW(parse_bit_encoding("octal"), Error);
}

TEST(BitPlanes, TheDefinitionRefusesWhatTheFormHasNot) {
  const BitForm form{2, 2, BitEncoding::signed_weights};
  const int w[] = {-2, 1}, x[] = {3, 3}, low[] = {-3, 0}, high[] = {4, 0};
  EXPECT_EQ(arbitrary_dot(form, w, x), -3);
  EXPECT_THROW(arbitrary_dot(form, low, x), Error);
  EXPECT_THROW(arbitrary_dot(form, w, high), Error);
  EXPECT_THROW(arbitrary_dot(form, w, std::span(x, 1)), Error);
}

}  // namespace
}  // namespace twofour::emu
