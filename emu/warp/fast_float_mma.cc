// One float mma on the window's tile kernel: the 16 rows of A are its lanes, the eight columns of B are
// broadcast. All of A is one line of the window, and all of B.
#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

#include "twofour/emu/numerics/half.h"
#include "twofour/emu/numerics/window.h"
#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/fast_tile.h"
#include "twofour/emu/warp/scalar_mma.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr int max_stored = 16, max_k = 32;  // of the float instructions
constexpr int elements = max_rows * columns_n;

/// Operands as the kernel takes them; WindowTile says what lies where.
struct Rows {
  alignas(64) float value[max_stored * max_rows];
  alignas(64) std::uint32_t byte[max_stored * max_rows];
  alignas(64) std::uint32_t select[max_stored * max_rows];  ///< of sparse instructions
  WindowLine line;
  Registers registers;
  const std::uint32_t* metadata;
};
struct Columns {
  alignas(64) float value[columns_n * max_k];
  alignas(64) std::uint32_t drop[columns_n / 4 * max_k];
  WindowLine line;
  Registers registers;
};
static_assert(sizeof(Rows) <= FastMma::max_a_bytes && sizeof(Columns) <= FastMma::max_b_bytes);

/// f16 needs no scaling, so that one pass does.
struct Half {
  std::uint32_t magnitude, sign;
  explicit TWOFOUR_ALWAYS_INLINE Half(std::uint32_t word)
      : magnitude(word & 0x7fff), sign((word & 0x8000) << 16) {}
  TWOFOUR_ALWAYS_INLINE float value() const {
    const float size = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | sign);
  }
  TWOFOUR_ALWAYS_INLINE std::uint32_t field() const { return std::max(magnitude >> 10, 1u); }
  TWOFOUR_ALWAYS_INLINE std::uint32_t zeros() const { return magnitude == 0 ? ~0u : 0; }
  TWOFOUR_ALWAYS_INLINE std::uint32_t drop() const { return (30 - field()) | (zeros() & zero_drop); }
  /// window_byte() of drop(), four times.
  TWOFOUR_ALWAYS_INLINE std::uint32_t bytes() const {
    const std::uint32_t byte = (127 + field()) & ~zeros(), two = byte | byte << 8;
    return two | two << 16;
  }
};
static_assert(2 * window_top(ElementType::f16) == 30 && zero_drop == 255);
constexpr std::uint32_t special_field = 31;  // of infinities and NaN

TWOFOUR_ALWAYS_INLINE void rows_body(const Registers& a, int registers, std::uint32_t* out) {
  for (int r = 0; r < registers; ++r)
    quads_to_columns(a[std::size_t(r)], out + r / 2 * 4 * max_rows + r % 2 * 8, max_rows);
}
TWOFOUR_SIMD_VARIANTS(rows_of_a, (const Registers& a, int registers, std::uint32_t* out),
                      rows_body(a, registers, out))

TWOFOUR_ALWAYS_INLINE void f16_rows_body(const std::uint32_t* words, int count, float* value,
                                         std::uint32_t* byte, bool& special) {
  std::uint32_t largest[max_rows] = {};
  for (int w = 0; w < count; ++w) {
    const std::uint32_t* const in = words + w * max_rows;
    float* const v = value + 2 * w * max_rows;
    std::uint32_t* const b = byte + 2 * w * max_rows;
    for (int row = 0; row < max_rows; ++row) {
      const Half low(in[row]), high(in[row] >> 16);
      v[row] = low.value();
      v[max_rows + row] = high.value();
      b[row] = low.bytes();
      b[max_rows + row] = high.bytes();
      largest[row] = std::max(largest[row], std::max(low.field(), high.field()));
    }
  }
  special = *std::max_element(largest, largest + max_rows) == special_field;
}
TWOFOUR_SIMD_VARIANTS(f16_rows,
                      (const std::uint32_t* words, int count, float* value, std::uint32_t* byte,
                       bool& special),
                      f16_rows_body(words, count, value, byte, special))

/// bf16 as f32 words, [k][row].
TWOFOUR_ALWAYS_INLINE void bf16_rows_body(const std::uint32_t* words, int count, std::uint32_t* out) {
  for (int w = 0; w < count; ++w)
    for (int row = 0; row < max_rows; ++row) {
      out[2 * w * max_rows + row] = words[w * max_rows + row] << 16;
      out[(2 * w + 1) * max_rows + row] = words[w * max_rows + row] & 0xffff0000;
    }
}
TWOFOUR_SIMD_VARIANTS(bf16_rows, (const std::uint32_t* words, int count, std::uint32_t* out),
                      bf16_rows_body(words, count, out))
