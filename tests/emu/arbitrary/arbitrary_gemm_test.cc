// w_p a_q products against sums of products in 64 bits: exhaustive, random, at the ends of the ranges, by
// both bit operations, and against the native 8-bit and 4-bit GEMM.
#include "twofour/emu/arbitrary/arbitrary_gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "forms.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

const isa::Instruction& by_and() {
  return choose_instruction(ElementType::b1, ElementType::b1, ElementType::s32, false, isa::BitOp::and_popc);
}
const isa::Instruction& by_xor() {
  return choose_instruction(ElementType::b1, ElementType::b1, ElementType::s32, false, isa::BitOp::xor_popc);
}
const isa::Instruction& turing() {
  return bit_instruction(BitEncoding::signed_weights, isa::Architecture::turing);
}

void expect_products(const BitForm& form, const Values& w, const Values& x, const isa::Instruction& i) {
  const PackedMatrix d =
      arbitrary_gemm(form, weight_planes(form, w.packed()), activation_planes(form, x.packed()), i);
  ASSERT_EQ(d.rows(), w.rows);
  ASSERT_EQ(d.cols(), x.rows);
  for (std::int64_t m = 0; m < w.rows; ++m)
    for (std::int64_t n = 0; n < x.rows; ++n) {
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < w.cols; ++k) sum += std::int64_t(w.row(m)[k]) * x.row(n)[k];
      ASSERT_EQ(d.integer(m, n), sum) << describe(form) << " " << isa::ptx_name(i) << " " << m << "," << n;
      if (m == n) {
        ASSERT_EQ(arbitrary_dot(form, w.row(m), x.row(n)), sum);
      }
    }
}

/// All sequences of k values, one a row.
Values all_rows(const std::vector<int>& from, int k) {
  Values v{1, k, {}};
  for (int i = 0; i < k; ++i) v.rows *= std::ssize(from);
  for (std::int64_t r = 0; r < v.rows; ++r)
    for (std::int64_t i = 0, rest = r; i < k; ++i, rest /= std::ssize(from))
      v.at.push_back(from[std::size_t(rest % std::ssize(from))]);
  return v;
}

TEST(ArbitraryGemm, EveryProductOfEveryForm) {
  for (const BitForm& form : all_forms())
    for (const auto* i : {&by_and(), &by_xor(), &turing()})
      expect_products(form, all_rows(weight_values(form), 1), all_rows(activation_values(form), 1), *i);
}

TEST(ArbitraryGemm, EverySumOfTwoAndThreeProductsOfNarrowForms) {
  for (const BitForm& form : all_forms())
    for (const int k : {2, 3}) {
      if (form.weight_bits * k > 6 || form.activation_bits * k > 6) continue;
      for (const auto* i : {&by_and(), &by_xor()})
        expect_products(form, all_rows(weight_values(form), k), all_rows(activation_values(form), k), *i);
    }
}

TEST(ArbitraryGemm, RandomOperandsOfAnyK) {
  std::mt19937 random(1);
  const std::int64_t sizes[] = {7, 127, 128, 129, 255, 257, 300, 513};
  int at = 0;
  for (const BitForm& form : all_forms())
    for (const auto* i : {&by_and(), &by_xor(), &turing()}) {
      const std::int64_t k = sizes[at++ % std::ssize(sizes)];
      const auto m = std::int64_t(1 + random() % 9), n = std::int64_t(1 + random() % 11);
      expect_products(form, random_values(weight_values(form), m, k, random),
                      random_values(activation_values(form), n, k, random), *i);
    }
}

TEST(ArbitraryGemm, ManyColumnsRunInBlocks) {
  std::mt19937 random(2);
  // 400 rows of 8 planes by 8 planes: blocks of fewer than 300 columns.
  const BitForm form{8, 8, BitEncoding::signed_weights};
  expect_products(form, random_values(weight_values(form), 400, 5, random),
                  random_values(activation_values(form), 300, 5, random), by_and());
  expect_products(form, random_values(weight_values(form), 400, 5, random),
                  random_values(activation_values(form), 300, 5, random), by_xor());
  const BitForm bipolar{1, 8, BitEncoding::bipolar_weights};
  expect_products(bipolar, random_values(weight_values(bipolar), 4000, 2, random),
                  random_values(activation_values(bipolar), 150, 2, random), by_and());
}

TEST(ArbitraryGemm, EndsOfTheRanges) {
  std::mt19937 random(3);
  for (const BitForm& form : all_forms()) {
    const auto w = weight_values(form), x = activation_values(form);
    for (const auto* i : {&by_and(), &by_xor()})
      expect_products(form, random_values({w.front(), w.back()}, 6, 261, random),
                      random_values({x.front(), x.back()}, 5, 261, random), *i);
  }
}

TEST(ArbitraryGemm, LongestSums) {
  struct Case {
    BitForm form;
    int w, x;
    std::int64_t k;  // the most whose sums of these fit in 32 bits
  };
  const Case cases[] = {{{8, 8, BitEncoding::signed_weights}, -128, 255, 65793},
                        {{8, 8, BitEncoding::unsigned_weights}, 255, 255, 33025},
                        {{1, 8, BitEncoding::bipolar_weights}, 1, 255, 8421504}};
  for (const Case& c : cases)
    for (const auto* i : {&by_and(), &by_xor()}) {
      const std::int64_t largest = std::int64_t(std::abs(c.w)) * c.x;
      EXPECT_LE(largest * c.k, std::numeric_limits<std::int32_t>::max());
      EXPECT_GT(largest * (c.k + 1), std::numeric_limits<std::int32_t>::max());
      const auto values = [&](int v, std::int64_t k) {
        PackedMatrix m(v > 127 ? ElementType::u8 : ElementType::s8, 1, k);
        std::ranges::fill(m.row(0), std::byte(v));
        return m;
      };
      const auto planes_w = weight_planes(c.form, values(c.w, c.k)),
                 planes_x = activation_planes(c.form, values(c.x, c.k));
      EXPECT_EQ(arbitrary_gemm(c.form, planes_w, planes_x, *i).integer(0, 0), std::int64_t(c.w) * c.x * c.k)
          << describe(c.form);
      const auto longer_w = empty_planes(c.form.weight_bits, 1, c.k + 1),
                 longer_x = empty_planes(c.form.activation_bits, 1, c.k + 1);
      EXPECT_THROW(arbitrary_gemm(c.form, longer_w, longer_x, *i), Error) << describe(c.form);
    }
}

