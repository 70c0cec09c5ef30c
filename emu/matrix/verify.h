#pragma once
#include <string>

#include "twofour/emu/matrix/gemm.h"

namespace twofour::emu {

/// What a check of a GEMM's result found.
struct Verification {
  std::int64_t compared = 0, differing = 0;
  std::string against;  ///< what the elements were compared with, in words
};

/// Checks D = A B + C: every element of up to 256 instruction tiles, spread evenly over D, against a loop of
/// warp instructions; and for integers (without satfinite) against a plain 64-bit sum over the dense A: every
/// element, or every element of evenly spread rows where all of them would take over 2^32 multiply-adds.
Verification verify_gemm(const isa::Instruction& instruction, const PackedMatrix& stored_a,
                         const SparseMatrix* sparse, const PackedMatrix& b_transposed, const PackedMatrix* c,
                         const PackedMatrix& d, const NumericOptions& options = {});

}  // namespace twofour::emu
