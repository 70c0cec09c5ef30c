#pragma once
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {

/// Registers of an operand's tile whose first element is (row0, col0) of the matrix; elements outside it are
/// zero. For operand B the matrix is B's transpose (n x k), and so is the tile.
Fragment load_fragment(const isa::Instruction& instruction, isa::Operand operand, const PackedMatrix& matrix,
                       std::int64_t row0, std::int64_t col0);
/// Stores a D fragment to (row0, col0); elements outside the matrix are dropped.
void store_fragment(const isa::Instruction& instruction, const Fragment& d, PackedMatrix& matrix,
                    std::int64_t row0, std::int64_t col0);

/// One tile of D (tile_m, tile_n counted in tiles) as a kernel computes it: a loop of warp instructions, k
/// ascending. Slow: it is what gemm() is checked against. `sparse` gives the metadata of a sparse
/// instruction, whose stored A is `a`; null for a dense one.
Fragment warp_gemm_tile(const isa::Instruction& instruction, const PackedMatrix& a,
                        const SparseMatrix* sparse, const PackedMatrix& b_transposed, const PackedMatrix* c,
                        std::int64_t tile_m, std::int64_t tile_n, const NumericOptions& options = {});

}  // namespace twofour::emu
