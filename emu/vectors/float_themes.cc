#include "twofour/emu/vectors/float_themes.h"

#include <algorithm>

namespace twofour::emu {
namespace {

using isa::ElementType;

/// Exponents of a product in whose window an accumulator has room on both sides: [low, high], and its half
/// that each factor takes.
struct Range {
  int low, high;
};
Range middle(const FloatWords& in, const FloatWords& out) {
  return {std::max({2 * in.min_exponent(), out.min_exponent(), -60}),
          std::min({2 * in.max_exponent(), out.max_exponent() - 1, 60})};
}

/// Zeros, the ends of the subnormals, the least normal numbers, and what they can be multiplied with.
std::uint64_t small_word(const FloatWords& f, SplitMix64& random) {
  const bool negative = random.one_in(2);
  switch (random.between(0, 7)) {
    case 0:
    case 1: return f.zero(negative);
    case 2: return f.subnormal(negative, 1);
    case 3: return f.subnormal(negative, ~std::uint64_t(0));
    case 4: return f.subnormal(negative, random.next());
    case 5: return f.number(negative, f.min_exponent());
    case 6: return f.number(negative, 0);
    default: return f.any(random, f.min_exponent(), f.max_exponent());
  }
}

void zeros_and_subnormals(Tiles& t, SplitMix64& random) {
  for (auto* m : {&t.a, &t.b, &t.c}) {
    const FloatWords f(m->type());
    fill(*m, [&] { return small_word(f, random); });
  }
}

/// Powers of two whose products lie just inside and outside of every generation's window (22 to 27 bits below
/// the largest), with some that have a fraction too.
void window_edges(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const Range range = middle(in, out);
  const int top = random.between((range.low + range.high) / 2, range.high),
            top_b = top - in.max_exponent() + 1;
  const int of_b = std::max({in.min_exponent(), top_b, random.between(-2, 2)});
  const int offsets[] = {0, 0, 1, 2, 21, 22, 23, 24, 25, 26, 27, random.between(3, 20)};
  const auto word = [&](const FloatWords& f, int zeros, int exponent) {
    const bool negative = random.one_in(2);
    if (zeros > 0 && random.one_in(zeros)) return f.zero(negative);
    return f.number(negative, exponent, random.one_in(4) ? random.next() : 0);
  };
  fill(t.a, [&] { return word(in, 8, top - of_b - random.pick(offsets)); });
  fill(t.b, [&] { return word(in, 0, of_b); });
  fill(t.c, [&] { return word(out, 4, top - random.pick(offsets)); });
}

/// c, half a unit of its last place or a quarter or one, and a little more or less: what rounding decides.
void ties(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  fill(t.b, [&] { return in.number(random.one_in(2), 0); });
  const int last = int(t.a.cols()) - 1;
  for (int row = 0; row < int(t.a.rows()); ++row) {
    const int lowest = std::max(out.min_exponent(), in.min_exponent() + out.fraction_bits() + 4);
    const int exponent = random.between(lowest, std::max(lowest, std::min(10, out.max_exponent() - 1)));
    const int unit = exponent - out.fraction_bits();
    for (int k = 0; k <= last; ++k) t.a.set_bits(row, k, in.zero(random.one_in(2)));
    const auto place = [&](int below, bool exact) {
      const int k = random.between(0, last);
      const bool negative = random.one_in(2);
      t.a.set_bits(row, k, in.number(negative, unit - below, exact ? 0 : random.next()));
    };
    if (!random.one_in(3)) place(random.between(2, 14), true);
    const bool exact = !random.one_in(4);
    place(random.between(0, 2), exact);
    for (int col = 0; col < int(t.c.cols()); ++col)
      t.c.set_bits(row, col, out.any(random, exponent, exponent));
  }
}

/// Neighbouring products that cancel (B is the same over every four columns, so that this holds in sparse
/// instructions too), with a small c or one disturbed product left over.
void cancellation(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const Range range = middle(in, out);
  const int high = std::min(in.max_exponent(), range.high / 2), low = std::max(in.min_exponent(), high - 8);
  std::uint64_t word = 0;
  const std::uint64_t sign = in.zero(true);
  for (std::int64_t n = 0; n < t.b.rows(); ++n)
    for (std::int64_t k = 0; k < t.b.cols(); ++k) {
      if (k % 4 == 0) word = in.any(random, low, high);
      t.b.set_bits(n, k, word);
    }
  for (std::int64_t r = 0; r < t.a.rows(); ++r) {
    for (std::int64_t k = 0; k < t.a.cols(); ++k) {
      word = k % 2 == 0 ? in.any(random, low, high) : word ^ sign;
      t.a.set_bits(r, k, word);
    }
    const int disturbed = random.between(0, int(t.a.cols()) - 1);
    if (random.one_in(2)) t.a.set_bits(r, disturbed, in.any(random, low, low + 2));
  }
  const int least = std::max(out.min_exponent(), 2 * high - 30);
  fill(t.c, [&] { return random.one_in(4) ? out.zero(random.one_in(2)) : out.any(random, least, 2 * high); });
}

/// NaN, infinities and infinity times zero among ordinary numbers, rare enough that every mixture occurs.
void nan_and_infinity(Tiles& t, SplitMix64& random) {
  const auto put = [&](PackedMatrix& m, int rarity) {
    const FloatWords f(m.type());
    fill(m, [&]() -> std::uint64_t {
      if (!random.one_in(rarity)) return random.one_in(8) ? f.zero(random.one_in(2)) : f.any(random, -4, 4);
      switch (random.between(0, 3)) {
        case 0: return f.nan(random);
        case 1: return f.max_finite(random.one_in(2));
        default: return f.infinity(random.one_in(2));
      }
    });
  };
  put(t.a, 2 * int(t.a.cols()));
  put(t.b, 2 * int(t.b.cols()));
  put(t.c, 8);
}

/// Sums around the largest finite number of the accumulator.
void overflow(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const int top = std::min(2 * in.max_exponent(), out.max_exponent());
  const int of_b = random.between(top - in.max_exponent(), top / 2);
  const bool negative = random.one_in(2);
  const auto opposite = [&] { return random.one_in(6) != negative; };
  fill(t.a, [&] {
    const bool sign = opposite();
    const int exponent = top - of_b - random.between(0, 9);
    return in.number(sign, exponent, random.one_in(2) ? random.next() : ~std::uint64_t(0));
  });
  fill(t.b, [&] { return in.number(false, of_b, random.one_in(2) ? random.next() : 0); });
  fill(t.c, [&] {
    const bool sign = opposite();
    if (random.one_in(3)) return out.max_finite(sign);
    const int exponent = out.max_exponent() - random.between(0, 4);
    return out.number(sign, exponent, random.next());
  });
}

/// Words whose low 13 bits are not zero: numbers, and NaN and subnormals that have no other bits.
void low_bits(Tiles& t, SplitMix64& random) {
  const FloatWords in(ElementType::tf32), out(t.c.type());
  const auto word = [&]() -> std::uint64_t {
    const std::uint64_t low = random.next() & 0x1fff;
    const bool negative = random.one_in(2);
    if (random.one_in(24)) return in.infinity(negative) | low;
    if (random.one_in(6)) return in.zero(negative) | low;
    const std::uint64_t high = in.any(random, -3, 3);
    return high | low;
  };
  fill(t.a, word);
  fill(t.b, word);
  fill(t.c, [&] { return out.any(random, -6, 6); });
}

// ---- random, by class of exponents
/// Elements from [low, high] with some zeros; c as wide as the products and as the window below them.
void fill_range(Tiles& t, SplitMix64& random, int low, int high) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const auto word = [&] { return random.one_in(8) ? in.zero(random.one_in(2)) : in.any(random, low, high); };
  fill(t.a, word);
  fill(t.b, word);
  const int highest = std::min(2 * high + 2, out.max_exponent());
  const int lowest = std::min(highest, std::max(2 * low - 27, out.min_exponent() - out.fraction_bits()));
  fill(t.c, [&] { return random.one_in(8) ? out.zero(random.one_in(2)) : out.any(random, lowest, highest); });
}

void near_one(Tiles& t, SplitMix64& random) {
  fill_range(t, random, -2, 1);
}
void wide(Tiles& t, SplitMix64& random) {
  fill_range(t, random, -10, 10);
}
/// Products about where the accumulator underflows.
void tiny(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const int centre = std::max((out.min_exponent() - out.fraction_bits() / 2) / 2, in.min_exponent() - 2);
  fill_range(t, random, centre - 6, centre + 6);
}
/// Products about where the accumulator or the input overflows.
void huge(Tiles& t, SplitMix64& random) {
  const FloatWords in(t.a.type()), out(t.c.type());
  const int centre = std::min(out.max_exponent() / 2, in.max_exponent()) - 2;
  fill_range(t, random, centre - 4, centre + 1);
}
void any_bits(Tiles& t, SplitMix64& random) {
  for (auto* m : {&t.a, &t.b, &t.c}) {
    const int width = isa::bits(m->type());
    fill(*m, [&] { return random.next() >> (64 - width); });
  }
}

constexpr Theme tf32_boundary[]{
    {"low 13 bits", low_bits},      {"zeros and subnormals", zeros_and_subnormals},
    {"window edges", window_edges}, {"ties", ties},
    {"cancellation", cancellation}, {"NaN and infinity", nan_and_infinity},
    {"overflow", overflow}};
constexpr std::span<const Theme> all_boundary = tf32_boundary;
constexpr Theme random_classes[]{
    {"near one", near_one}, {"wide", wide}, {"tiny", tiny}, {"huge", huge}, {"any bits", any_bits}};

}  // namespace

std::span<const Theme> float_boundary_themes() {
  return all_boundary.subspan(1);
}
std::span<const Theme> tf32_boundary_themes() {
  return all_boundary;
}
std::span<const Theme> float_random_themes() {
  return random_classes;
}

}  // namespace twofour::emu
