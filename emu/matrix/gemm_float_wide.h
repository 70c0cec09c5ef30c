#pragma once
// Elements whose exponents lie too far apart for the window kernels. Private to emu/matrix.
#include <vector>

#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// A line of finite operands taken apart: significand with its sign, and raw exponent.
struct WideLine {
  std::vector<std::int32_t> significand, exponent;
};
/// A row of A or a column of B (a row of its transpose). Meaningless if it holds a NaN or an infinity.
WideLine wide_line(const PackedMatrix& matrix, std::int64_t row);

/// Element (row, col) of D from lines without NaN and infinities, `products` a block: block_dot() in 32-bit
/// integers.
std::uint64_t wide_element(const GemmTask& task, const isa::BlockRule& rule, int products, const WideLine& a,
                           const WideLine& b, std::int64_t row, std::int64_t col);

}  // namespace twofour::emu
