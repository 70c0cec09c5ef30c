#pragma once
#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/emu/numerics/rules.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// D[M x N] = A[M x K] B[K x N] + C, computed tile by tile with one instruction, k ascending: each element is
/// the chain of that instruction's blocks, so the bits equal a loop of warp instructions. B is given as its
/// transpose, N x K (the `.col` operand: K contiguous). M and N are free (tiles at the edge are cut off); K
/// must be a multiple of the instruction's k. C has the instruction's c type and is zero when null. Runs on
/// all OpenMP threads. Throws Error if types, sparsity or sizes do not fit the instruction.
PackedMatrix gemm(const isa::Instruction& instruction, const PackedMatrix& a,
                  const PackedMatrix& b_transposed, const PackedMatrix* c = nullptr,
                  const NumericOptions& options = {});
/// The sparse form: A compressed, a mma.sp instruction.
PackedMatrix gemm(const isa::Instruction& instruction, const SparseMatrix& a,
                  const PackedMatrix& b_transposed, const PackedMatrix* c = nullptr,
                  const NumericOptions& options = {});

/// The instruction with the largest k for these operand types; throws Error if the table has none.
const isa::Instruction& choose_instruction(isa::ElementType a, isa::ElementType b,
                                           isa::ElementType accumulator, bool sparse,
                                           isa::BitOp op = isa::BitOp::none);

}  // namespace twofour::emu
