#include "twofour/emu/warp/selected_columns.h"

#include "twofour/isa/sparsity.h"

namespace twofour::emu {

void select_columns(const isa::Instruction& instruction, const std::uint32_t* metadata, int selector,
                    SelectedColumns& out) {
  const isa::Instruction i = instruction;  // a copy that no store to `out` can change, for the compiler
  std::int32_t* next = out.data();
  if (!i.is_sparse()) {
    for (int row = 0; row < i.shape.m; ++row)
      for (int kc = 0; kc < i.shape.k; ++kc) *next++ = kc;
    return;
  }
  const int stored = isa::stored_columns(i.sparsity), logical = isa::group_columns(i.sparsity);
  const int groups = i.groups();
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < groups; ++group) {
      const auto place = isa::metadata_place(i, row, group, selector);
      const auto code = std::uint8_t(metadata[place.lane] >> place.shift & 0xF);
      for (int kc = 0; kc < stored; ++kc)
        *next++ = group * logical + isa::logical_column(i.sparsity, code, kc);
    }
}

}  // namespace twofour::emu
