#include "twofour/emu/warp/vnni_mma.h"

#include "twofour/emu/numerics/simd_dispatch.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <new>

#define TWOFOUR_VNNI \
  __attribute__((    \
      target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vbmi,avx512vpopcntdq,avx2,fma")))
#define TWOFOUR_VNNI_INLINE TWOFOUR_VNNI inline __attribute__((always_inline))

// Unrolled as a whole, the loop has all its loads first and the sums lose their registers to them.
#if defined(__clang__)
#define TWOFOUR_UNROLLED_BY_TWO _Pragma("clang loop unroll_count(2)")
#else
#define TWOFOUR_UNROLLED_BY_TWO _Pragma("GCC unroll 2")
#endif

namespace twofour::emu {
namespace {

// C and D stay as they lie in registers: half a register is the vector of four rows ("strip"; a strip's quad
// is a row) by four columns, the even ones in one register and the odd ones in the next. A word of A that a
// row meets with is repeated in its quad, a word of B goes to the lane of its column in every quad.
using Vector = __m512i;
constexpr int strips = 4;    // of 16 rows
constexpr int parities = 2;  // columns 2t and 2t + 1 of lane t

/// All of an instruction that decides what code runs.
struct Form {
  int words;  ///< of a row of A: 4 or 8
  bool sparse, nibbles, signed_a, signed_b;
  // vpdpbusd takes one factor unsigned: A where only A is, else B. A signed B is then B + 128 (nibbles: + 8),
  // which `row_offset` takes back; two unsigned ones split A into 7 bits and a rest.
  constexpr bool unsigned_a() const { return !nibbles && !signed_a && signed_b; }
  constexpr bool splits_a() const { return !nibbles && !signed_a && !signed_b; }
  constexpr bool lifts_b() const { return signed_b && !unsigned_a(); }
  constexpr int parts() const { return nibbles ? 2 : 1; }  ///< bytes of low nibbles, and of high ones
  constexpr int column_words() const { return words * (sparse ? 2 : 1); }
};

template <Form f>
struct Rows {
  Vector a[f.parts()][f.words][strips];
  Vector row_offset[strips];
  Vector places[f.sparse ? f.words : 1][strips];  ///< where each byte of A finds its own of B
};
/// Four words of the even or odd columns: [word][column].
template <Form f>
struct Columns {
  Vector b[f.parts()][f.column_words() / 4][parities];
};

TWOFOUR_VNNI_INLINE Vector half(const std::uint32_t* reg, int which) {
  return _mm512_loadu_si512(reg + 16 * which);
}
/// Word t of each quad, in all of the quad.
template <int t>
TWOFOUR_VNNI_INLINE Vector repeated(Vector x) {
  return _mm512_shuffle_epi32(x, _MM_PERM_ENUM(t * 0x55));
}
/// A strip's words 4h .. 4h + 3 of A as they lie in a register: word t of a row in lane t of its quad.
TWOFOUR_VNNI_INLINE Vector strip_of(const MmaRegisters& r, int h, int strip) {
  return half(r.a[std::size_t(2 * h + strip / 2)], strip % 2);
}
TWOFOUR_VNNI_INLINE void repeat(Vector x, int h, int strip, Vector (*out)[strips]) {
  out[4 * h][strip] = repeated<0>(x);
  out[4 * h + 1][strip] = repeated<1>(x);
  out[4 * h + 2][strip] = repeated<2>(x);
  out[4 * h + 3][strip] = repeated<3>(x);
}
/// A register of B, which has four words of each column.
TWOFOUR_VNNI_INLINE Vector load_columns(const std::uint32_t* reg, int parity) {
  const Vector even = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
  const Vector index = _mm512_add_epi32(even, _mm512_set1_epi32(4 * parity));
  return _mm512_permutex2var_epi32(half(reg, 0), index, half(reg, 1));
}
/// Word w, for every row.
TWOFOUR_VNNI_INLINE Vector word_of(const Vector (*columns)[parities], int w, int parity) {
  const auto* words = reinterpret_cast<const __m128i*>(&columns[w / 4][parity]);
  return _mm512_broadcast_i32x4(_mm_load_si128(words + w % 4));
}

/// In a register: loaded once, where the compiler would rather load it for each instruction that takes it.
TWOFOUR_VNNI_INLINE Vector loaded(Vector x) {
  asm("" : "+v"(x));
  return x;
}

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

template <Form f>
TWOFOUR_VNNI_INLINE Vector part_of_a(Vector x, int part) {
  if constexpr (!f.nibbles) return x;
  return extended<f.signed_a>(part == 0 ? low_nibbles(x) : high_nibbles(x));
}
/// The sum of a quad's words, in all of the quad.
TWOFOUR_VNNI_INLINE Vector sum_of_quad(Vector x) {
  x = _mm512_add_epi32(x, _mm512_shuffle_epi32(x, _MM_PERM_CDAB));
  return _mm512_add_epi32(x, _mm512_shuffle_epi32(x, _MM_PERM_BADC));
}

/// For each byte of A its place among the bytes of Columns::b that hold its column's: two groups of four
/// candidates (two words) meet a word of A, each two of its bytes.
template <Form f>
TWOFOUR_VNNI_INLINE void find_places(const PreparedMma& p, const std::uint32_t* metadata, Rows<f>& rows) {
  const int first = 4 / p.instruction->selectors() * p.selector;
  const Vector quads = _mm512_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
  const Vector column = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c));
  const Vector even = _mm512_or_si512(column, _mm512_set1_epi32(0x10100000));
  const Vector odd = _mm512_or_si512(column, _mm512_set1_epi32(0x30302020));
  const Vector three = _mm512_set1_epi8(3);
  for (int h = 0; h < f.words / 4; ++h)
    for (int strip = 0; strip < strips; ++strip) {
      const Vector lane = _mm512_add_epi32(quads, _mm512_set1_epi32(first + 2 * h + strip / 2));
      const Vector codes = _mm512_permutexvar_epi32(lane, half(metadata, strip % 2));
      for (int t = 0; t < 4; ++t) {  // two bits of a code from bit 8t + 2e for byte e
        const Vector bits = _mm512_set1_epi32(0x06040200 + 0x08080808 * t);
        const Vector indices = _mm512_multishift_epi64_epi8(bits, codes);
        rows.places[4 * h + t][strip] =
            _mm512_or_si512(_mm512_and_si512(indices, three), t % 2 == 0 ? even : odd);
      }
    }
}

template <Form f>
TWOFOUR_VNNI void take_a(const PreparedMma& p, const MmaRegisters& r, std::byte* out) {
  auto& rows = *new (out) Rows<f>;
  const Vector lift = _mm512_set1_epi8(f.nibbles ? 8 : 64);
  for (int strip = 0; strip < strips; ++strip) {
    Vector offset = _mm512_setzero_si512();
    for (int h = 0; h < f.words / 4; ++h)
      for (int part = 0; part < f.parts(); ++part) {
        const Vector x = part_of_a<f>(strip_of(r, h, strip), part);
        repeat(x, h, strip, rows.a[part]);
        if (f.lifts_b()) offset = _mm512_dpbusd_epi32(offset, lift, x);
      }
    offset = sum_of_quad(offset);
    rows.row_offset[strip] = f.nibbles ? offset : _mm512_slli_epi32(offset, 1);
  }
  if constexpr (f.sparse) find_places<f>(p, r.metadata, rows);
}

template <Form f>
TWOFOUR_VNNI void take_b(const PreparedMma&, const MmaRegisters& r, std::byte* out) {
  auto& columns = *new (out) Columns<f>;
  const Vector lift = _mm512_set1_epi8(char(f.lifts_b() ? (f.nibbles ? 8 : 128) : 0));
  for (int n = 0; n < f.column_words() / 4; ++n)
    for (int parity = 0; parity < parities; ++parity) {
      const Vector x = load_columns(r.b[std::size_t(n)], parity);
      columns.b[0][n][parity] = _mm512_xor_si512(f.nibbles ? low_nibbles(x) : x, lift);
      if constexpr (f.nibbles) columns.b[1][n][parity] = _mm512_xor_si512(high_nibbles(x), lift);
    }
}

template <Form f>
TWOFOUR_VNNI_INLINE Vector add_products(Vector sum, Vector a, Vector b) {
  if constexpr (f.unsigned_a()) return _mm512_dpbusd_epi32(sum, a, b);
  if constexpr (!f.splits_a()) return _mm512_dpbusd_epi32(sum, b, a);
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

/// D = sums + C. All of C is read first: D may be some of it.
TWOFOUR_VNNI_INLINE void finish(const MmaRegisters& r, Vector (&sums)[strips][parities], bool clamps) {
  const MmaRegisters* after = &r;  // C is not loaded ahead of its turn: the registers are the sums'
  asm("" : "+r"(after) : "v"(sums[strips - 1][parities - 1]));
  for (int strip = 0; strip < strips; ++strip)
    for (int parity = 0; parity < parities; ++parity) {
      const Vector c = half(after->c[std::size_t(strip / 2 * 2 + parity)], strip % 2);
      sums[strip][parity] = add_c(sums[strip][parity], c, clamps);
    }
  for (int strip = 0; strip < strips; ++strip)
    for (int parity = 0; parity < parities; ++parity)
      if (std::uint32_t* const d = after->d[std::size_t(strip / 2 * 2 + parity)])
        _mm512_storeu_si512(d + 16 * (strip % 2), sums[strip][parity]);
}

template <Form f, bool clamps>
TWOFOUR_VNNI bool multiply(const PreparedMma&, const std::byte* a, const std::byte* b,
                           const MmaRegisters& r) {
  const auto& rows = *reinterpret_cast<const Rows<f>*>(a);
  const auto& columns = *reinterpret_cast<const Columns<f>*>(b);
  Vector sums[strips][parities];
  for (int strip = 0; strip < strips; ++strip)
    for (Vector& sum : sums[strip]) sum = _mm512_sub_epi32(_mm512_setzero_si512(), rows.row_offset[strip]);
  for (int part = 0; part < f.parts(); ++part) TWOFOUR_UNROLLED_BY_TWO
  for (int w = 0; w < f.words; ++w) {
    Vector candidates[parities];
    for (int parity = 0; parity < parities; ++parity)
      candidates[parity] = f.sparse ? columns.b[part][w / 2][parity] : word_of(columns.b[part], w, parity);
    for (int strip = 0; strip < strips; ++strip) {
      const Vector row = loaded(rows.a[part][w][strip]);
      Vector places = {};
      if (f.sparse) places = loaded(rows.places[w][strip]);
      for (int parity = 0; parity < parities; ++parity) {
        Vector column = candidates[parity];
        if (f.sparse) column = _mm512_permutexvar_epi8(places, column);
        sums[strip][parity] = add_products<f>(sums[strip][parity], row, column);
      }
    }
  }
  finish(r, sums, clamps);
  return true;
}

// Single bits
template <int words>
struct BitRows {
  Vector a[words][strips];
};
template <int words>
struct BitColumns {
  Vector b[words / 4][parities];
};

template <int words>
TWOFOUR_VNNI void take_bits_of_a(const PreparedMma&, const MmaRegisters& r, std::byte* out) {
  auto& rows = *new (out) BitRows<words>;
  for (int strip = 0; strip < strips; ++strip)
    for (int h = 0; h < words / 4; ++h) repeat(strip_of(r, h, strip), h, strip, rows.a);
}
template <int words>
TWOFOUR_VNNI void take_bits_of_b(const PreparedMma&, const MmaRegisters& r, std::byte* out) {
  auto& columns = *new (out) BitColumns<words>;
  for (int n = 0; n < words / 4; ++n)
    for (int parity = 0; parity < parities; ++parity)
      columns.b[n][parity] = load_columns(r.b[std::size_t(n)], parity);
}
template <int words, bool intersects>
TWOFOUR_VNNI bool count(const PreparedMma&, const std::byte* a, const std::byte* b, const MmaRegisters& r) {
  const auto& rows = *reinterpret_cast<const BitRows<words>*>(a);
  const auto& columns = *reinterpret_cast<const BitColumns<words>*>(b);
  Vector sums[strips][parities] = {};
  TWOFOUR_UNROLLED_BY_TWO
  for (int w = 0; w < words; ++w) {
    const Vector column[parities] = {word_of(columns.b, w, 0), word_of(columns.b, w, 1)};
    for (int strip = 0; strip < strips; ++strip) {
      const Vector row = loaded(rows.a[w][strip]);
      for (int parity = 0; parity < parities; ++parity) {
        const Vector bits =
            intersects ? _mm512_and_si512(row, column[parity]) : _mm512_xor_si512(row, column[parity]);
        sums[strip][parity] = _mm512_add_epi32(sums[strip][parity], _mm512_popcnt_epi32(bits));
      }
    }
  }
  finish(r, sums, false);
  return true;
}

template <int words, bool intersects>
FastMma counting() {
  static_assert(sizeof(BitRows<words>) <= FastMma::max_a_bytes);
  return {take_bits_of_a<words>, take_bits_of_b<words>, count<words, intersects>, sizeof(BitRows<words>),
          sizeof(BitColumns<words>)};
}
template <Form f>
FastMma multiplying(bool clamps) {
  static_assert(sizeof(Rows<f>) <= FastMma::max_a_bytes && sizeof(Columns<f>) <= FastMma::max_b_bytes);
  return {take_a<f>, take_b<f>, clamps ? multiply<f, true> : multiply<f, false>, sizeof(Rows<f>),
          sizeof(Columns<f>)};
}

template <int words, bool sparse, bool nibbles>
FastMma for_signs(bool signed_a, bool signed_b, bool clamps) {
  if (signed_a && signed_b) return multiplying<Form{words, sparse, nibbles, true, true}>(clamps);
  if (signed_a) return multiplying<Form{words, sparse, nibbles, true, false}>(clamps);
  if (signed_b) return multiplying<Form{words, sparse, nibbles, false, true}>(clamps);
  return multiplying<Form{words, sparse, nibbles, false, false}>(clamps);
}
template <int words>
FastMma for_words(const isa::Instruction& i, bool clamps) {
  if (i.op == isa::BitOp::and_popc) return counting<words, true>();
  if (i.op == isa::BitOp::xor_popc) return counting<words, false>();
  const bool a = isa::is_signed(i.a), b = isa::is_signed(i.b), nibbles = isa::bits(i.a) == 4;
  if (i.is_sparse())
    return nibbles ? for_signs<words, true, true>(a, b, clamps) : for_signs<words, true, false>(a, b, clamps);
  return nibbles ? for_signs<words, false, true>(a, b, clamps) : for_signs<words, false, false>(a, b, clamps);
}

}  // namespace

FastMma find_vnni_mma(const isa::Instruction& i, bool clamps) {
  if (!simd_has_vnni() || i.shape.m != 16) return {};
  switch (isa::registers(i, isa::Operand::a)) {
    case 2: return for_words<4>(i, clamps);
    case 4: return for_words<8>(i, clamps);
    default: return {};
  }
}

}  // namespace twofour::emu
#else

namespace twofour::emu {

FastMma find_vnni_mma(const isa::Instruction&, bool) {
  return {};
}

}  // namespace twofour::emu
#endif
