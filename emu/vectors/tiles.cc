#include "twofour/emu/vectors/tiles.h"

#include "twofour/emu/matrix/warp_gemm.h"
#include "twofour/isa/layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {

Tiles::Tiles(const isa::Instruction& i)
    : instruction(i),
      a(i.a, isa::tile(i, isa::Operand::a).m, isa::tile(i, isa::Operand::a).n),
      b(i.b, isa::tile(i, isa::Operand::b).n, isa::tile(i, isa::Operand::b).m),
      c(i.c, isa::tile(i, isa::Operand::c).m, isa::tile(i, isa::Operand::c).n),
      codes(std::size_t(i.shape.m * i.groups()), isa::make_code(0, 1)) {}

Case to_case(const Tiles& tiles, int selector) {
  const isa::Instruction& i = tiles.instruction;
  Case c{};
  c.instruction = i;
  c.operands.a = load_fragment(i, isa::Operand::a, tiles.a, 0, 0);
  c.operands.b = load_fragment(i, isa::Operand::b, tiles.b, 0, 0);
  c.operands.c = load_fragment(i, isa::Operand::c, tiles.c, 0, 0);
  if (!i.is_sparse()) return c;
  c.operands.selector = selector;
  c.operands.metadata.fill(tiles.other_metadata);
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group) {
      const auto place = isa::metadata_place(i, row, group, selector);
      auto& word = c.operands.metadata[std::size_t(place.lane)];
      const std::uint32_t code = tiles.codes[std::size_t(row * i.groups() + group)];
      word = (word & ~(0xFu << place.shift)) | code << place.shift;
    }
  return c;
}

}  // namespace twofour::emu
