// Float GEMM by the window kernels, a panel of B and some rows of A at a time. What the window does not admit
// goes element by element: exponents too far apart to the same rule in integers, NaN and infinities to the
// scalar definition.
#include <algorithm>
#include <bit>

#include "twofour/emu/matrix/gemm_float_pack.h"
#include "twofour/emu/matrix/gemm_float_wide.h"
#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/half.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t tile_rows = 64, max_width = 64;
constexpr std::int64_t chunk = 64;  // rows of a panel that stay in the first cache: 20 KB of 64 columns

struct Context {
  const GemmTask& task;
  const isa::BlockRule& block;
  WindowRule rule;
  PackedRows a;
  PackedPanels b;
  PackedMatrix& d;

  std::int64_t blocks() const { return a.k / rule.products; }
};

/// A tile of D on its way: rows first_row.. by the columns of a panel.
struct Tile {
  std::int64_t panel, first_row, rows, first_col, cols;
  WindowLine columns;  // all columns as one line
  alignas(64) float acc[tile_rows][max_width];
  std::uint64_t scalar[tile_rows];  // a bit for each element that the window does not take
};

constexpr std::uint64_t bits_below(std::int64_t count) {
  return count == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << count) - 1;
}

WindowLine envelope(const WindowLine* lines, std::int64_t count) {
  WindowLine all = lines[0];
  for (std::int64_t i = 1; i < count; ++i) {
    all.highest = std::max(all.highest, lines[i].highest);
    all.lowest = std::min(all.lowest, lines[i].lowest);
    all.usable &= lines[i].usable;
  }
  return all;
}

/// Elements of a row of the tile whose operands the window does not take.
std::uint64_t refused_operands(const Context& x, const Tile& t, const WindowLine& a) {
  if (window_admits(x.rule, a, t.columns, x.blocks())) return 0;
  if (!a.usable) return bits_below(t.cols);
  std::uint64_t refused = 0;
  for (std::int64_t j = 0; j < t.cols; ++j)
    if (!window_admits(x.rule, a, x.b.line[std::size_t(t.first_col + j)], x.blocks()))
      refused |= std::uint64_t(1) << j;
  return refused;
}

float c_value(const PackedMatrix& c, std::int64_t row, std::int64_t col) {
  if (c.type() == isa::ElementType::f16) return half_to_float(c.row_as<std::uint16_t>(row)[col]);
  return c.row_as<float>(row)[col];
}

void load_c(const Context& x, Tile& t) {
  for (std::int64_t r = 0; r < t.rows; ++r) {
    const WindowLine& a = x.a.line[std::size_t(t.first_row + r)];
    t.scalar[r] = refused_operands(x, t, a);
    std::fill_n(t.acc[r], max_width, 0.0f);
    if (x.task.c == nullptr) continue;
    for (std::int64_t j = 0; j < t.cols; ++j) {
      const double factor = a.factor * x.b.line[std::size_t(t.first_col + j)].factor;
      if (window_scale_c(x.rule, c_value(*x.task.c, t.first_row + r, t.first_col + j), factor, t.acc[r][j]))
        continue;
      t.acc[r][j] = 0;
      t.scalar[r] |= std::uint64_t(1) << j;
    }
  }
}

void multiply(const Context& x, Tile& t) {
  const WindowKernel kernel = window_kernel(x.rule, x.b.vectors(t.panel) == 4);
  const std::byte* panel = x.b.data.data() + x.b.offset(t.panel);
  for (std::int64_t k0 = 0; k0 < x.a.k; k0 += x.a.chunk)
    for (std::int64_t r = 0; r < t.rows; ++r) {
      if (t.scalar[r] == bits_below(t.cols)) continue;
      const std::int64_t at = x.a.at(t.first_row + r, k0);
      kernel(x.rule, {x.a.length(k0) / x.rule.products, x.a.value.data() + at, x.a.drop.data() + at,
                      x.a.column.data() + (x.task.columns.empty() ? k0 : at), panel, t.acc[r]});
    }
}

void store_d(const Context& x, const Tile& t) {
  for (std::int64_t r = 0; r < t.rows; ++r) {
    const std::int64_t row = t.first_row + r;
    const WindowLine* b = x.b.line.data() + t.first_col;
    const double factor = x.a.line[std::size_t(row)].factor;
    if (x.rule.half)
      std::transform(t.acc[r], t.acc[r] + t.cols, x.d.row_as<std::uint16_t>(row) + t.first_col,
                     float_to_half_exact);
    else
      std::transform(
          t.acc[r], t.acc[r] + t.cols, b, x.d.row_as<float>(row) + t.first_col,
          [&](float acc, const WindowLine& column) { return float(acc * (factor * column.factor)); });
  }
}

/// The elements that the window does not take.
void finish_scalar(const Context& x, const Tile& t) {
  std::vector<WideLine> columns(std::size_t(t.cols));
  for (std::int64_t r = 0; r < t.rows; ++r) {
    if (t.scalar[r] == 0) continue;
    const std::int64_t row = t.first_row + r;
    const WideLine a = wide_line(x.task.a, row);
    for (std::uint64_t left = t.scalar[r]; left != 0; left &= left - 1) {
      const std::int64_t j = std::countr_zero(left), col = t.first_col + j;
      if (x.a.line[std::size_t(row)].finite && x.b.line[std::size_t(col)].finite) {
        WideLine& b = columns[std::size_t(j)];
        if (b.exponent.empty()) b = wide_line(x.task.b, col);
        x.d.set_bits(row, col, wide_element(x.task, x.block, x.rule.products, a, b, row, col));
      } else {
        x.d.set_bits(row, col, scalar_element(x.task, row, col));
      }
    }
  }
}

}  // namespace

void gemm_float(const GemmTask& task, PackedMatrix& d) {
  Context x{task,
            isa::block_rule(task.options.architecture, task.instruction.a, task.instruction.d),
            window_rule(task.options.architecture, task.instruction.a, task.instruction.d,
                        task.instruction.stored_k()),
            pack_rows(task.a, task.columns, task.columns.empty() ? chunk : chunk / 2),
            pack_panels(task.b),
            d};
  const std::int64_t row_tiles = (d.rows() + tile_rows - 1) / tile_rows;
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (std::int64_t panel = 0; panel < x.b.count(); ++panel)
    for (std::int64_t tile = 0; tile < row_tiles; ++tile) {
      Tile t;
      t.panel = panel;
      t.first_row = tile * tile_rows;
      t.rows = std::min(tile_rows, d.rows() - t.first_row);
      t.first_col = panel * x.b.full_width();
      t.cols = std::min(x.b.full_width(), d.cols() - t.first_col);
      t.columns = envelope(x.b.line.data() + t.first_col, t.cols);
      load_c(x, t);
      multiply(x, t);
      store_d(x, t);
      finish_scalar(x, t);
    }
}

}  // namespace twofour::emu
