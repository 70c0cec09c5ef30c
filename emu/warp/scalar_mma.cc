#include "twofour/emu/warp/scalar_mma.h"

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {
namespace {

using isa::Operand;

void gather(const isa::Instruction& i, Operand o, const Fragment& f, std::uint64_t* tile) {
  const int cols = isa::tile(i, o).n, width = isa::bits(isa::element(i, o));
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
      const isa::Coordinate at = isa::coordinate(i, o, lane, index);
      tile[at.row * cols + at.col] = element_word(f, lane, index, width);
    }
}

}  // namespace

ScalarMma::ScalarMma(const isa::Instruction& i, const MmaOperands& operands) : instruction_(i) {
  gather(i, Operand::a, operands.a, a_.data());
  gather(i, Operand::b, operands.b, b_.data());
  gather(i, Operand::c, operands.c, c_.data());
  select_columns(i, operands.metadata.data(), operands.selector, columns_);
}

std::uint64_t ScalarMma::element(int row, int col, const NumericOptions& options) const {
  const isa::Instruction& i = instruction_;
  const int product = row / i.shape.m, b_cols = i.products() * i.shape.n;
  const auto stored_k = std::size_t(i.stored_k());
  const std::int32_t* columns = columns_.data() + std::size_t(row % i.shape.m) * stored_k;
  std::array<std::uint64_t, max_stored_k> selected;
  for (std::size_t kc = 0; kc < stored_k; ++kc)
    selected[kc] = b_[std::size_t(columns[kc] * b_cols + product * i.shape.n + col)];
  return dot(i, {a_.data() + std::size_t(row) * stored_k, stored_k}, {selected.data(), stored_k},
             c_[std::size_t(row * i.shape.n + col)], options);
}

Fragment scalar_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  const ScalarMma mma(i, operands);
  Fragment d;
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, Operand::d); ++index) {
      const isa::Coordinate at = isa::coordinate(i, Operand::d, lane, index);
      put_element(d, lane, index, isa::bits(i.d), mma.element(at.row, at.col, options));
    }
  return d;
}

}  // namespace twofour::emu
