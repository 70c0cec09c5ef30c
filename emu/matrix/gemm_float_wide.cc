#include "twofour/emu/matrix/gemm_float_wide.h"

#include <algorithm>
#include <cstdlib>

#include "twofour/emu/numerics/block.h"

namespace twofour::emu {
namespace {

constexpr int max_products = 16;

/// tf32 words end in 13 zero bits, which the significand leaves out.
int dropped_bits(isa::ElementType type) {
  return type == isa::ElementType::tf32 ? 13 : 0;
}

/// magnitude >> distance, or 0 beyond the word.
std::int32_t shifted(std::int32_t magnitude, int distance) {
  return magnitude >> std::min(distance, 31);
}

struct Block {
  const std::int32_t *a, *a_exponent, *b, *b_exponent;
  int products;
};

/// The block's sum with c, and emax. `left` brings a product to units of 2^(its exponent - F).
std::int64_t block_sum(const Block& x, const isa::BlockRule& rule, int left, const Decoded& c, int c_left,
                       int& emax) {
  std::int32_t product[max_products], exponent[max_products];
  emax = c.significand == 0 ? rule.zero_exponent : c.exponent;
  const int c_exponent = emax;
  for (int i = 0; i < x.products; ++i) {
    product[i] = x.a[i] * x.b[i];
    exponent[i] = product[i] == 0 ? rule.zero_exponent : x.a_exponent[i] + x.b_exponent[i];
    emax = std::max(emax, exponent[i]);
  }
  const std::int32_t size = shifted(std::int32_t(c.significand) << c_left, emax - c_exponent);
  std::int64_t sum = c.negative ? -size : size;
  for (int i = 0; i < x.products; ++i) {
    const std::int32_t term = shifted(std::abs(product[i]) << left, emax - exponent[i]);
    sum += product[i] < 0 ? -term : term;
  }
  return sum;
}

}  // namespace

WideLine wide_line(const PackedMatrix& matrix, std::int64_t row) {
  const auto k = std::size_t(matrix.cols());
  const FloatFormat format = float_format(matrix.type());
  WideLine line{std::vector<std::int32_t>(k), std::vector<std::int32_t>(k)};
  for (std::size_t i = 0; i < k; ++i) {
    const auto word = operand_word(matrix.type(), std::uint32_t(matrix.bits(row, std::int64_t(i))));
    const Decoded d = decode(format, word);
    const auto significand = std::int32_t(d.significand >> dropped_bits(matrix.type()));
    line.significand[i] = d.negative ? -significand : significand;
    line.exponent[i] = d.exponent;
  }
  return line;
}

std::uint64_t wide_element(const GemmTask& task, const isa::BlockRule& rule, int products, const WideLine& a,
                           const WideLine& b, std::int64_t row, std::int64_t col) {
  const FloatFormat in = float_format(task.instruction.a), out = float_format(task.instruction.d);
  const int left = rule.fraction_bits - 2 * (in.fraction_bits - dropped_bits(task.instruction.a));
  const std::int64_t k_count = task.a.cols();
  auto c = std::uint32_t(task.c_word(row, col));
  std::int32_t significand[max_products], exponent[max_products];
  for (std::int64_t k = 0; k < k_count; k += products) {
    if (out.is_nan(c)) return out.magnitude_mask();
    if (out.is_infinite(c)) return c;  // finite products change nothing
    for (int i = 0; i < products; ++i) {
      const auto at =
          std::size_t(task.columns.empty() ? k + i : task.columns[std::size_t(row * k_count + k + i)]);
      significand[i] = b.significand[at];
      exponent[i] = b.exponent[at];
    }
    int emax = 0;
    const std::int64_t sum =
        block_sum({a.significand.data() + k, a.exponent.data() + k, significand, exponent, products}, rule,
                  left, decode(out, c), rule.fraction_bits - out.fraction_bits, emax);
    c = encode(out, rule.rounding, sum < 0, std::uint64_t(std::llabs(sum)), emax - rule.fraction_bits);
  }
  return c;
}

}  // namespace twofour::emu
