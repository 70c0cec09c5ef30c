#include "twofour/emu/matrix/sparse_matrix.h"

#include <algorithm>
#include <cstdlib>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

/// How one group of a matrix is cut: `units` selectable units of `unit` columns, `kept` of which may be
/// non-zero.
struct Grouping {
  isa::Sparsity form;
  int columns, unit, units, kept;
};

Grouping grouping(const PackedMatrix& m) {
  const isa::Sparsity form = isa::sparse_form(m.type());
  if (form == isa::Sparsity::dense)
    fail("{} has no sparse form: 2:4 exists for f16, bf16, s8 and u8, 1:2 for tf32, 4:8 pairs for s4 and u4",
         isa::name(m.type()));
  const int columns = isa::group_columns(form);
  if (m.cols() % columns != 0)
    fail(
        "{} columns are not a multiple of {}, the sparsity group of {}: pad the matrix with zeros to {} "
        "columns",
        m.cols(), columns, isa::name(m.type()), (m.cols() + columns - 1) / columns * columns);
  switch (form) {
    case isa::Sparsity::pairs_of_eight: return {form, columns, 2, 4, 2};
    case isa::Sparsity::one_of_two: return {form, columns, 1, 2, 1};
    default: return {form, columns, 1, 4, 2};
  }
}

bool is_zero(isa::ElementType type, std::uint64_t word) {
  return isa::is_float(type) ? float_format(type).is_zero(std::uint32_t(word)) : word == 0;
}

bool unit_is_zero(const PackedMatrix& m, std::int64_t row, std::int64_t col, int unit) {
  for (int i = 0; i < unit; ++i)
    if (!is_zero(m.type(), m.bits(row, col + i))) return false;
  return true;
}

int count_nonzeros(const PackedMatrix& m, const Grouping& g, std::int64_t row, std::int64_t first_col) {
  int count = 0;
  for (int u = 0; u < g.units; ++u) count += !unit_is_zero(m, row, first_col + u * g.unit, g.unit);
  return count;
}

/// A number that orders magnitudes: for floats the word without its sign, which orders as the magnitude does.
std::uint64_t magnitude(const PackedMatrix& m, std::int64_t row, std::int64_t col) {
  const std::uint64_t word = m.bits(row, col);
  if (!isa::is_float(m.type())) return std::uint64_t(std::abs(integer_value(m.type(), word)));
  const FloatFormat format = float_format(m.type());
  if (format.is_nan(std::uint32_t(word)))
    fail("row {}, column {} is NaN: a matrix with NaN cannot be pruned by magnitude", row, col);
  return word & format.magnitude_mask();
}

std::uint64_t unit_magnitude(const PackedMatrix& m, std::int64_t row, std::int64_t col, int unit) {
  std::uint64_t sum = 0;
  for (int i = 0; i < unit; ++i) sum += magnitude(m, row, col + i);
  return sum;
}

/// Kept units are those that fewer than `kept` others beat; of equal magnitudes the lower column wins.
void prune_group(const PackedMatrix& dense, const Grouping& g, std::int64_t row, std::int64_t first,
                 PackedMatrix& out) {
  std::array<std::uint64_t, 4> size{};
  for (int u = 0; u < g.units; ++u)
    size[std::size_t(u)] = unit_magnitude(dense, row, first + u * g.unit, g.unit);
  for (int u = 0; u < g.units; ++u) {
    int better = 0;
    for (int v = 0; v < g.units; ++v) {
      const auto x = size[std::size_t(v)], y = size[std::size_t(u)];
      better += x > y || (x == y && v < u);
    }
    if (better >= g.kept) continue;
    for (std::int64_t col = first + u * g.unit; col < first + (u + 1) * g.unit; ++col)
      out.set_bits(row, col, dense.bits(row, col));
  }
}

/// The ordered code of a group: its non-zero units, and the lowest free units where there are fewer than it
/// keeps.
std::uint8_t group_code(const PackedMatrix& m, const Grouping& g, std::int64_t row, std::int64_t first) {
  if (g.form == isa::Sparsity::one_of_two) return unit_is_zero(m, row, first + 1, 1) ? 0x4 : 0xE;
  std::array<bool, 4> kept{};
  int count = 0;
  for (int u = 0; u < 4; ++u)
    count += kept[std::size_t(u)] = !unit_is_zero(m, row, first + u * g.unit, g.unit);
  for (std::size_t u = 0; u < 4 && count < 2; ++u)
    if (!kept[u]) kept[u] = true, ++count;
  const auto idx0 = std::find(kept.begin(), kept.end(), true);
  const auto idx1 = std::find(idx0 + 1, kept.end(), true);
  return isa::make_code(int(idx0 - kept.begin()), int(idx1 - kept.begin()));
}

}  // namespace

