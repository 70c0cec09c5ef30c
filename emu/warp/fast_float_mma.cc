// One float mma on the window kernel: rows of A are its broadcast side, the eight columns of B its lanes.
// All of A is one line of the kernel, and all of B.
#include <bit>
#include <cmath>
#include <optional>

#include "twofour/emu/numerics/half.h"
#include "twofour/emu/numerics/window.h"
#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/fast_tile.h"
#include "twofour/emu/warp/scalar_mma.h"
#include "twofour/emu/warp/selected_columns.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr int max_stored = 16, max_k = 32;  // of the float instructions
constexpr int widest = 16;                  // lanes of the widest kernel, of which eight count

/// What the kernel reads. A kernel of more than eight lanes reads past a row of B into the next, whose
/// results nobody reads.
struct Window {
  alignas(64) float a_value[max_rows * max_stored];
  alignas(64) std::uint32_t a_drop[max_rows * max_stored];
  alignas(64) float b_value[max_k * columns_n + widest];
  alignas(64) std::uint32_t b_byte[max_k * columns_n + widest];
  alignas(64) float accumulator[max_rows * widest];
  WindowLine a, b;
};

void load_a(const isa::Instruction& i, const Fragment& f, Window& w) {
  RowWords words;
  gather_rows(i, f, words);
  const int count = i.shape.m * i.stored_k();
  std::uint8_t drop[max_rows * max_stored];
  w.a = window_unpack(i.a, words.data(), count, w.a_value, drop);
  for (int n = 0; n < count; ++n) w.a_drop[n] = window_broadcast(drop[n]);
}

/// Columns of 16-bit elements, element k of column c at 8k + c.
void split_halves(const ColumnWords& words, int count, std::uint16_t* out) {
  for (int w = 0; w < count; ++w)
    for (int c = 0; c < columns_n; ++c) {
      const std::uint32_t word = words[std::size_t(w * columns_n + c)];
      out[2 * w * columns_n + c] = std::uint16_t(word);
      out[(2 * w + 1) * columns_n + c] = std::uint16_t(word >> 16);
    }
}

void load_b(const isa::Instruction& i, const Fragment& f, Window& w) {
  ColumnWords words;
  gather_columns(i, f, words);
  const int count = i.shape.k * columns_n;
  std::uint8_t drop[max_k * columns_n];
  std::uint16_t halves[max_k * columns_n];
  const bool split = isa::bits(i.b) == 16;
  if (split) split_halves(words, column_words(i), halves);
  w.b = window_unpack(i.b, split ? static_cast<const void*>(halves) : words.data(), count, w.b_value, drop);
  for (int n = 0; n < count; ++n) w.b_byte[n] = window_byte(i.b, drop[n]);
  std::fill_n(w.b_value + count, widest, 0.0f);
  std::fill_n(w.b_byte + count, widest, 0u);
}

/// The accumulators as f32, row by row in rows of `widest`.
void load_c(const isa::Instruction& i, const Fragment& f, float* out) {
  std::fill_n(out, max_rows * widest, 0.0f);
  if (i.c == ElementType::f32) {
    std::uint32_t words[max_rows * widest] = {};
    gather_accumulators(f, i.shape.m, widest, words);
    std::memcpy(out, words, sizeof words);
    return;
  }
  for (int row = 0; row < i.shape.m; ++row)
    for (int t = 0; t < 4; ++t) {
      const std::uint32_t word = f.word[std::size_t(row / 8)][std::size_t(4 * (row % 8) + t)];
      out[row * widest + 2 * t] = half_to_float(word & 0xffff);
      out[row * widest + 2 * t + 1] = half_to_float(word >> 16);
    }
}

void store_d(const isa::Instruction& i, const float* in, Fragment& d) {
  if (i.d == ElementType::f32) {
    std::uint32_t words[max_rows * widest];
    std::memcpy(words, in, sizeof words);
    scatter_accumulators(words, i.shape.m, widest, d);
    return;
  }
  for (int row = 0; row < i.shape.m; ++row)
    for (int t = 0; t < 4; ++t) {
      const float* pair = in + row * widest + 2 * t;
      d.word[std::size_t(row / 8)][std::size_t(4 * (row % 8) + t)] =
          float_to_half_exact(pair[0]) | std::uint32_t(float_to_half_exact(pair[1])) << 16;
    }
}

/// Whether the element (row, col) of C fits no window, one flag each.
struct Misfits {
  bool any = false;
  bool at[max_rows * widest] = {};
};

/// Scales the accumulators. Most lie so far from every limit that window_scale_c need not be asked.
void scale_c(const WindowRule& rule, double factor, int rows, float* c, Misfits& misfits) {
  const double inverse = 1 / factor;  // a power of two
  bool plain = true;
  for (int n = 0; n < rows * widest; ++n) {
    const float size = std::abs(c[n]), scaled = float(size * inverse);
    plain &= (size == 0) | ((size < 0x1p100f) & (scaled > 0x1p-90f) & (scaled < 0x1p100f));
  }
  if (plain) {
    for (int n = 0; n < rows * widest; ++n) c[n] = float(c[n] * inverse);
    return;
  }
  for (int n = 0; n < rows * widest; ++n) {
    float scaled = 0;
    misfits.at[n] = !window_scale_c(rule, c[n], factor, scaled);
    misfits.any |= misfits.at[n];
    c[n] = misfits.at[n] ? 0 : scaled;
  }
}

void multiply(const isa::Instruction& i, const MmaOperands& operands, const WindowRule& rule, Window& w) {
  const int stored_k = i.stored_k(), lanes = window_lanes();
  SelectedColumns columns;
  select_columns(i, operands, columns);
  const WindowKernel kernel = window_kernel(rule, false);
  for (int row = 0; row < i.shape.m; ++row)
    for (int col = 0; col < columns_n; col += lanes)
      kernel(rule, {stored_k / rule.products, w.a_value + row * stored_k, w.a_drop + row * stored_k,
                    columns.data() + row * stored_k, w.b_value + col,
                    reinterpret_cast<const std::uint8_t*>(w.b_byte + col), columns_n, 4 * columns_n,
                    w.accumulator + row * widest + col});
}

/// The elements that the window did not take, by the scalar definition.
void replace_misfits(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
                     const Misfits& misfits, Fragment& d) {
  const ScalarMma scalar(i, operands);
  const int width = isa::bits(i.d);
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, isa::Operand::d); ++index) {
      const isa::Coordinate at = isa::coordinate(i, isa::Operand::d, lane, index);
      if (misfits.at[at.row * widest + at.col])
        replace_element(d, lane, index, width, scalar.element(at.row, at.col, options));
    }
}

}  // namespace

bool fast_float_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
                    Fragment& d) {
  if (isa::bits(i.a) < 16) return false;
  const WindowRule rule = window_rule(options.architecture, i.a, i.d, i.stored_k());
  if (i.stored_k() % rule.products != 0) return false;
  Window w;
  load_a(i, operands.a, w);
  load_b(i, operands.b, w);
  if (!window_admits(rule, w.a, w.b, i.stored_k() / rule.products)) return false;
  load_c(i, operands.c, w.accumulator);
  const double factor = w.a.factor * w.b.factor;
  Misfits misfits;
  scale_c(rule, factor, i.shape.m, w.accumulator, misfits);
  multiply(i, operands, rule, w);
  for (float& x : w.accumulator) x = float(x * factor);
  store_d(i, w.accumulator, d);
  if (misfits.any) replace_misfits(i, operands, options, misfits, d);
  return true;
}

}  // namespace twofour::emu
