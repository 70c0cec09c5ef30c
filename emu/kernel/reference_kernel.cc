#include "twofour/emu/kernel/reference_kernel.h"

#include <algorithm>
#include <bit>

#include "twofour/emu/kernel/canonical_nan.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// A block of a matrix; what lies outside it is zero.
struct Block {
  std::int64_t row, rows, column, columns;
};

PackedMatrix cut(const PackedMatrix& x, const Block& b) {
  PackedMatrix out(x.type(), b.rows, b.columns);
  for (std::int64_t r = 0; r < std::min(b.rows, x.rows() - b.row); ++r)
    for (std::int64_t c = 0; c < std::min(b.columns, x.cols() - b.column); ++c)
      out.set_bits(r, c, x.bits(b.row + r, b.column + c));
  return out;
}

/// The same of a compressed matrix; the block's columns are logical.
SparseMatrix cut(const SparseMatrix& x, const Block& b, int group_columns) {
  SparseMatrix out;
  out.values = cut(x.values, {b.row, b.rows, b.column / 2, b.columns / 2});
  out.cols = b.columns;
  const std::int64_t groups = b.columns / group_columns, first = b.column / group_columns;
  for (std::int64_t r = b.row; r < b.row + b.rows; ++r)
    for (std::int64_t g = first; g < first + groups; ++g)
      out.codes.push_back(g < x.groups() ? x.code(r, g) : isa::make_code(0, 1));
  return out;
}

std::uint64_t added(ElementType type, std::uint64_t x, std::uint64_t y) {
  if (type == ElementType::s32) return std::uint32_t(x + y);
  if (type == ElementType::f64)
    return std::bit_cast<std::uint64_t>(std::bit_cast<double>(x) + std::bit_cast<double>(y));
  return canonical_word(std::bit_cast<float>(std::uint32_t(x)) + std::bit_cast<float>(std::uint32_t(y)));
}

/// f16 sums as f32, others as they are.
PackedMatrix widened(const PackedMatrix& x) {
  if (x.type() != ElementType::f16) return x;
  PackedMatrix out(ElementType::f32, x.rows(), x.cols());
  for (std::int64_t r = 0; r < x.rows(); ++r)
    for (std::int64_t c = 0; c < x.cols(); ++c)
      out.set_bits(r, c, canonical_word(half_to_float(std::uint32_t(x.bits(r, c)))));
  return out;
}

class Reference {
 public:
  Reference(const Kernel& k, const KernelOperands& x, const NumericOptions& numeric)
      : k_(k),
        x_(x),
        numeric_(numeric),
        b_(k.problem.conv ? im2col(*k.problem.conv, *x.b_transposed) : *x.b_transposed) {}

  PackedMatrix sums() const {
    const KernelProblem& p = k_.problem;
    if (k_.schedule.decomposition == Decomposition::data_parallel)
      return product({0, p.m, 0, 0}, {0, p.n, 0, 0}, 0, k_.chunks);
    const ElementType type = p.instruction->d == ElementType::f16 ? ElementType::f32 : p.instruction->d;
    PackedMatrix d(type, p.m, p.n);
    for (std::int64_t m = 0; m < k_.grid_m; ++m)
      for (std::int64_t n = 0; n < k_.grid_n; ++n) set_tile(d, m, n);
    return d;
  }

 private:
  /// Chunks begin .. end - 1 of some rows and columns of D, from C if they start with the first.
  PackedMatrix product(Block rows, Block columns, int begin, int end) const {
    const isa::Instruction& i = *k_.problem.instruction;
    rows.column = columns.column = std::int64_t(begin) * k_.chunk_k;
    rows.columns = columns.columns = std::int64_t(end - begin) * k_.chunk_k;
    const PackedMatrix b = cut(b_, columns);
    const bool from_c = k_.problem.c && begin == 0;
    const PackedMatrix c =
        from_c ? cut(*x_.c, {rows.row, rows.rows, columns.row, columns.rows}) : PackedMatrix();
    const PackedMatrix* start = from_c ? &c : nullptr;
    if (!i.is_sparse()) return gemm(i, cut(*x_.a, rows), b, start, numeric_);
    return gemm(i, cut(*x_.sparse, rows, isa::group_columns(i.sparsity)), b, start, numeric_);
  }

  /// First chunks of the shares of a tile's k, ascending.
  std::vector<int> shares(std::int64_t tile_m, std::int64_t tile_n) const {
    std::vector<int> begins;
    for (const auto& cta : grid(k_))
      for (const Work& w : cta)
        if (w.tile_m == tile_m && w.tile_n == tile_n && w.chunk_end > 0) begins.push_back(w.chunk_begin);
    std::sort(begins.begin(), begins.end());
    return begins;
  }

  void set_tile(PackedMatrix& d, std::int64_t tile_m, std::int64_t tile_n) const {
    const Tile& t = k_.schedule.tile;
    const Block rows{tile_m * t.m, std::min<std::int64_t>(t.m, d.rows() - tile_m * t.m), 0, 0};
    const Block columns{tile_n * t.n, std::min<std::int64_t>(t.n, d.cols() - tile_n * t.n), 0, 0};
    const std::vector<int> begins = shares(tile_m, tile_n);
    for (std::size_t s = 0; s < begins.size(); ++s) {
      const int end = s + 1 < begins.size() ? begins[s + 1] : k_.chunks;
      const PackedMatrix part = widened(product(rows, columns, begins[s], end));
      for (std::int64_t r = 0; r < rows.rows; ++r)
        for (std::int64_t c = 0; c < columns.rows; ++c) {
          const std::int64_t row = rows.row + r, column = columns.row + c;
          const std::uint64_t word = part.bits(r, c);
          d.set_bits(row, column, s == 0 ? word : added(d.type(), d.bits(row, column), word));
        }
    }
  }

  const Kernel& k_;
  const KernelOperands& x_;
  const NumericOptions& numeric_;
  PackedMatrix b_;
};

}  // namespace

PackedMatrix reference_kernel(const Kernel& k, const KernelOperands& x, const NumericOptions& numeric) {
  return apply_epilogue(k.problem.epilogue, Reference(k, x, numeric).sums(), x.epilogue);
}

}  // namespace twofour::emu