TWOFOUR_SIMD_VARIANTS(
    drops_to_bytes, (int top, int count, std::uint32_t* word), for (int n = 0; n < count; ++n) {
      const std::uint32_t byte = word[n] == zero_drop ? 0 : std::uint32_t(127 + 2 * top) - word[n];
      const std::uint32_t two = byte | byte << 8;
      word[n] = two | two << 16;
    })

WindowLine f16_line(bool special) {
  WindowLine line;  // with every exponent that f16 has
  line.highest = 15;
  line.lowest = -14;
  line.usable = !special;
  return line;
}

void unpack(const PreparedMma& p, const std::uint32_t* words, Rows& rows) {
  const ElementType type = p.instruction->a;
  const int count = p.instruction->stored_k() * max_rows;
  if (type == ElementType::f16) {
    bool special = false;
    f16_rows(words, 2 * p.a_registers, rows.value, rows.byte, special);
    rows.line = f16_line(special);
    return;
  }
  alignas(64) std::uint32_t wide[max_stored * max_rows];
  if (type == ElementType::bf16) bf16_rows(words, 2 * p.a_registers, wide);
  rows.line = window_unpack(ElementType::tf32, type == ElementType::bf16 ? wide : words, count, rows.value,
                            rows.byte);
  drops_to_bytes(window_top(type), count, rows.byte);
}

TWOFOUR_ALWAYS_INLINE void f16_columns_body(const std::uint16_t* in, int count, float* value,
                                            std::uint32_t* drop, bool& special) {
  std::uint32_t largest = 0;
  for (int n = 0; n < count; ++n) {
    const Half half(in[n]);
    value[n] = half.value();
    drop[n] = half.drop();
    largest = std::max(largest, half.field());
  }
  special = largest == special_field;
}
TWOFOUR_SIMD_VARIANTS(f16_columns,
                      (const std::uint16_t* in, int count, float* value, std::uint32_t* drop, bool& special),
                      f16_columns_body(in, count, value, drop, special))

/// Four columns' drops to the bytes of one word.
TWOFOUR_SIMD_VARIANTS(pack_drops, (const std::uint32_t* drop, int k, std::uint32_t* out),
                      for (int n = 0; n < k; ++n)
                          out[n] = drop[n] | drop[k + n] << 8 | drop[2 * k + n] << 16 | drop[3 * k + n] << 24)

void columns_of_b(const Registers& b, int registers, std::byte* out) {
  for (int n = 0; n < registers; ++n)
    for (int g = 0; g < columns_n; ++g)
      std::memcpy(out + 16 * (g * registers + n), b[std::size_t(n)] + 4 * g, 16);
}

void unpack(const PreparedMma& p, const std::byte* words, Columns& columns) {
  const ElementType type = p.instruction->b;
  const int k = p.instruction->shape.k;
  alignas(64) std::uint32_t drop[columns_n * max_k];
  if (type == ElementType::f16) {
    bool special = false;
    f16_columns(reinterpret_cast<const std::uint16_t*>(words), columns_n * k, columns.value, drop, special);
    columns.line = f16_line(special);
  } else {
    columns.line = window_unpack(type, words, columns_n * k, columns.value, drop);
  }
  pack_drops(drop, k, columns.drop);
  pack_drops(drop + 4 * k, k, columns.drop + k);
}

/// Codes of a row in one word, the first group's lowest (isa::metadata_place).
void gather_codes(const PreparedMma& p, const std::uint32_t* metadata, std::uint32_t* out) {
  const isa::Instruction& i = *p.instruction;
  const int first = 4 / i.selectors() * p.selector, second = i.groups() > 4 ? first + 1 : first;
  for (int g = 0; g < 8; ++g) {
    const std::uint32_t low = metadata[4 * g + first], high = metadata[4 * g + second];
    out[g] = (low & 0xffff) | high << 16;
    out[8 + g] = low >> 16 | (high & 0xffff0000);
  }
}
/// 2:4: an index of two bits for each element; 1:2: the upper bit of the first index (isa::logical_column).
TWOFOUR_ALWAYS_INLINE void select_body(const std::uint32_t* codes, bool one_of_two, int stored,
                                       std::uint32_t* out) {
  for (int k = 0; k < stored; ++k)
    for (int row = 0; row < max_rows; ++row)
      out[k * max_rows + row] =
          one_of_two ? (codes[row] >> (4 * k + 1) & 1) | std::uint32_t(k & 1) << 1 : codes[row] >> 2 * k;
}
TWOFOUR_SIMD_VARIANTS(find_selected,
                      (const std::uint32_t* codes, bool one_of_two, int stored, std::uint32_t* out),
                      select_body(codes, one_of_two, stored, out))

