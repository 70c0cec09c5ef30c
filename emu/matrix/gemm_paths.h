#pragma once
// The ways gemm() computes D, chosen by element type; each equals emu::dot() element by element. Private to
// emu/matrix.
#include "twofour/emu/matrix/gemm.h"

namespace twofour::emu {

/// Operands after checking. A holds the stored columns; `columns` gives, for a sparse A, the logical column
/// of each stored one (M x stored K); it is empty for a dense A.
struct GemmTask {
  const isa::Instruction& instruction;
  const PackedMatrix& a;
  const std::vector<std::int32_t>& columns;
  const PackedMatrix& b;
  const PackedMatrix* c;
  const NumericOptions& options;

  std::uint64_t c_word(std::int64_t row, std::int64_t col) const {
    return c != nullptr ? c->bits(row, col) : 0;
  }
};

/// Element (row, col) by the scalar definition: a chain of instructions, k ascending.
std::uint64_t scalar_element(const GemmTask& task, std::int64_t row, std::int64_t col);

/// f16, bf16 and tf32 inputs.
void gemm_float(const GemmTask& task, PackedMatrix& d);
/// f64.
void gemm_double(const GemmTask& task, PackedMatrix& d);
/// 8- and 4-bit integers and single bits, without satfinite. `dense_a` is A with its dropped elements as
/// zeros.
void gemm_integer(const GemmTask& task, const PackedMatrix& dense_a, PackedMatrix& d);

}  // namespace twofour::emu
