#include "twofour/emu/replay/case_compare.h"

#include "twofour/isa/layout.h"

namespace twofour::emu {

std::optional<Mismatch> compare(const Case& c, isa::Architecture architecture) {
  const isa::Instruction& i = c.instruction;
  NumericOptions options = c.options;
  options.architecture = architecture;
  const Fragment computed = execute(i, c.operands, options);
  const int width = isa::bits(i.d), per_lane = isa::elements_per_lane(i, isa::Operand::d);
  Mismatch m;
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < per_lane; ++index) {
      const std::uint64_t theirs = element_word(*c.d, lane, index, width);
      const std::uint64_t ours = element_word(computed, lane, index, width);
      if (theirs == ours || m.differing++ > 0) continue;
      const isa::Coordinate at = isa::coordinate(i, isa::Operand::d, lane, index);
      m.line = c.lane_line[std::size_t(lane)], m.lane = lane;
      m.reg = index * width / 32, m.bit = index * width % 32;
      m.row = at.row, m.col = at.col;
      m.expected = theirs, m.computed = ours;
    }
  if (m.differing == 0) return std::nullopt;
  m.instruction = isa::short_name(i);
  m.digits = width / 4;
  m.elements = warp_lanes * per_lane;
  m.note = c.note;
  return m;
}

}  // namespace twofour::emu
