// One float mma on the window kernel: rows of A are its broadcast side, the eight columns of B its lanes.
// All of A is one line of the kernel, and all of B.
#include <algorithm>
#include <bit>
#include <cmath>

#include "twofour/emu/numerics/half.h"
#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/numerics/window.h"
#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/fast_tile.h"
#include "twofour/emu/warp/scalar_mma.h"
#include "twofour/emu/warp/selected_columns.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr int max_stored = 16, max_k = 32;  // of the float instructions
constexpr int widest = 16;                  // lanes of the widest kernel; eight of them count

/// f16 needs no scaling, so that one pass does: values, and drops for the broadcast side or bytes for the
/// lanes.
enum class Side { broadcast, lanes };
template <Side side>
TWOFOUR_ALWAYS_INLINE void halves_body(const std::uint16_t* in, int count, float* value,
                                       std::uint32_t* exponent, bool& special) {
  std::uint32_t highest = 0;
  for (int n = 0; n < count; ++n) {
    const std::uint32_t word = in[n], magnitude = word & 0x7fff, field = std::max(magnitude >> 10, 1u);
    const auto size = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112f);
    value[n] = std::bit_cast<float>(size | (word & 0x8000) << 16);
    const std::uint32_t drop = magnitude == 0 ? zero_drop : 30 - field;
    const std::uint32_t byte = magnitude == 0 ? 0 : window_byte(ElementType::f16, 0) - drop;
    exponent[n] = side == Side::broadcast ? drop * 0x01010101u : byte;
    highest = std::max(highest, field);
  }
  special = highest == 31;
}
TWOFOUR_SIMD_VARIANTS(unpack_rows,
                      (const std::uint16_t* in, int count, float* value, std::uint32_t* drop, bool& special),
                      halves_body<Side::broadcast>(in, count, value, drop, special))
TWOFOUR_SIMD_VARIANTS(unpack_columns,
                      (const std::uint16_t* in, int count, float* value, std::uint32_t* byte, bool& special),
                      halves_body<Side::lanes>(in, count, value, byte, special))

/// One instruction on its way through the kernel.
struct Window {
  alignas(64) float a_value[max_rows * max_stored];
  alignas(64) std::uint32_t a_drop[max_rows * max_stored];
  alignas(64) float b_value[max_k * columns_n];
  alignas(64) std::uint32_t b_byte[max_k * columns_n];
  alignas(64) std::byte side[max_k * 8 * widest];  // the kernel's vector sides, one after the other
  alignas(64) float accumulator[max_rows * widest];
  WindowLine a, b;
};

TWOFOUR_SIMD_VARIANTS(widen_drops, (const std::uint8_t* drop, int count, std::uint32_t* out),
                      for (int n = 0; n < count; ++n) out[n] = window_broadcast(drop[n]))
TWOFOUR_SIMD_VARIANTS(widen_bytes,
                      (ElementType type, const std::uint8_t* drop, int count, std::uint32_t* out),
                      for (int n = 0; n < count; ++n) out[n] = window_byte(type, drop[n]))

/// All of an operand, with every exponent that f16 has.
WindowLine f16_line(bool special) {
  WindowLine line;
  line.highest = 15;
  line.lowest = -14;
  line.usable = !special;
  return line;
}

void load_a(const isa::Instruction& i, const Fragment& f, Window& w) {
  RowWords words;
  gather_rows(i, f, words);
  const int count = i.shape.m * i.stored_k();
  if (i.a == ElementType::f16) {
    std::uint16_t halves[max_rows * max_stored];
    bool special = false;
    std::memcpy(halves, words.data(), 2 * std::size_t(count));
    unpack_rows(halves, count, w.a_value, w.a_drop, special);
    w.a = f16_line(special);
    return;
  }
  std::uint8_t drop[max_rows * max_stored];
  w.a = window_unpack(i.a, words.data(), count, w.a_value, drop);
  widen_drops(drop, count, w.a_drop);
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
  std::uint16_t halves[max_k * columns_n];
  const bool split = isa::bits(i.b) == 16;
  if (split) split_halves(words, column_words(i), halves);
  if (i.b == ElementType::f16) {
    bool special = false;
    unpack_columns(halves, count, w.b_value, w.b_byte, special);
    w.b = f16_line(special);
    return;
  }
  std::uint8_t drop[max_k * columns_n];
  w.b = window_unpack(i.b, split ? static_cast<const void*>(halves) : words.data(), count, w.b_value, drop);
  widen_bytes(i.b, drop, count, w.b_byte);
}

TWOFOUR_SIMD_VARIANTS(
    widen_halves, (const std::uint16_t* in, float* out), for (int n = 0; n < max_rows * columns_n; ++n) {
      const std::uint32_t word = in[n];
      const float size = std::bit_cast<float>((word & 0x7fff) << 13) * 0x1p112f;
      const std::uint32_t special = size >= 65536 ? 0x7f800000 : 0;  // infinities and NaN
      out[n] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | special | (word & 0x8000) << 16);
    })
TWOFOUR_SIMD_VARIANTS(narrow_floats, (const float* in, std::uint16_t* out),
                      for (int n = 0; n < max_rows * columns_n; ++n) out[n] = float_to_half_exact(in[n]))

