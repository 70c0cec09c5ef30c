#include "twofour/emu/warp/vnni_mma.h"

#include "twofour/emu/numerics/simd_dispatch.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "twofour/emu/warp/fast_mma.h"

#define TWOFOUR_VNNI \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vpopcntdq,avx2,fma")))
#define TWOFOUR_VNNI_INLINE TWOFOUR_VNNI inline __attribute__((always_inline))

namespace twofour::emu {
namespace {

using Vector = __m512i;
constexpr int columns = 8, max_words = 8;  // words of a row of A

/// Blocks of 4 x 4 words: word t of quad q of vector v becomes word v of quad q of vector t. So the registers
/// of a tile become its columns, with the rows in the order 0, 4, 8, 12, 1, 5, ..., and the other way round.
TWOFOUR_VNNI_INLINE void transpose(Vector (&x)[4]) {
  const Vector low0 = _mm512_unpacklo_epi32(x[0], x[1]), low1 = _mm512_unpacklo_epi32(x[2], x[3]);
  const Vector high0 = _mm512_unpackhi_epi32(x[0], x[1]), high1 = _mm512_unpackhi_epi32(x[2], x[3]);
  x[0] = _mm512_unpacklo_epi64(low0, low1);
  x[1] = _mm512_unpackhi_epi64(low0, low1);
  x[2] = _mm512_unpacklo_epi64(high0, high1);
  x[3] = _mm512_unpackhi_epi64(high0, high1);
}
/// Of two registers, of rows 0 to 7 and 8 to 15.
TWOFOUR_VNNI_INLINE void load(const std::uint32_t* low, const std::uint32_t* high, Vector (&x)[4]) {
  x[0] = _mm512_loadu_si512(low);
  x[1] = _mm512_loadu_si512(low + 16);
  x[2] = _mm512_loadu_si512(high);
  x[3] = _mm512_loadu_si512(high + 16);
  transpose(x);
}

/// One bit each: all of an instruction that decides what code runs.
struct Form {
  int words;  ///< of a row of A: 4 or 8
  bool sparse, nibbles, signed_a, signed_b;
};

TWOFOUR_VNNI_INLINE Vector low_nibbles(Vector x) {
  return _mm512_and_si512(x, _mm512_set1_epi8(15));
}
TWOFOUR_VNNI_INLINE Vector high_nibbles(Vector x) {
  return low_nibbles(_mm512_srli_epi16(x, 4));
}
/// A nibble of A as a signed byte.
template <bool is_signed>
TWOFOUR_VNNI_INLINE Vector extended(Vector nibble) {
  if constexpr (!is_signed) return nibble;
  const Vector eight = _mm512_set1_epi8(8);
  return _mm512_sub_epi8(_mm512_xor_si512(nibble, eight), eight);
}

/// A as factors of bytes. vpdpbusd takes one factor unsigned: A where only A is, else B. A signed B is then
/// B + 128 (nibbles: + 8), which `row_offset` takes back; two unsigned ones split A into 7 bits and a rest.
template <Form f>
struct Factors {
  static constexpr bool unsigned_a = !f.nibbles && !f.signed_a && f.signed_b;
  static constexpr bool splits_a = !f.nibbles && !f.signed_a && !f.signed_b;
  static constexpr bool lifts_b = f.signed_b && !unsigned_a;
  static constexpr int parts = f.nibbles ? 2 : 1;
  Vector a[parts][f.words];
  Vector row_offset;
};

template <Form f>
TWOFOUR_VNNI_INLINE void load_a(const MmaRegisters& r, Factors<f>& out) {
  using F = Factors<f>;
  out.row_offset = _mm512_setzero_si512();
  for (int h = 0; h < f.words / 4; ++h) {
    Vector x[4];
    load(r.a[std::size_t(2 * h)], r.a[std::size_t(2 * h + 1)], x);
    for (int t = 0; t < 4; ++t) {
      if constexpr (f.nibbles) {
        out.a[0][4 * h + t] = extended<f.signed_a>(low_nibbles(x[t]));
        out.a[F::parts - 1][4 * h + t] = extended<f.signed_a>(high_nibbles(x[t]));
      } else {
        out.a[0][4 * h + t] = x[t];
      }
    }
  }
  if constexpr (F::lifts_b) {
    const Vector lift = _mm512_set1_epi8(f.nibbles ? 8 : 64);
    for (int p = 0; p < F::parts; ++p)
      for (int w = 0; w < f.words; ++w)
        out.row_offset = _mm512_dpbusd_epi32(out.row_offset, lift, out.a[p][w]);
    if constexpr (!f.nibbles) out.row_offset = _mm512_slli_epi32(out.row_offset, 1);
  }
}

/// Columns of B, word after word; of nibbles the low ones, then the high ones.
template <Form f>
struct ColumnBytes {
  static constexpr int words = f.words * (f.sparse ? 2 : 1);
  alignas(64) std::uint32_t b[Factors<f>::parts][columns * words];
};
template <Form f>
TWOFOUR_VNNI_INLINE void load_b(const MmaRegisters& r, ColumnBytes<f>& out) {
  const Vector lift = _mm512_set1_epi8(char(Factors<f>::lifts_b ? (f.nibbles ? 8 : 128) : 0));
  constexpr int registers = ColumnBytes<f>::words / 4;
  for (int n = 0; n < registers; ++n)
    for (int half = 0; half < 2; ++half) {
      const Vector x = _mm512_loadu_si512(r.b[std::size_t(n)] + 16 * half);
      const int at = n * 32 + half * 16;  // [register][column][word]
      if constexpr (f.nibbles) {
        _mm512_store_si512(out.b[0] + at, _mm512_xor_si512(low_nibbles(x), lift));
        _mm512_store_si512(out.b[1] + at, _mm512_xor_si512(high_nibbles(x), lift));
      } else {
        _mm512_store_si512(out.b[0] + at, _mm512_xor_si512(x, lift));
      }
    }
}
/// Where word w of a column lies.
constexpr int place(int column, int w) {
  return w / 4 * 32 + column * 4 + w % 4;
}

/// For each word of A the places of its bytes among eight of B: two groups of four, two indices each.
template <Form f>
TWOFOUR_VNNI_INLINE void find_places(const PreparedMma& p, const std::uint32_t* metadata,
                                     Vector (&places)[max_words]) {
  const int lanes = 4 / p.instruction->selectors(), first = lanes * p.selector;
  for (int h = 0; h < f.words / 4; ++h) {  // eight groups to a word of codes
    alignas(64) std::uint32_t codes[16];
    for (int row = 0; row < 16; ++row)  // in the order of transpose()
      codes[row % 4 * 4 + row / 4] = metadata[4 * (row & 7) + first + 2 * h + (row >> 3)];
    const Vector word = _mm512_load_si512(codes);
    for (int t = 0; t < 4; ++t) {
      const Vector code =
          _mm512_and_si512(_mm512_srlv_epi32(word, _mm512_set1_epi32(8 * t)), _mm512_set1_epi32(255));
      const Vector groups =
          _mm512_and_si512(_mm512_or_si512(code, _mm512_slli_epi32(code, 12)), _mm512_set1_epi32(0x000f000f));
      const Vector indices = _mm512_and_si512(_mm512_or_si512(groups, _mm512_slli_epi32(groups, 6)),
                                              _mm512_set1_epi32(0x03030303));
      places[4 * h + t] = _mm512_or_si512(indices, _mm512_set1_epi32(0x04040000));
    }
  }
}

template <Form f>
TWOFOUR_VNNI_INLINE Vector add_products(Vector sum, Vector a, Vector b) {
  using F = Factors<f>;
  if constexpr (F::unsigned_a) return _mm512_dpbusd_epi32(sum, a, b);
  if constexpr (!F::splits_a) return _mm512_dpbusd_epi32(sum, b, a);
  const Vector low = _mm512_and_si512(a, _mm512_set1_epi8(127));
  const Vector high = _mm512_and_si512(_mm512_srli_epi16(a, 1), _mm512_set1_epi8(64));
  return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, b, low), b, high), b, high);
}

