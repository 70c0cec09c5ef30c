#include "twofour/emu/numerics/dot.h"

#include <algorithm>
#include <limits>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/fma_chain.h"

namespace twofour::emu {
namespace {

using Words = std::span<const std::uint64_t>;

std::uint32_t float_dot(const isa::Instruction& i, Words a, Words b, std::uint32_t c,
                        const NumericOptions& options) {
  const isa::BlockRule& rule = isa::block_rule(options.architecture, i.a, i.d);
  std::uint32_t x[64], y[64];
  std::copy(a.begin(), a.end(), x);
  std::copy(b.begin(), b.end(), y);
  for (std::size_t at = 0; at < a.size(); at += std::size_t(rule.products)) {
    const std::size_t count = std::min(std::size_t(rule.products), a.size() - at);
    c = block_dot({i.a, i.b, i.d}, rule, {x + at, count}, {y + at, count}, c);
  }
  return c;
}

std::int64_t bit_count(isa::BitOp op, Words a, Words b) {
  std::int64_t ones = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    ones += std::int64_t(op == isa::BitOp::and_popc ? a[k] & b[k] : a[k] ^ b[k]);
  return ones;
}

std::int64_t integer_sum(const isa::Instruction& i, Words a, Words b) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += integer_value(i.a, a[k]) * integer_value(i.b, b[k]);
  return sum;
}

}  // namespace

std::int64_t integer_value(isa::ElementType type, std::uint64_t word) {
  const int shift = 64 - isa::bits(type);
  return isa::is_signed(type) ? std::int64_t(word << shift) >> shift : std::int64_t(word << shift >> shift);
}

std::uint64_t dot(const isa::Instruction& i, Words a, Words b, std::uint64_t c,
                  const NumericOptions& options) {
  using enum isa::ElementType;
  if (i.a == f64) return double_dot(a, b, c, options.rounding);
  if (i.is_quad_pair() && options.architecture != isa::Architecture::volta)
    return quad_pair_dot(i, a, b, std::uint32_t(c));
  if (isa::is_float(i.a)) return float_dot(i, a, b, std::uint32_t(c), options);
  std::int64_t sum = integer_value(s32, c) + (i.a == b1 ? bit_count(i.op, a, b) : integer_sum(i, a, b));
  if (options.satfinite) {
    using Limits = std::numeric_limits<std::int32_t>;
    sum = std::clamp<std::int64_t>(sum, Limits::min(), Limits::max());
  }
  return std::uint32_t(sum);
}

}  // namespace twofour::emu
