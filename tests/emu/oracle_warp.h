#pragma once
// Whole instructions by the oracle: the register layouts and the places of metadata are stated again, from
// the PTX ISA's description of the matrix fragments, and share no code with isa/ or emu/.
#include "oracle.h"
#include "twofour/emu/warp/mma.h"

namespace twofour::oracle {

/// Logical columns of the kept elements of one row of A; each metadata index selects on its own (tf32: the
/// first index decides).
std::vector<int> kept_columns(const isa::Instruction& i, const emu::MmaOperands& x, int row);

/// D of one instruction on the registers of 32 lanes.
emu::Fragment execute(const isa::Instruction& i, const emu::MmaOperands& x, const Options& options = {});

/// True if every element is the same (see `same`).
bool same(const isa::Instruction& i, const emu::Fragment& x, const emu::Fragment& y);

/// Registers of random words: rows of A, columns of B and elements of C as random_operands draws them,
/// metadata of any bits, any selector.
emu::MmaOperands random_registers(const isa::Instruction& i, std::mt19937& random);

}  // namespace twofour::oracle
