#pragma once
// Operand words for the tests: named boundary cases, and random ones by class.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/isa/instruction.h"

namespace twofour::oracle {

struct NamedWord {
  std::string name;
  std::uint64_t word;
};

/// Every boundary of a float type, with both signs: zero, subnormals, the smallest and largest normal
/// numbers, one and its neighbours, powers of two at the edges of the window, infinities, NaNs; of tf32 also
/// words that differ in the low 13 bits only.
std::vector<NamedWord> boundary_words(isa::ElementType type);

/// A raw word of the type: all words for integers; floats by class, so that zeros, subnormals, ties,
/// cancellation, large numbers and (if specials) NaN and infinities all occur.
std::uint64_t random_word(isa::ElementType type, std::mt19937& random, bool specials);

/// The operands of one element of D.
struct Operands {
  std::vector<std::uint64_t> a, b;
  std::uint64_t c;
};

/// Operands of an instruction's kept products, drawn anew each time from one of these: boundary words,
/// classes, cancellations, terms around the window's last place, and sums around the midpoints of the result.
Operands random_operands(const isa::Instruction& i, std::mt19937& random);

/// A matrix of random words; `sparse` leaves at most the kept elements of each group non-zero.
emu::PackedMatrix random_matrix(isa::ElementType type, std::int64_t rows, std::int64_t cols,
                                std::mt19937& random, bool specials, bool sparse = false);

}  // namespace twofour::oracle