/// The accumulators as f32, [column][row].
TWOFOUR_ALWAYS_INLINE void columns_body(const Registers& c, float* out) {
  for (int r = 0; r < 4; ++r)
    quads_to_columns(c[std::size_t(r)], out + r % 2 * max_rows + r / 2 * 8, 2 * max_rows);
}
TWOFOUR_ALWAYS_INLINE void half_columns_body(const Registers& c, float* out) {
  alignas(64) std::uint32_t words[4 * max_rows];
  for (int r = 0; r < 2; ++r) quads_to_columns(c[std::size_t(r)], words + 8 * r, max_rows);
  for (int col = 0; col < columns_n; ++col)
    for (int row = 0; row < max_rows; ++row) {
      const Half half(words[col / 2 * max_rows + row] >> 16 * (col % 2));
      const std::uint32_t special = half.field() == special_field ? 0x7f800000 : 0;  // infinities and NaN
      out[col * max_rows + row] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(half.value()) | special);
    }
}
TWOFOUR_SIMD_VARIANTS(load_c, (const Registers& c, float* out), columns_body(c, out))
TWOFOUR_SIMD_VARIANTS(load_half_c, (const Registers& c, float* out), half_columns_body(c, out))

using Results = MmaRegisters::Words<std::uint32_t>;
TWOFOUR_ALWAYS_INLINE void store_body(const float* in, const Results& d) {
  for (int r = 0; r < 4; ++r)
    columns_to_quads(in + r % 2 * max_rows + r / 2 * 8, 2 * max_rows, d[std::size_t(r)]);
}
TWOFOUR_ALWAYS_INLINE void store_half_body(const float* in, const Results& d) {
  alignas(64) std::uint32_t words[4 * max_rows];
  for (int w = 0; w < 4; ++w)
    for (int row = 0; row < max_rows; ++row)
      words[w * max_rows + row] = float_to_half_exact(in[2 * w * max_rows + row]) |
                                  std::uint32_t(float_to_half_exact(in[(2 * w + 1) * max_rows + row])) << 16;
  for (int r = 0; r < 2; ++r) columns_to_quads(words + 8 * r, max_rows, d[std::size_t(r)]);
}
TWOFOUR_SIMD_VARIANTS(store_d, (const float* in, const Results& d), store_body(in, d))
TWOFOUR_SIMD_VARIANTS(store_half_d, (const float* in, const Results& d), store_half_body(in, d))

/// Whether the element at [column][row] of C fits no window, one flag each.
struct Misfits {
  bool any = false;
  bool at[elements];  ///< set if `any`
};

/// Whether every accumulator is zero, or far enough from overflow, and over 2^exponent from both limits of
/// the window's own accumulators, that window_scale_c need not be asked.
TWOFOUR_ALWAYS_INLINE void plain_body(const float* c, int exponent, bool& plain) {
  std::int32_t beyond = 0;
  for (int n = 0; n < elements; ++n) {
    const auto word = std::bit_cast<std::int32_t>(c[n]) & 0x7fffffff;
    const std::int32_t field = word >> 23, scaled = field - exponent;
    const std::int32_t out = (220 - field) | (scaled - 40) | (220 - scaled);  // < 0: outside
    beyond |= word == 0 ? 0 : out;
  }
  plain = beyond >= 0;
}
TWOFOUR_SIMD_VARIANTS(find_plain, (const float* c, int exponent, bool& plain), plain_body(c, exponent, plain))
TWOFOUR_SIMD_VARIANTS(scale, (float* c, double factor),
                      for (int n = 0; n < elements; ++n) c[n] = float(c[n] * factor))