/// sum + c, clamped to s32 if asked: C is added after the exact sum, which fits.
TWOFOUR_VNNI_INLINE Vector add_c(Vector sum, Vector c, bool clamps) {
  const Vector wrapped = _mm512_add_epi32(sum, c);
  if (!clamps) return wrapped;
  const Vector overflow = _mm512_and_si512(_mm512_xor_si512(wrapped, sum), _mm512_xor_si512(wrapped, c));
  const Vector limit = _mm512_xor_si512(_mm512_srai_epi32(c, 31), _mm512_set1_epi32(0x7fffffff));
  return _mm512_mask_mov_epi32(wrapped, _mm512_movepi32_mask(overflow), limit);
}

TWOFOUR_VNNI_INLINE void store(std::uint32_t* d, Vector low, Vector high) {
  if (d == nullptr) return;
  _mm512_storeu_si512(d, low);
  _mm512_storeu_si512(d + 16, high);
}

/// d = sums + c; columns 2t + e are in the registers e and 2 + e. All of C is read first: D may be some of
/// it.
TWOFOUR_VNNI_INLINE void finish(const MmaRegisters& r, Vector (&sums)[columns], bool clamps) {
  Vector x[2][4];
  for (std::size_t e = 0; e < 2; ++e) {
    load(r.c[e], r.c[2 + e], x[e]);
    for (std::size_t t = 0; t < 4; ++t) x[e][t] = add_c(sums[2 * t + e], x[e][t], clamps);
    transpose(x[e]);
  }
  for (std::size_t e = 0; e < 2; ++e) {
    store(r.d[e], x[e][0], x[e][1]);
    store(r.d[2 + e], x[e][2], x[e][3]);
  }
}

