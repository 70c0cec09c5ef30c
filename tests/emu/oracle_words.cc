#include "oracle_words.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "oracle.h"

namespace twofour::oracle {
namespace {

using isa::ElementType;
using std::uint64_t;

uint64_t top_field(const Format& f) {
  return (uint64_t(1) << f.exponent_bits) - 1;
}

uint64_t assemble(const Format& f, bool negative, uint64_t field, uint64_t fraction) {
  return ((uint64_t(negative) << f.exponent_bits | field) << f.fraction_bits | fraction) << f.unread;
}

/// (-1)^negative * 1.fraction * 2^exponent; a subnormal power of two below the normal range, the nearest end
/// outside of the range.
uint64_t scaled(const Format& f, bool negative, int exponent, uint64_t fraction) {
  const int lowest = f.min_exponent() - f.fraction_bits;
  if (exponent < f.min_exponent())
    return assemble(f, negative, 0, uint64_t(1) << (std::max(exponent, lowest) - lowest));
  const int highest = int(top_field(f)) - 1 - f.bias();
  return assemble(f, negative, uint64_t(std::min(exponent, highest) + f.bias()), fraction);
}

uint64_t random_fraction(const Format& f, std::mt19937& random) {
  const uint64_t ones = (uint64_t(1) << f.fraction_bits) - 1;
  switch (random() % 4) {
    case 0: return 0;
    case 1: return ones;
    default: return (uint64_t(random()) << 32 | random()) & ones;
  }
}

int between(std::mt19937& random, int low, int high) {
  return low + int(random() % unsigned(high - low + 1));
}

/// Factors whose product has the raw exponent `exponent`, as far as the range allows.
void set_product(Operands& o, std::size_t k, const Format& a, const Format& b, int exponent,
                 std::mt19937& random, bool power_of_two) {
  const int low = std::max(a.min_exponent(), exponent - b.bias());
  const int high = std::min(a.bias(), exponent - b.min_exponent());
  const int x = low <= high ? between(random, low, high) : exponent < 0 ? a.min_exponent() : a.bias();
  o.a[k] = scaled(a, random() & 1, x, power_of_two ? 0 : random_fraction(a, random));
  o.b[k] = scaled(b, random() & 1, exponent - x, power_of_two ? 0 : random_fraction(b, random));
}

struct Formats {
  Format a, b, c;
};

/// One or two large terms, the others around the last place that a window of 13 or of 22 to 26 bits keeps.
void window_edge(Operands& o, const Formats& f, std::mt19937& random) {
  const int least = std::max(f.a.min_exponent() + f.b.min_exponent(), -160), most = f.a.bias() + f.b.bias();
  const int anchor = between(random, least, std::min(most, 130));
  const int window = f.a.fraction_bits < 4 ? 13 : 24;
  const auto edge = [&] { return anchor - window + between(random, -4, 4); };
  for (std::size_t k = 0; k < o.a.size(); ++k)
    if (random() % 4 != 0) set_product(o, k, f.a, f.b, edge(), random, random() % 2 != 0);
  set_product(o, random() % o.a.size(), f.a, f.b, anchor, random, false);
  const int c = random() % 3 == 0 ? anchor + between(random, -2, 2) : edge();
  if (random() % 4 != 0) o.c = scaled(f.c, random() & 1, c, random_fraction(f.c, random));
}

/// c plus half a unit of its last place, and a little more or less.
void midpoint(Operands& o, const Formats& f, std::mt19937& random) {
  const int exponent = between(random, std::max(f.c.min_exponent(), -140), f.c.bias());
  o.c = scaled(f.c, random() & 1, exponent, random_fraction(f.c, random));
  if (random() % 8 == 0) o.c = assemble(f.c, random() & 1, 0, random_fraction(f.c, random));
  const int half = decode(f.c, o.c).exponent - f.c.fraction_bits - 1;
  set_product(o, 0, f.a, f.b, half, random, true);
  if (o.a.size() > 1 && random() % 4 != 0)
    set_product(o, 1, f.a, f.b, half - between(random, 0, 16), random, true);
}

uint64_t any_boundary(ElementType type, std::mt19937& random) {
  static const auto lists = [] {
    std::map<ElementType, std::vector<NamedWord>> all;
    for (const auto& info : isa::element_table)
      if (info.is_float) {
        const auto t = isa::parse_element(info.name);
        all[t] = boundary_words(t);
      }
    return all;
  }();
  const auto& list = lists.at(type);
  return list[random() % list.size()].word;
}

void random_classes(Operands& o, const isa::Instruction& i, std::mt19937& random) {
  const bool specials = random() % 4 == 0;
  for (std::size_t k = 0; k < o.a.size(); ++k) {
    o.a[k] = random_word(i.a, random, specials);
    o.b[k] = random_word(i.b, random, specials);
  }
  o.c = random_word(i.c, random, specials);
}

/// Products in pairs of opposite sign.
void cancel(Operands& o, const isa::Instruction& i) {
  for (std::size_t k = 1; k < o.a.size(); k += 2) {
    o.a[k] = o.a[k - 1];
    o.b[k] = o.b[k - 1] ^ uint64_t(1) << (isa::bits(i.b) - 1);
  }
}

void boundaries(Operands& o, const isa::Instruction& i, std::mt19937& random) {
  for (std::size_t k = 0; k < o.a.size(); ++k) {
    if (random() % 2 != 0) continue;  // specials are rare enough then to leave finite sums
    o.a[k] = any_boundary(i.a, random);
    o.b[k] = any_boundary(i.b, random);
  }
  o.c = any_boundary(i.c, random);
}

/// An f64 word in [-4, 4) whose products round.
uint64_t random_double(std::mt19937& random) {
  const double v = std::ldexp(double(random()), -29) - 4 + std::ldexp(double(random()), -80);
  uint64_t word = 0;
  std::memcpy(&word, &v, 8);
  return word;
}

/// Clears all but the kept elements of each group, which are chosen at random.
void clear_dropped(emu::PackedMatrix& m, std::mt19937& random) {
  const std::int64_t unit = isa::bits(m.type()) == 4 ? 2 : 1, units = isa::bits(m.type()) == 32 ? 2 : 4;
  for (std::int64_t r = 0; r < m.rows(); ++r)
    for (std::int64_t g = 0; g < m.cols(); g += unit * units) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(units));
      for (std::int64_t u = 0; u < units; ++u) order[std::size_t(u)] = u;
      std::shuffle(order.begin(), order.end(), random);
      for (std::int64_t u = 0; u < units / 2; ++u)
        for (std::int64_t e = 0; e < unit; ++e) m.set_bits(r, g + order[std::size_t(u)] * unit + e, 0);
    }
}

}  // namespace

