#include "twofour/emu/matrix/gemm_integer_pack.h"

#include <algorithm>
#include <cstring>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t chunk_words = 64;  // of a row, expanded at a time
constexpr std::int64_t max_width = 64;

constexpr int elements_per_word(IntegerForm form) {
  switch (form) {
    case IntegerForm::bytes: return 4;
    case IntegerForm::pairs: return 2;
    case IntegerForm::bits: return 32;
  }
  return 0;
}

/// Two nibbles of each byte as two bytes; `sign` is 8 for s4, 0 for u4.
TWOFOUR_ALWAYS_INLINE void nibbles_body(const std::uint8_t* in, std::int64_t bytes, int sign,
                                        std::uint8_t* out) {
  const auto sign_bits = std::uint16_t(sign * 0x0101);
  for (std::int64_t i = 0; i < bytes; ++i) {
    const auto two = std::uint16_t((in[i] & 0x0f) | (in[i] & 0xf0) << 4);
    const auto s = std::uint16_t(two & sign_bits);
    const auto extended = std::uint16_t(two | s << 1 | s << 2 | s << 3 | s << 4);
    std::memcpy(out + 2 * i, &extended, 2);
  }
}
TWOFOUR_SIMD_VARIANTS(expand_nibbles,
                      (const std::uint8_t* in, std::int64_t bytes, int sign, std::uint8_t* out),
                      nibbles_body(in, bytes, sign, out))

TWOFOUR_SIMD_VARIANTS(add_to_bytes, (std::uint8_t * bytes, std::int64_t count, std::uint8_t offset),
                      for (std::int64_t i = 0; i < count; ++i) bytes[i] = std::uint8_t(bytes[i] + offset))

TWOFOUR_ALWAYS_INLINE void widen_body(const std::uint8_t* in, std::int64_t count, bool is_signed,
                                      std::int16_t* out) {
  if (is_signed)
    for (std::int64_t i = 0; i < count; ++i) out[i] = std::int8_t(in[i]);
  else
    for (std::int64_t i = 0; i < count; ++i) out[i] = in[i];
}
TWOFOUR_SIMD_VARIANTS(widen, (const std::uint8_t* in, std::int64_t count, bool is_signed, std::int16_t* out),
                      widen_body(in, count, is_signed, out))

/// At most 256 bytes: their sum fits 16 bits.
TWOFOUR_ALWAYS_INLINE void sum_body(const std::uint8_t* bytes, std::int64_t count, bool is_signed,
                                    std::uint32_t& sum) {
  std::uint16_t s = 0;
  if (is_signed)
    for (std::int64_t i = 0; i < count; ++i) s = std::uint16_t(s + std::int8_t(bytes[i]));
  else
    for (std::int64_t i = 0; i < count; ++i) s = std::uint16_t(s + bytes[i]);
  sum += is_signed ? std::uint32_t(std::int16_t(s)) : s;
}
TWOFOUR_SIMD_VARIANTS(add_bytes,
                      (const std::uint8_t* bytes, std::int64_t count, bool is_signed, std::uint32_t& sum),
                      sum_body(bytes, count, is_signed, sum))

/// Elements first .. first + count of a row: a byte each (8- and 4-bit integers) or as they are (bits). 4-bit
/// rows are cut at even elements.
void expand(const PackedMatrix& m, std::int64_t row, std::int64_t first, std::int64_t count,
            std::uint8_t* out) {
  const int width = isa::bits(m.type());
  const auto* in = m.row_as<std::uint8_t>(row) + first * width / 8;
  if (width == 4)
    expand_nibbles(in, (count + 1) / 2, isa::is_signed(m.type()) ? 8 : 0, out);
  else
    std::memcpy(out, in, std::size_t((count * width + 7) / 8));
}

/// The same as words of a form, `words` of them; k beyond the row is zero before the offset.
void expand_words(const PackedMatrix& m, std::int64_t row, std::int64_t first, const IntegerPanels& to,
                  std::int64_t words, std::uint32_t* out) {
  const std::int64_t count = std::min(words * elements_per_word(to.form), m.cols() - first);
  if (count < words * elements_per_word(to.form)) std::memset(out, 0, std::size_t(words) * 4);
  if (to.form == IntegerForm::pairs) {
    std::uint8_t bytes[2 * chunk_words];
    expand(m, row, first, count, bytes);
    widen(bytes, count, isa::is_signed(m.type()), reinterpret_cast<std::int16_t*>(out));
    return;
  }
  auto* bytes = reinterpret_cast<std::uint8_t*>(out);
  expand(m, row, first, count, bytes);
  if (to.offset != 0) add_to_bytes(bytes, words * 4, std::uint8_t(to.offset));
}

