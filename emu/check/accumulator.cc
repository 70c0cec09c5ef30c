#include "twofour/emu/check/accumulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/warp/selected_columns.h"
#include "twofour/isa/layout.h"

namespace twofour::emu::check {
namespace {

using isa::Operand;

std::string place(const isa::Instruction& i, int lane, int index) {
  const isa::Coordinate at = isa::coordinate(i, Operand::d, lane, index);
  return fmt::format("row {} column {} of D (element {} of lane {})", at.row, at.col, index, lane);
}

bool wraps(std::uint32_t c, std::uint32_t d) {
  return (std::int32_t((c ^ d) & ((d - c) ^ d)) < 0);
}

enum class Kind : std::uint8_t { finite, infinite, nan };

Kind kind_of(isa::ElementType type, std::uint64_t word) {
  if (type == isa::ElementType::f64) {
    constexpr std::uint64_t infinity = 0x7ff0'0000'0000'0000;
    const std::uint64_t magnitude = word & ~(std::uint64_t{1} << 63);
    return magnitude < infinity ? Kind::finite : magnitude == infinity ? Kind::infinite : Kind::nan;
  }
  const FloatFormat format = float_format(type);
  const std::uint32_t w = operand_word(type, std::uint32_t(word));
  return format.is_nan(w) ? Kind::nan : format.is_infinite(w) ? Kind::infinite : Kind::finite;
}

/// Whether any element may not be finite: its exponent is all ones.
bool any_special(const isa::Instruction& i, const Fragment& d) {
  const int width = isa::bits(i.d);
  const std::uint32_t low = width == 16 ? 0x7c00 : 0, high = width == 16   ? 0x7c000000
                                                             : width == 32 ? 0x7f800000
                                                                           : 0x7ff00000;
  const int step = width == 64 ? 2 : 1;
  std::uint32_t found = 0;
  for (int r = step - 1; r < isa::registers(i, Operand::d); r += step)
    for (const std::uint32_t w : d.word[std::size_t(r)])
      found |= std::uint32_t((w & high) == high) | std::uint32_t(low != 0 && (w & low) == low);
  return found != 0;
}

/// Kinds of the elements of a tile of A, B or C, by row.
class Kinds {
 public:
  Kinds(const isa::Instruction& i, Operand o, const Fragment& f) : cols_(isa::tile(i, o).n) {
    kinds_.resize(std::size_t(isa::tile(i, o).m * cols_));
    const isa::ElementType type = isa::element(i, o);
    for (int lane = 0; lane < warp_lanes; ++lane)
      for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
        const isa::Coordinate at = isa::coordinate(i, o, lane, index);
        kinds_[std::size_t(at.row * cols_ + at.col)] =
            kind_of(type, element_word(f, lane, index, isa::bits(type)));
      }
  }
  Kind at(int row, int col) const { return kinds_[std::size_t(row * cols_ + col)]; }

 private:
  int cols_;
  std::vector<Kind> kinds_;
};

/// What the elements of D are made of.
class Inputs {
 public:
  Inputs(const isa::Instruction& i, const MmaOperands& x)
      : i_(i), a_(i, Operand::a, x.a), b_(i, Operand::b, x.b), c_(i, Operand::c, x.c) {
    select_columns(i, x.metadata.data(), x.selector, columns_);
  }
  /// The worst kind among C's element and the products of (row, col).
  Kind worst(int row, int col) const {
    Kind k = c_.at(row, col);
    const int product = row / i_.shape.m, stored = i_.stored_k();
    for (int kc = 0; kc < stored; ++kc) {
      const int from = columns_[std::size_t(row % i_.shape.m * stored + kc)];
      k = std::max({k, a_.at(row, kc), b_.at(from, product * i_.shape.n + col)});
    }
    return k;
  }

 private:
  const isa::Instruction& i_;
  Kinds a_, b_, c_;
  SelectedColumns columns_;
};

}  // namespace

BadResult integer_overflow(const isa::Instruction& i, const Fragment& c, const Fragment& d) {
  BadResult bad;
  std::uint32_t any = 0;
  const int count = isa::registers(i, Operand::d);
  for (std::size_t r = 0; r < std::size_t(count); ++r)
    for (std::size_t l = 0; l < warp_lanes; ++l)
      any |= (c.word[r][l] ^ d.word[r][l]) & ((d.word[r][l] - c.word[r][l]) ^ d.word[r][l]);
  if (std::int32_t(any) >= 0) return bad;
  bad.error = fmt::format("{} accumulator overflows", isa::name(i.d));
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int r = 0; r < count; ++r) {
      const std::uint32_t before = c.word[std::size_t(r)][std::size_t(lane)],
                          after = d.word[std::size_t(r)][std::size_t(lane)];
      if (!wraps(before, after)) continue;
      bad.lanes |= 1u << lane;
      if (!bad.detail.empty()) continue;
      const std::int64_t from = std::int32_t(before), sum = std::int32_t(after - before);
      bad.detail = fmt::format("{}: {} + {} is {}, the result wraps to {}", place(i, lane, r), from, sum,
                               from + sum, std::int32_t(after));
    }
  return bad;
}

FloatResults bad_floats(const isa::Instruction& i, const MmaOperands& operands, const Fragment& d) {
  FloatResults out;
  if (!any_special(i, d)) return out;
  const Inputs inputs(i, operands);
  const int width = isa::bits(i.d);
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, Operand::d); ++index) {
      const std::uint64_t word = element_word(d, lane, index, width);
      const Kind result = kind_of(i.d, word);
      if (result == Kind::finite) continue;
      const isa::Coordinate at = isa::coordinate(i, Operand::d, lane, index);
      const Kind worst = inputs.worst(at.row, at.col);
      if (worst >= result) continue;
      const bool infinite = result == Kind::infinite;
      BadResult& bad = infinite ? out.overflow : out.nan;
      bad.lanes |= 1u << lane;
      if (!bad.detail.empty()) continue;
      bad.error = infinite ? fmt::format("{} accumulator overflows", isa::name(i.d))
                           : "NaN from operands without NaN";
      bad.detail = fmt::format("{} is {} (0x{:0{}x}), {}", place(i, lane, index),
                               infinite ? "infinite" : "NaN", word, width / 4,
                               infinite                  ? "its operands are finite"
                               : worst == Kind::infinite ? "from infinities of both signs or 0 * infinity"
                                                         : "its operands are finite");
    }
  return out;
}

}  // namespace twofour::emu::check