/// The accumulators as f32, row by row in rows of `widest`. f16: the quads of register h are rows 8h..
void load_c(const isa::Instruction& i, const Fragment& f, float* out) {
  std::fill_n(out, max_rows * widest, 0.0f);
  if (i.c == ElementType::f32) {
    std::uint32_t words[max_rows * widest] = {};
    gather_accumulators(f, i.shape.m, widest, words);
    std::memcpy(out, words, sizeof words);
    return;
  }
  std::uint16_t halves[max_rows * columns_n];
  float value[max_rows * columns_n];
  std::memcpy(halves, f.word.data(), sizeof halves);
  widen_halves(halves, value);
  for (int row = 0; row < max_rows; ++row)
    std::copy_n(value + row * columns_n, columns_n, out + row * widest);
}

void store_d(const isa::Instruction& i, const float* in, Fragment& d) {
  if (i.d == ElementType::f32) {
    std::uint32_t words[max_rows * widest];
    std::memcpy(words, in, sizeof words);
    scatter_accumulators(words, i.shape.m, widest, d);
    return;
  }
  std::uint16_t halves[max_rows * columns_n];
  float value[max_rows * columns_n];
  for (int row = 0; row < max_rows; ++row) std::copy_n(in + row * widest, columns_n, value + row * columns_n);
  narrow_floats(value, halves);
  std::memcpy(d.word.data(), halves, sizeof halves);
}

/// Whether the element (row, col) of C fits no window, one flag each.
struct Misfits {
  bool any = false;
  bool at[max_rows * widest] = {};
};

/// Whether every accumulator is zero, or far enough from overflow, and over 2^exponent from both limits of
/// the window's own accumulators, that window_scale_c need not be asked.
TWOFOUR_ALWAYS_INLINE void plain_body(const float* c, int exponent, bool& plain) {
  std::int32_t beyond = 0;
  for (int n = 0; n < max_rows * widest; ++n) {
    const auto word = std::bit_cast<std::int32_t>(c[n]) & 0x7fffffff;
    const std::int32_t field = word >> 23, scaled = field - exponent;
    const std::int32_t out = (220 - field) | (scaled - 40) | (220 - scaled);  // < 0: outside
    beyond |= word == 0 ? 0 : out;
  }
  plain = beyond >= 0;
}
TWOFOUR_SIMD_VARIANTS(find_plain, (const float* c, int exponent, bool& plain), plain_body(c, exponent, plain))
TWOFOUR_SIMD_VARIANTS(scale, (float* c, double factor),
                      for (int n = 0; n < max_rows * widest; ++n) c[n] = float(c[n] * factor))

/// Scales the accumulators by 1 / factor, a power of two.
void scale_c(const WindowRule& rule, double factor, float* c, Misfits& misfits) {
  bool plain = false;
  find_plain(c, std::ilogb(factor), plain);
  if (plain) {
    if (factor != 1) scale(c, 1 / factor);
    return;
  }
  for (int n = 0; n < max_rows * widest; ++n) {
    float scaled = 0;
    misfits.at[n] = !window_scale_c(rule, c[n], factor, scaled);
    misfits.any |= misfits.at[n];
    c[n] = misfits.at[n] ? 0 : scaled;
  }
}

/// Lays B out as vector sides of `lanes` columns; sixteen lanes hold its eight columns and zeros.
template <int lanes>
void arrange_columns(int k, Window& w) {
  constexpr std::size_t held = 4 * std::min(lanes, columns_n);
  std::byte* row = w.side;
  if (lanes > columns_n) std::memset(w.side, 0, std::size_t(k * window_row_bytes(lanes, 1)));
  for (int first = 0; first < columns_n; first += lanes)
    for (int n = 0; n < k; ++n, row += window_row_bytes(lanes, 1)) {
      std::memcpy(row, w.b_value + n * columns_n + first, held);
      std::memcpy(row + 4 * lanes, w.b_byte + n * columns_n + first, held);
    }
}

void arrange_columns(int k, int lanes, Window& w) {
  switch (lanes) {
    case 16: return arrange_columns<16>(k, w);
    case 8: return arrange_columns<8>(k, w);
    default: return arrange_columns<4>(k, w);
  }
}

constexpr auto dense_columns = [] {
  std::array<std::int32_t, max_stored> columns{};
  for (int kc = 0; kc < max_stored; ++kc) columns[std::size_t(kc)] = kc;
  return columns;
}();

void multiply(const isa::Instruction& i, const MmaOperands& operands, const WindowRule& rule, Window& w) {
  const int stored_k = i.stored_k(), lanes = window_lanes();
  SelectedColumns selected;
  if (i.is_sparse()) select_columns(i, operands, selected);
  arrange_columns(i.shape.k, lanes, w);
  const WindowKernel kernel = window_kernel(rule, false);
  for (int row = 0; row < i.shape.m; ++row) {
    const int at = row * stored_k;
    const std::int32_t* columns = i.is_sparse() ? selected.data() + at : dense_columns.data();
    for (int col = 0; col < columns_n; col += lanes)
      kernel(rule, {stored_k / rule.products, w.a_value + at, w.a_drop + at, columns,
                    w.side + col / lanes * i.shape.k * window_row_bytes(lanes, 1),
                    w.accumulator + row * widest + col});
  }
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
  scale_c(rule, factor, w.accumulator, misfits);
  multiply(i, operands, rule, w);
  if (factor != 1) scale(w.accumulator, factor);
  store_d(i, w.accumulator, d);
  if (misfits.any) replace_misfits(i, operands, options, misfits, d);
  return true;
}

}  // namespace twofour::emu
