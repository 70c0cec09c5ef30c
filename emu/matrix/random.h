#pragma once
#include <random>

#include "twofour/emu/matrix/packed_matrix.h"

namespace twofour::emu {

/// A matrix of random elements: integers uniform over their whole range; floats uniform in [-1, 1), rounded
/// toward zero. The same generator state gives the same bits on every machine.
PackedMatrix random_matrix(isa::ElementType type, std::int64_t rows, std::int64_t cols,
                           std::mt19937_64& random);

/// FNV-1a hash of a matrix's bytes: the same bits give the same number.
std::uint64_t checksum(const PackedMatrix& matrix);

}  // namespace twofour::emu