/// Scales the accumulators by 1 / factor, a power of two.
void scale_c(const WindowRule& rule, double factor, float* c, Misfits& misfits) {
  bool plain = false;
  find_plain(c, std::ilogb(factor), plain);
  if (plain) {
    if (factor != 1) scale(c, 1 / factor);
    return;
  }
  for (int n = 0; n < elements; ++n) {
    float scaled = 0;
    misfits.at[n] = !window_scale_c(rule, c[n], factor, scaled);
    misfits.any |= misfits.at[n];
    c[n] = misfits.at[n] ? 0 : scaled;
  }
}

void take_a(const PreparedMma& p, const MmaRegisters& r, std::byte* out) {
  auto& rows = *new (out) Rows;
  const isa::Instruction& i = *p.instruction;
  alignas(64) std::uint32_t words[max_line_words * max_rows];  // [word of a row][row]
  rows_of_a(r.a, p.a_registers, words);
  unpack(p, words, rows);
  rows.registers = r.a;
  rows.metadata = r.metadata;
  if (!i.is_sparse()) return;
  std::uint32_t codes[max_rows];
  gather_codes(p, r.metadata, codes);
  find_selected(codes, i.sparsity == isa::Sparsity::one_of_two, i.stored_k(), rows.select);
}

void take_b(const PreparedMma& p, const MmaRegisters& r, std::byte* out) {
  alignas(64) std::byte words[4 * columns_n * max_k];  // columns, of words or halves
  columns_of_b(r.b, p.b_registers, words);
  auto& columns = *new (out) Columns;
  unpack(p, words, columns);
  columns.registers = r.b;
}

/// The elements that the window did not take, by the scalar definition.
void replace_misfits(const PreparedMma& p, const MmaOperands& operands, const Misfits& misfits, Fragment& d) {
  const isa::Instruction& i = *p.instruction;
  const ScalarMma scalar(i, operands);
  const int width = isa::bits(i.d);
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, isa::Operand::d); ++index) {
      const isa::Coordinate at = isa::coordinate(i, isa::Operand::d, lane, index);
      if (misfits.at[at.col * max_rows + at.row])
        replace_element(d, lane, index, width, scalar.element(at.row, at.col, p.options));
    }
}

void store(const PreparedMma& p, const float* accumulator, const Results& d) {
  p.instruction->d == ElementType::f32 ? store_d(accumulator, d) : store_half_d(accumulator, d);
}

/// By way of a fragment: some elements are misfits, or some registers not wanted.
void store_through(const PreparedMma& p, const MmaRegisters& r, const Misfits& misfits,
                   const float* accumulator) {
  Fragment d;
  Results registers;
  for (std::size_t n = 0; n < d.word.size(); ++n) registers[n] = d.word[n].data();
  store(p, accumulator, registers);
  if (misfits.any) replace_misfits(p, operands_of(p, r), misfits, d);
  put_registers(p, d, r);
}

bool multiply(const PreparedMma& p, const std::byte* a, const std::byte* b, const MmaRegisters& r) {
  const isa::Instruction& i = *p.instruction;
  const auto& rows = *reinterpret_cast<const Rows*>(a);
  const auto& columns = *reinterpret_cast<const Columns*>(b);
  const int blocks = i.stored_k() / p.rule.products;
  if (!window_admits(p.rule, rows.line, columns.line, blocks)) return false;
  alignas(64) float accumulator[elements];
  i.c == ElementType::f32 ? load_c(r.c, accumulator) : load_half_c(r.c, accumulator);
  const double factor = rows.line.factor * columns.line.factor;
  Misfits misfits;
  scale_c(p.rule, factor, accumulator, misfits);
  const bool sparse = i.is_sparse();
  window_tile_kernel(p.rule, sparse)(p.rule, {blocks, rows.value, rows.byte, i.shape.k, columns.value,
                                              columns.drop, sparse ? rows.select : nullptr, accumulator});
  if (factor != 1) scale(accumulator, factor);
  if (!misfits.any && wants_all(p, r)) {
    store(p, accumulator, r.d);
    return true;
  }
  const MmaRegisters all{rows.registers, columns.registers, r.c, r.d, rows.metadata};
  store_through(p, all, misfits, accumulator);
  return true;
}

}  // namespace

FastMma fast_float_mma() {
  return {take_a, take_b, multiply, sizeof(Rows), sizeof(Columns)};
}

}  // namespace twofour::emu