/// Word w of B for every row, or the bytes that the rows select.
template <Form f>
TWOFOUR_VNNI_INLINE Vector word_of(const std::uint32_t* b, int column, int w, const Vector& places) {
  if constexpr (!f.sparse) return _mm512_set1_epi32(int(b[place(column, w)]));
  std::int64_t pair;
  __builtin_memcpy(&pair, b + place(column, 2 * w), sizeof pair);
  return _mm512_shuffle_epi8(_mm512_set1_epi64(pair), places);
}

template <Form f>
TWOFOUR_VNNI bool multiply(const PreparedMma& p, const MmaRegisters& r) {
  Factors<f> a;
  ColumnBytes<f> b;
  Vector places[max_words] = {};
  load_a(r, a);
  load_b(r, b);
  if constexpr (f.sparse) find_places<f>(p, r.metadata, places);
  Vector sums[columns];
  for (int column = 0; column < columns; ++column) {
    Vector sum = _mm512_setzero_si512();
    for (int part = 0; part < Factors<f>::parts; ++part)
      for (int w = 0; w < f.words; ++w)
        sum = add_products<f>(sum, a.a[part][w], word_of<f>(b.b[part], column, w, places[w]));
    sums[column] = _mm512_sub_epi32(sum, a.row_offset);
  }
  finish(r, sums, p.options.satfinite);
  return true;
}

/// Registers of B are read where they lie: d is written at the end.
template <int words, bool intersects>
TWOFOUR_VNNI bool count(const PreparedMma&, const MmaRegisters& r) {
  Vector a[words];
  for (int h = 0; h < words / 4; ++h) {
    Vector x[4];
    load(r.a[std::size_t(2 * h)], r.a[std::size_t(2 * h + 1)], x);
    for (int t = 0; t < 4; ++t) a[4 * h + t] = x[t];
  }
  Vector sums[columns];
  for (int column = 0; column < columns; ++column) {
    Vector sum = _mm512_setzero_si512();
    for (int w = 0; w < words; ++w) {
      const Vector b = _mm512_set1_epi32(int(r.b[std::size_t(w / 4)][4 * column + w % 4]));
      const Vector bits = intersects ? _mm512_and_si512(a[w], b) : _mm512_xor_si512(a[w], b);
      sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(bits));
    }
    sums[column] = sum;
  }
  finish(r, sums, false);
  return true;
}

using Path = bool (*)(const PreparedMma&, const MmaRegisters&);

template <int words, bool sparse, bool nibbles>
Path for_signs(bool signed_a, bool signed_b) {
  if (signed_a && signed_b) return multiply<Form{words, sparse, nibbles, true, true}>;
  if (signed_a) return multiply<Form{words, sparse, nibbles, true, false}>;
  if (signed_b) return multiply<Form{words, sparse, nibbles, false, true}>;
  return multiply<Form{words, sparse, nibbles, false, false}>;
}
template <int words>
Path for_words(const isa::Instruction& i) {
  if (i.op == isa::BitOp::and_popc) return count<words, true>;
  if (i.op == isa::BitOp::xor_popc) return count<words, false>;
  const bool a = isa::is_signed(i.a), b = isa::is_signed(i.b), nibbles = isa::bits(i.a) == 4;
  if (i.is_sparse())
    return nibbles ? for_signs<words, true, true>(a, b) : for_signs<words, true, false>(a, b);
  return nibbles ? for_signs<words, false, true>(a, b) : for_signs<words, false, false>(a, b);
}

}  // namespace

bool (*find_vnni_mma(const isa::Instruction& i))(const PreparedMma&, const MmaRegisters&) {
  if (!simd_has_vnni() || i.shape.m != 16) return nullptr;
  switch (isa::registers(i, isa::Operand::a)) {
    case 2: return for_words<4>(i);
    case 4: return for_words<8>(i);
    default: return nullptr;
  }
}

}  // namespace twofour::emu
#else

namespace twofour::emu {

bool (*find_vnni_mma(const isa::Instruction&))(const PreparedMma&, const MmaRegisters&) {
  return nullptr;
}

}  // namespace twofour::emu
#endif
