#include "twofour/emu/warp/mma.h"

#include <vector>

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::Operand;

/// Bits of element `index` of a lane.
std::uint64_t extract(const Fragment& f, int lane, int index, int width) {
  const int bit = index * width;
  if (width == 64) return f.word[bit / 32][lane] | std::uint64_t(f.word[bit / 32 + 1][lane]) << 32;
  const std::uint32_t word = f.word[bit / 32][lane] >> (bit % 32);
  return width == 32 ? word : word & ((1u << width) - 1);
}

void insert(Fragment& f, int lane, int index, int width, std::uint64_t value) {
  const int bit = index * width;
  f.word[bit / 32][lane] |= std::uint32_t(value << (bit % 32));
  if (width == 64) f.word[bit / 32 + 1][lane] = std::uint32_t(value >> 32);
}

/// An operand's tile, row-major.
struct Tile {
  int cols;
  std::vector<std::uint64_t> word;
  std::uint64_t& at(int r, int c) { return word[std::size_t(r * cols + c)]; }
};

Tile gather(const isa::Instruction& i, Operand o, const Fragment& f) {
  const isa::Shape size = isa::tile(i, o);
  Tile tile{size.n, std::vector<std::uint64_t>(std::size_t(size.m * size.n))};
  const int width = isa::bits(isa::element(i, o));
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
      const isa::Coordinate at = isa::coordinate(i, o, lane, index);
      tile.at(at.row, at.col) = extract(f, lane, index, width);
    }
  return tile;
}

/// Logical column of each stored column of a row of A.
std::vector<int> logical_columns(const isa::Instruction& i, const MmaOperands& operands, int row) {
  std::vector<int> columns(std::size_t(i.stored_k()));
  const int stored = i.is_sparse() ? isa::stored_columns(i.sparsity) : 1;
  for (int kc = 0; kc < i.stored_k(); ++kc) {
    columns[std::size_t(kc)] = kc;
    if (!i.is_sparse()) continue;
    const int group = kc / stored;
    const auto place = isa::metadata_place(i, row, group, operands.selector);
    const auto code = std::uint8_t(operands.metadata[std::size_t(place.lane)] >> place.shift & 0xF);
    columns[std::size_t(kc)] =
        group * isa::group_columns(i.sparsity) + isa::logical_column(i.sparsity, code, kc % stored);
  }
  return columns;
}

void check(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  if (i.is_sparse() && (operands.selector < 0 || operands.selector >= i.selectors()))
    fail("sparsity selector {} is out of range for {}: it takes 0 to {}", operands.selector, isa::ptx_name(i),
         i.selectors() - 1);
  if (options.satfinite && (isa::is_float(i.a) || i.a == isa::ElementType::b1))
    fail("{} has no .satfinite form", isa::ptx_name(i));
}

}  // namespace

Fragment execute(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  check(i, operands, options);
  Tile a = gather(i, Operand::a, operands.a), b = gather(i, Operand::b, operands.b);
  Tile c = gather(i, Operand::c, operands.c), d = c;
  const auto stored_k = std::size_t(i.stored_k());
  std::vector<std::uint64_t> selected(stored_k);
  for (int row = 0; row < i.shape.m; ++row) {
    const std::vector<int> columns = logical_columns(i, operands, row);
    for (int col = 0; col < i.shape.n; ++col) {
      for (std::size_t kc = 0; kc < stored_k; ++kc) selected[kc] = b.at(columns[kc], col);
      d.at(row, col) = dot(i, {&a.at(row, 0), stored_k}, selected, c.at(row, col), options);
    }
  }
  Fragment result;
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, Operand::d); ++index) {
      const isa::Coordinate at = isa::coordinate(i, Operand::d, lane, index);
      insert(result, lane, index, isa::bits(i.d), d.at(at.row, at.col));
    }
  return result;
}

}  // namespace twofour::emu