std::int64_t count_violations(const PackedMatrix& dense, SparsityViolation* first) {
  const Grouping g = grouping(dense);
  std::int64_t violations = 0;
  for (std::int64_t row = 0; row < dense.rows(); ++row)
    for (std::int64_t group = 0; group < dense.cols() / g.columns; ++group) {
      const int nonzeros = count_nonzeros(dense, g, row, group * g.columns);
      if (nonzeros <= g.kept) continue;
      if (violations++ == 0 && first != nullptr) *first = {row, group, group * g.columns, nonzeros};
    }
  return violations;
}

PackedMatrix prune(const PackedMatrix& dense) {
  const Grouping g = grouping(dense);
  PackedMatrix out(dense.type(), dense.rows(), dense.cols());
  for (std::int64_t row = 0; row < dense.rows(); ++row)
    for (std::int64_t first = 0; first < dense.cols(); first += g.columns)
      prune_group(dense, g, row, first, out);
  return out;
}

SparseMatrix compress(const PackedMatrix& dense) {
  const Grouping g = grouping(dense);
  SparsityViolation bad{};
  if (const std::int64_t count = count_violations(dense, &bad); count > 0)
    fail(
        "the matrix is not {}: row {}, columns {} to {} hold {} non-zero {}, {} may be kept ({} such groups "
        "in all); prune it "
        "first",
        g.unit == 2 ? "4:8 in pairs" : (g.units == 2 ? "1:2" : "2:4"), bad.row, bad.first_column,
        bad.first_column + g.columns - 1, bad.nonzeros, g.unit == 2 ? "pairs" : "elements", g.kept, count);
  const std::int64_t groups = dense.cols() / g.columns;
  SparseMatrix out{PackedMatrix(dense.type(), dense.rows(), dense.cols() / 2), {}, dense.cols()};
  out.codes.resize(std::size_t(dense.rows() * groups));
  const int stored = isa::stored_columns(g.form);
  for (std::int64_t row = 0; row < dense.rows(); ++row)
    for (std::int64_t group = 0; group < groups; ++group) {
      const std::uint8_t code = group_code(dense, g, row, group * g.columns);
      out.codes[std::size_t(row * groups + group)] = code;
      for (int s = 0; s < stored; ++s)
        out.values.set_bits(row, group * stored + s,
                            dense.bits(row, group * g.columns + isa::logical_column(g.form, code, s)));
    }
  return out;
}

PackedMatrix decompress(const SparseMatrix& sparse) {
  const isa::Sparsity form = isa::sparse_form(sparse.values.type());
  const int columns = isa::group_columns(form), stored = isa::stored_columns(form);
  PackedMatrix out(sparse.values.type(), sparse.rows(), sparse.cols);
  for (std::int64_t row = 0; row < sparse.rows(); ++row)
    for (std::int64_t group = 0; group < sparse.groups(); ++group)
      for (int s = 0; s < stored; ++s)
        out.set_bits(row, group * columns + isa::logical_column(form, sparse.code(row, group), s),
                     sparse.values.bits(row, group * stored + s));
  return out;
}

std::array<std::uint32_t, 32> metadata_registers(const SparseMatrix& sparse, const isa::Instruction& i,
                                                 std::int64_t tile_row, std::int64_t tile_k, int selector) {
  return metadata_registers(sparse.codes, sparse.rows(), sparse.groups(), i, tile_row, tile_k, selector);
}

std::array<std::uint32_t, 32> metadata_registers(std::span<const std::uint8_t> codes, std::int64_t rows,
                                                 std::int64_t groups, const isa::Instruction& i,
                                                 std::int64_t tile_row, std::int64_t tile_k, int selector) {
  constexpr std::uint8_t filler = 0x4;  // keeps columns 0 and 1: legal for every type
  std::array<std::uint32_t, 32> words{};
  for (int r = 0; r < i.shape.m; ++r)
    for (int group = 0; group < i.groups(); ++group) {
      const std::int64_t row = tile_row * i.shape.m + r, at = tile_k * i.groups() + group;
      const bool inside = row < rows && at < groups;
      const auto place = isa::metadata_place(i, r, group, selector);
      const std::uint8_t code = inside ? codes[std::size_t(row * groups + at)] : filler;
      words[std::size_t(place.lane)] |= std::uint32_t(code) << place.shift;
    }
  return words;
}

}  // namespace twofour::emu