using FourWords = std::uint32_t __attribute__((vector_size(16)));
using FourPairs = std::uint64_t __attribute__((vector_size(32)));

/// Rows of `Word`s to a panel: word s of row r goes to s * width + r. Blocks of 4 x 4 are transposed in
/// registers.
template <class Four, class Word>
TWOFOUR_ALWAYS_INLINE void interleave_body(const Word* rows, std::int64_t steps, std::int64_t stride,
                                           std::int64_t width, Word* panel) {
  std::int64_t r = 0;
  for (; r + 4 <= width; r += 4) {
    std::int64_t s = 0;
    for (; s + 4 <= steps; s += 4) {
      Four x[4];
      for (int i = 0; i < 4; ++i) std::memcpy(&x[i], rows + (r + i) * stride + s, sizeof(Four));
      const Four low01 = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5);
      const Four low23 = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5);
      const Four high01 = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
      const Four high23 = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
      const Four y[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                         __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                         __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                         __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
      for (int i = 0; i < 4; ++i) std::memcpy(panel + (s + i) * width + r, &y[i], sizeof(Four));
    }
    for (; s < steps; ++s)
      for (int i = 0; i < 4; ++i)
        std::memcpy(panel + s * width + r + i, rows + (r + i) * stride + s, sizeof(Word));
  }
  for (; r < width; ++r)
    for (std::int64_t s = 0; s < steps; ++s)
      std::memcpy(panel + s * width + r, rows + r * stride + s, sizeof(Word));
}
TWOFOUR_SIMD_VARIANTS(interleave_words,
                      (const std::uint32_t* rows, std::int64_t steps, int width, std::uint32_t* panel),
                      interleave_body<FourWords>(rows, steps, chunk_words, width, panel))
TWOFOUR_SIMD_VARIANTS(interleave_pairs,
                      (const std::uint64_t* rows, std::int64_t steps, int width, std::uint64_t* panel),
                      interleave_body<FourPairs>(rows, steps, chunk_words / 2, width, panel))

void interleave(const std::uint32_t* rows, std::int64_t words, int width, int unit, std::uint32_t* panel) {
  if (unit == 1)
    interleave_words(rows, words, width, panel);
  else
    interleave_pairs(reinterpret_cast<const std::uint64_t*>(rows), words / 2, width,
                     reinterpret_cast<std::uint64_t*>(panel));
}

/// Calls fill(row, first word, words, out) for every chunk of every row, and interleaves the rows of panels.
template <class Fill>
AlignedWords pack(std::int64_t rows, const IntegerPanels& to, const Fill& fill) {
  const std::int64_t panels = to.panels(rows), words = to.steps * to.unit;
  const std::int64_t chunks = (words + chunk_words - 1) / chunk_words;
  AlignedWords out(panels * to.width * words);
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t p = 0; p < panels; ++p)
    for (std::int64_t c = 0; c < chunks; ++c) {
      alignas(64) std::uint32_t buffer[max_width * chunk_words];
      const std::int64_t first = c * chunk_words, count = std::min(chunk_words, words - first);
      for (std::int64_t r = 0; r < to.width; ++r) {
        const std::int64_t row = p * to.width + r;
        if (row < rows)
          fill(row, first, count, buffer + r * chunk_words);
        else
          std::memset(buffer + r * chunk_words, 0, std::size_t(count) * 4);
      }
      interleave(buffer, count, to.width, to.unit, out.data() + (p * words + first) * to.width);
    }
  return out;
}

/// Places of the four kept elements of eight columns, a byte each: two codes of two_of_four, the second one
/// in bits 8 to 11, or one code of pairs_of_eight.
constexpr std::uint32_t two_of_four_places(std::uint32_t codes) {
  const std::uint32_t x = (codes & 0xff) | (codes & 0xff00) << 8;
  return ((x & 0x00030003) | (x << 6 & 0x03000300)) + 0x04040000;
}
constexpr std::uint32_t pair_places(std::uint32_t code) {
  return (code & 3) * 0x0202 + (code >> 2 & 3) * 0x02020000 + 0x01000100;
}
constexpr bool places_are_logical_columns() {
  for (std::uint8_t x = 0; x < 16; ++x)
    for (std::uint8_t y = 0; y < 16; ++y)
      for (int s = 0; s < 4; ++s) {
        const int element = int(two_of_four_places(x | unsigned(y) << 8) >> 8 * s & 0xff);
        const int of_pair = int(pair_places(x) >> 8 * s & 0xff);
        if (element != 4 * (s / 2) + isa::logical_column(isa::Sparsity::two_of_four, s < 2 ? x : y, s % 2) ||
            of_pair != isa::logical_column(isa::Sparsity::pairs_of_eight, x, s))
          return false;
      }
  return true;
}
static_assert(places_are_logical_columns());

