// Integers and single bits; the choice between types.
#include "twofour/emu/vectors/themes.h"

#include <limits>

#include "twofour/emu/vectors/float_themes.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using Limits = std::numeric_limits<std::int32_t>;

/// Least, greatest, 0, 1 and all ones, as bits.
std::uint64_t extreme(ElementType type, SplitMix64& random) {
  const std::uint64_t ones = (std::uint64_t(1) << isa::bits(type)) - 1, half = (ones >> 1) + 1;
  const std::uint64_t words[] = {0, 1, ones, half, half - 1};
  return random.pick(words);
}

/// Ends of s32, their neighbours out of reach of one product and of a few, and around zero.
std::uint64_t accumulator(SplitMix64& random) {
  const std::int64_t step = random.between(0, random.one_in(2) ? 100 : 2'000'000);
  const std::int64_t words[] = {
      Limits::max(), Limits::min(), Limits::max() - step, Limits::min() + step, 0, 1, -1};
  return std::uint64_t(random.pick(words));
}

void fill_c(Tiles& t, SplitMix64& random) {
  fill(t.c, [&] { return accumulator(random); });
}

void extremes(Tiles& t, SplitMix64& random) {
  fill(t.a, [&] { return extreme(t.a.type(), random); });
  fill(t.b, [&] { return extreme(t.b.type(), random); });
  fill_c(t, random);
}

/// Rows of A and columns of B of one value: the largest sums of both signs.
void largest_sums(Tiles& t, SplitMix64& random) {
  for (auto* m : {&t.a, &t.b})
    for (std::int64_t r = 0; r < m->rows(); ++r) {
      const std::uint64_t word = extreme(m->type(), random);
      for (std::int64_t k = 0; k < m->cols(); ++k) m->set_bits(r, k, word);
    }
  fill_c(t, random);
}

/// A large positive half and a large negative half of every row, or the other way round: sums that leave
/// s32 on the way but not at the end.
void there_and_back(Tiles& t, SplitMix64& random) {
  const std::uint64_t ones = (std::uint64_t(1) << isa::bits(t.a.type())) - 1, half = (ones >> 1) + 1;
  const std::int64_t middle = t.a.cols() / 2;
  for (std::int64_t r = 0; r < t.a.rows(); ++r) {
    const bool first = random.one_in(2);
    for (std::int64_t k = 0; k < t.a.cols(); ++k) t.a.set_bits(r, k, (k < middle) == first ? half : half - 1);
  }
  const std::uint64_t greatest = isa::is_signed(t.b.type()) ? half - 1 : ones;
  fill(t.b, [&] { return random.one_in(8) ? extreme(t.b.type(), random) : greatest; });
  fill_c(t, random);
}

void uniform(Tiles& t, SplitMix64& random) {
  fill(t.a, [&] { return random.next(); });
  fill(t.b, [&] { return random.next(); });
  fill(t.c, [&] { return random.next(); });
}

void uniform_near_the_ends(Tiles& t, SplitMix64& random) {
  uniform(t, random);
  fill_c(t, random);
}

constexpr Theme integer_boundary[]{
    {"extremes", extremes}, {"largest sums", largest_sums}, {"there and back", there_and_back}};
constexpr Theme integer_random[]{{"uniform", uniform}, {"uniform, c near the ends", uniform_near_the_ends}};

}  // namespace

std::span<const Theme> boundary_themes(const isa::Instruction& i) {
  if (!isa::is_float(i.a)) return integer_boundary;
  return i.a == ElementType::tf32 ? tf32_boundary_themes() : float_boundary_themes();
}

std::span<const Theme> random_themes(const isa::Instruction& i) {
  return isa::is_float(i.a) ? float_random_themes() : integer_random;
}

}  // namespace twofour::emu
