#include "twofour/emu/matrix/warp_gemm.h"

#include <utility>

namespace twofour::emu {

Fragment load_fragment(const isa::Instruction& i, isa::Operand o, const PackedMatrix& m, std::int64_t row0,
                       std::int64_t col0) {
  Fragment f;
  const int width = isa::bits(m.type());
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
      isa::Coordinate at = isa::coordinate(i, o, lane, index);
      if (o == isa::Operand::b) std::swap(at.row, at.col);
      if (row0 + at.row >= m.rows() || col0 + at.col >= m.cols()) continue;
      put_element(f, lane, index, width, m.bits(row0 + at.row, col0 + at.col));
    }
  return f;
}

void store_fragment(const isa::Instruction& i, const Fragment& d, PackedMatrix& m, std::int64_t row0,
                    std::int64_t col0) {
  const int width = isa::bits(i.d);
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, isa::Operand::d); ++index) {
      const isa::Coordinate at = isa::coordinate(i, isa::Operand::d, lane, index);
      if (row0 + at.row >= m.rows() || col0 + at.col >= m.cols()) continue;
      m.set_bits(row0 + at.row, col0 + at.col, element_word(d, lane, index, width));
    }
}

Fragment warp_gemm_tile(const isa::Instruction& i, const PackedMatrix& a, const SparseMatrix* sparse,
                        const PackedMatrix& b, const PackedMatrix* c, std::int64_t tile_m,
                        std::int64_t tile_n, const NumericOptions& options) {
  const std::int64_t m = tile_m * i.shape.m, n = tile_n * i.shape.n;
  MmaOperands x;
  if (c != nullptr) x.c = load_fragment(i, isa::Operand::c, *c, m, n);
  for (std::int64_t k = 0; k < b.cols() / i.shape.k; ++k) {
    x.a = load_fragment(i, isa::Operand::a, a, m, k * i.stored_k());
    x.b = load_fragment(i, isa::Operand::b, b, n, k * i.shape.k);
    if (sparse != nullptr) {
      x.selector = int(k % i.selectors());
      x.metadata = metadata_registers(*sparse, i, tile_m, k, x.selector);
    }
    x.c = execute_by_definition(i, x, options);
  }
  return x.c;
}

}  // namespace twofour::emu