TWOFOUR_SIMD_VARIANTS(places_of_elements,
                      (const std::uint8_t* codes, std::int64_t steps, std::uint32_t* places),
                      for (std::int64_t s = 0; s < steps; ++s)
                          places[s] = two_of_four_places(codes[2 * s] | std::uint32_t(codes[2 * s + 1]) << 8))
TWOFOUR_SIMD_VARIANTS(places_of_pairs, (const std::uint8_t* codes, std::int64_t steps, std::uint32_t* places),
                      for (std::int64_t s = 0; s < steps; ++s) places[s] = pair_places(codes[s]))

}  // namespace

std::int64_t integer_words(IntegerForm form, std::int64_t cols) {
  return (cols + elements_per_word(form) - 1) / elements_per_word(form);
}

AlignedWords pack_panels(const PackedMatrix& m, const IntegerPanels& to) {
  return pack(m.rows(), to,
              [&](std::int64_t row, std::int64_t first, std::int64_t words, std::uint32_t* out) {
                expand_words(m, row, first * elements_per_word(to.form), to, words, out);
              });
}

AlignedWords pack_decompressed(const SparseMatrix& m, const IntegerPanels& to) {
  const isa::Sparsity form = isa::sparse_form(m.values.type());
  const int columns = isa::group_columns(form), stored = isa::stored_columns(form);
  // A word holds two columns, of which one is stored.
  return pack(m.rows(), to,
              [&](std::int64_t row, std::int64_t first, std::int64_t words, std::uint32_t* out) {
                std::uint8_t bytes[chunk_words];
                std::int16_t values[chunk_words];
                expand(m.values, row, first, words, bytes);
                widen(bytes, words, isa::is_signed(m.values.type()), values);
                std::memset(out, 0, std::size_t(words) * 4);
                auto* dense = reinterpret_cast<std::int16_t*>(out);
                const std::uint8_t* code = m.codes.data() + row * m.groups() + first / stored;
                for (std::int64_t at = 0; at < words; at += stored, dense += columns, ++code)
                  for (int s = 0; s < stored; ++s) {
                    std::int16_t& column = dense[isa::logical_column(form, *code, s)];
                    column = std::int16_t(column + values[at + s]);
                  }
              });
}

AlignedWords pack_compressed(const SparseMatrix& m, const IntegerPanels& to) {
  // Four rows of words for two rows of A: places, places, values, values.
  IntegerPanels words = to;
  words.width = 2 * to.width;
  const bool pairs = isa::bits(m.values.type()) == 4;
  return pack((m.rows() + 1) / 2 * 4, words,
              [&](std::int64_t line, std::int64_t first, std::int64_t steps, std::uint32_t* out) {
                const std::int64_t row = line / 4 * 2 + line % 2;
                if (row >= m.rows())
                  std::memset(out, 0, std::size_t(steps) * 4);
                else if (line % 4 >= 2)
                  expand_words(m.values, row, 4 * first, to, steps, out);
                else if (pairs)
                  places_of_pairs(m.codes.data() + row * m.groups() + first, steps, out);
                else
                  places_of_elements(m.codes.data() + row * m.groups() + 2 * first, steps, out);
              });
}

std::vector<std::uint32_t> row_sums(const PackedMatrix& m) {
  std::vector<std::uint32_t> sums(std::size_t(m.rows()));
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < m.rows(); ++row)
    for (std::int64_t first = 0; first < m.cols(); first += 256) {
      std::uint8_t bytes[256];
      const std::int64_t count = std::min<std::int64_t>(256, m.cols() - first);
      expand(m, row, first, count, bytes);
      add_bytes(bytes, count, isa::is_signed(m.type()), sums[std::size_t(row)]);
    }
  return sums;
}

}  // namespace twofour::emu