std::vector<NamedWord> boundary_words(ElementType type) {
  const Format f = format(isa::name(type));
  const uint64_t ones = (uint64_t(1) << f.fraction_bits) - 1, half = uint64_t(1) << (f.fraction_bits - 1);
  const auto top = top_field(f), one = uint64_t(f.bias());
  std::vector<NamedWord> words;
  const auto add = [&](const std::string& name, uint64_t field, uint64_t fraction) {
    for (const bool negative : {false, true})
      words.push_back({(negative ? "-" : "+") + name, assemble(f, negative, field, fraction)});
  };
  add("zero", 0, 0);
  add("smallest subnormal", 0, 1);
  add("three units", 0, 3);
  add("half the smallest normal", 0, half);
  add("largest subnormal", 0, ones);
  add("smallest normal", 1, 0);
  add("smallest normal and a unit", 1, 1);
  add("one less a unit", one - 1, ones);
  add("one", one, 0);
  add("one and a unit", one, 1);
  add("one and a half", one, half);
  add("two less a unit", one, ones);
  add("largest", top - 1, ones);
  add("largest less a unit", top - 1, ones - 1);
  add("largest power of two", top - 1, 0);
  // Products of two of these lie 22 to 27 places below one, or above: the edges of every window, and of f16.
  for (const int e : {-14, -13, -12, -11, 1, 2, 4, 11, 12, 13})
    if (int(one) + e > 0 && uint64_t(int(one) + e) < top) add("2^" + std::to_string(e), one + uint64_t(e), 0);
  if (f.infinities) {
    add("infinity", top, 0);
    add("signalling NaN", top, 1);
    add("quiet NaN", top, half);
  }
  add(f.infinities ? "NaN of all ones" : "NaN", top, ones);
  // Where low bits are not read, the same words with some of them set: an infinity becomes a NaN to other
  // eyes.
  for (std::size_t k = 0, named = words.size(); f.unread > 0 && k < named; ++k)
    words.push_back({words[k].name + " and unread bits",
                     words[k].word | (k % 3 == 0 ? 1 : (uint64_t(1) << f.unread) - 1)});
  return words;
}

uint64_t random_word(ElementType type, std::mt19937& random, bool specials) {
  const int width = isa::bits(type);
  if (!isa::is_float(type)) return random() & (width >= 32 ? ~0u : (1u << width) - 1);
  const Format f = format(isa::name(type));
  const auto top = top_field(f), middle = uint64_t(f.bias());
  const uint64_t stored = (uint64_t(1) << (f.fraction_bits + f.unread)) - 1;
  uint64_t fraction = (uint64_t(random()) << 32 | random()) & stored, field = 0;
  switch (random() % 16) {
    case 0: fraction = 0; break;                                     // zero
    case 1: break;                                                   // subnormal
    case 2: field = random() % top; break;                           // anywhere
    case 3: field = top - 1 - random() % 3; break;                   // huge
    case 4: field = 1 + random() % 3; break;                         // tiny
    case 5: fraction = 0, field = middle + random() % 5 - 2; break;  // powers of two: ties, cancellation
    case 6:
      field = specials ? top : middle;
      fraction = random() % 2 ? 0 : fraction;
      break;
    default: field = middle + random() % 9 - 4;
  }
  return uint64_t(random() & 1) << (width - 1) | field << (f.fraction_bits + f.unread) | fraction;
}

Operands random_operands(const isa::Instruction& i, std::mt19937& random) {
  const auto count = std::size_t(i.stored_k());
  Operands o{std::vector<uint64_t>(count), std::vector<uint64_t>(count), 0};
  const bool is_float = isa::is_float(i.a);
  const unsigned kind = is_float ? random() % 8 : 0;
  if (kind <= 3) random_classes(o, i, random);
  if (kind == 3) cancel(o, i);
  if (kind == 4) boundaries(o, i, random);
  if (kind < 5) return o;
  const Formats f{format(isa::name(i.a)), format(isa::name(i.b)), format(isa::name(i.c))};
  if (kind <= 6)
    window_edge(o, f, random);
  else
    midpoint(o, f, random);
  return o;
}

emu::PackedMatrix random_matrix(ElementType type, std::int64_t rows, std::int64_t cols, std::mt19937& random,
                                bool specials, bool sparse) {
  emu::PackedMatrix m(type, rows, cols);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c)
      m.set_bits(r, c,
                 type == ElementType::f64 ? random_double(random) : random_word(type, random, specials));
  if (sparse) clear_dropped(m, random);
  return m;
}

}  // namespace twofour::oracle