TEST(ArbitraryGemm, EqualsTheNativeGemms) {
  std::mt19937 random(4);
  const std::tuple<int, ElementType, ElementType> natives[] = {{8, ElementType::s8, ElementType::u8},
                                                               {8, ElementType::u8, ElementType::u8},
                                                               {4, ElementType::s4, ElementType::u4},
                                                               {4, ElementType::u4, ElementType::u4}};
  for (const auto& [bits, a, b] : natives) {
    PackedMatrix w(a, 37, 384), x(b, 29, 384);
    for (auto* m : {&w, &x})
      for (std::int64_t r = 0; r < m->rows(); ++r)
        for (std::int64_t c = 0; c < m->cols(); ++c) m->set_bits(r, c, random());
    const BitForm form{bits, bits,
                       isa::is_signed(a) ? BitEncoding::signed_weights : BitEncoding::unsigned_weights};
    const auto native = gemm(choose_instruction(a, b, ElementType::s32, false), w, x);
    for (const auto* i : {&by_and(), &by_xor()})
      EXPECT_EQ(arbitrary_gemm(form, weight_planes(form, w), activation_planes(form, x), *i), native)
          << describe(form);
  }
}

TEST(ArbitraryGemm, ColumnsFilledUpWithZerosChangeNothing) {
  std::mt19937 random(5);
  for (const BitForm& form : {BitForm{3, 2, BitEncoding::signed_weights},
                              {1, 3, BitEncoding::bipolar_weights},
                              {1, 1, BitEncoding::bipolar}}) {
    const auto w = weight_planes(form, random_values(weight_values(form), 4, 100, random).packed());
    const auto x = activation_planes(form, random_values(activation_values(form), 3, 100, random).packed());
    auto wide_w = w, wide_x = x;
    wide_w.bits = padded(w.bits, w.bits.rows(), 700);
    wide_x.bits = padded(x.bits, x.bits.rows(), 640);
    for (const auto* i : {&by_and(), &by_xor()})
      EXPECT_EQ(arbitrary_gemm(form, wide_w, wide_x, *i), arbitrary_gemm(form, w, x, *i)) << describe(form);
  }
}

TEST(ArbitraryGemm, InstructionsByArchitecture) {
  const auto chosen = [](BitEncoding e, isa::Architecture a) {
    return isa::short_name(bit_instruction(e, a));
  };
  using enum BitEncoding;
  EXPECT_EQ(chosen(signed_weights, isa::Architecture::ampere), "m16n8k256.s32.b1.b1.s32.and");
  EXPECT_EQ(chosen(bipolar, isa::Architecture::ampere), "m16n8k256.s32.b1.b1.s32.xor");
  EXPECT_EQ(chosen(signed_weights, isa::Architecture::turing), "m8n8k128.s32.b1.b1.s32.xor");
  EXPECT_THROW(chosen(signed_weights, isa::Architecture::volta), Error);
}

TEST(ArbitraryGemm, RefusesWhatDoesNotFit) {
  const BitForm form{2, 3, BitEncoding::signed_weights};
  const auto planes = [](int count, std::int64_t k) { return empty_planes(count, 4, k); };
  EXPECT_NO_THROW(arbitrary_gemm(form, planes(2, 9), planes(3, 9), by_and()));
  EXPECT_THROW(arbitrary_gemm(form, planes(3, 9), planes(3, 9), by_and()), Error);
  EXPECT_THROW(arbitrary_gemm(form, planes(2, 9), planes(2, 9), by_and()), Error);
  EXPECT_THROW(arbitrary_gemm(form, planes(2, 9), planes(3, 10), by_and()), Error);
  EXPECT_THROW(arbitrary_gemm(form, planes(2, 9), planes(3, 9),
                              choose_instruction(ElementType::s8, ElementType::s8, ElementType::s32, false)),
               Error);
  for (const BitForm& illegal : {BitForm{0, 1, BitEncoding::signed_weights},
                                 {1, 9, BitEncoding::signed_weights},
                                 {2, 1, BitEncoding::bipolar_weights},
                                 {1, 2, BitEncoding::bipolar}})
    EXPECT_THROW(check(illegal), Error) << describe(illegal);
}

TEST(ArbitraryGemm, TheCheckFindsAWrongElement) {
  std::mt19937 random(6);
  const BitForm form{2, 3, BitEncoding::signed_weights};
  const auto w = random_values(weight_values(form), 5, 40, random).packed(),
             x = random_values(activation_values(form), 6, 40, random).packed();
  auto d = arbitrary_gemm(form, weight_planes(form, w), activation_planes(form, x), by_and());
  EXPECT_EQ(verify_arbitrary(form, w, x, d).differing, 0);
  EXPECT_EQ(verify_arbitrary(form, w, x, d).compared, 30);
  d.set_integer(4, 5, d.integer(4, 5) + 1);
  EXPECT_EQ(verify_arbitrary(form, w, x, d).differing, 1);
}

}  // namespace
}  // namespace twofour::emu
