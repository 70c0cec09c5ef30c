#pragma once
#include <span>
#include <string_view>

#include "twofour/emu/vectors/random_words.h"
#include "twofour/emu/vectors/tiles.h"

namespace twofour::emu {

/// One way to fill A, B and C (not the metadata). Two numbers are never drawn within one expression whose
/// order the language leaves open: compilers would differ.
struct Theme {
  std::string_view name;
  void (*fill)(Tiles& tiles, SplitMix64& random);
};

/// Every element of m, row by row, from word(), of which the element's bits count.
template <class Word>
void fill(PackedMatrix& m, const Word& word) {
  const std::uint64_t mask = ~std::uint64_t(0) >> (64 - isa::bits(m.type()));
  for (std::int64_t r = 0; r < m.rows(); ++r)
    for (std::int64_t k = 0; k < m.cols(); ++k) m.set_bits(r, k, word() & mask);
}

/// Boundary cases of the instruction's types.
std::span<const Theme> boundary_themes(const isa::Instruction& i);
/// Random cases: classes of exponents for floats.
std::span<const Theme> random_themes(const isa::Instruction& i);

}  // namespace twofour::emu
