#pragma once
// Slow, independent answers for the tests: they share no code with emu/. Elements come and go as raw words.
#include <cstdint>
#include <random>
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/isa/instruction.h"

namespace twofour::oracle {

/// The rows of the table that a Tensor Core of sm_80 executes itself: mma and mma.sp, not the quad-pair one.
std::vector<isa::Instruction> sm_80_tensor_core_rows();

/// c + a . b of a float instruction, from the published description of Ampere's blocks, evaluated in double
/// arithmetic (every intermediate value is exact there).
std::uint32_t ampere_float_dot(const isa::Instruction& i, const std::vector<std::uint32_t>& a,
                               const std::vector<std::uint32_t>& b, std::uint32_t c);

/// c + a . b of an integer or single-bit instruction, by 64-bit sums.
std::int32_t integer_dot(const isa::Instruction& i, const std::vector<std::uint32_t>& a,
                         const std::vector<std::uint32_t>& b, std::int32_t c);

/// A raw word of the type: all words for integers; floats by class, so that zeros, subnormals, ties,
/// cancellation, large numbers and (if specials) NaN and infinities all occur.
std::uint32_t random_word(isa::ElementType type, std::mt19937& random, bool specials);

/// A matrix of random words; `sparse` leaves at most the kept elements of each group non-zero.
emu::PackedMatrix random_matrix(isa::ElementType type, std::int64_t rows, std::int64_t cols,
                                std::mt19937& random, bool specials, bool sparse = false);

}  // namespace twofour::oracle
