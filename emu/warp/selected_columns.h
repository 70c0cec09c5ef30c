#pragma once
// Private to emu/warp, and to checkers of what it computes.
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// Largest number of stored columns of a row, and of their places in all 16 rows.
inline constexpr int max_stored_k = 256;
using SelectedColumns = std::array<std::int32_t, 16 * max_stored_k>;

/// Row of B that stored element kc of row r of A meets, at r * stored_k + kc: kc itself for a dense
/// instruction, what the metadata selects for a sparse one.
void select_columns(const isa::Instruction& i, const std::uint32_t* metadata, int selector,
                    SelectedColumns& out);

}  // namespace twofour::emu
