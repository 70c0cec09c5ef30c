// Integer tiles for AVX-512 with VNNI and VPOPCNTDQ. vpdpbusd multiplies unsigned by signed bytes and adds
// four products to a 32-bit lane without saturation; vpopcntd counts the ones of a lane.
#if defined(__x86_64__)
#include <immintrin.h>

#define TWOFOUR_TILE_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vpopcntdq,avx2,fma")))
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

/// A lane is a column; a step is a word of k.
struct Lanes {
  using Vector = __m512i;
  using Broadcast = Vector;
  static constexpr int rows = 1, columns = 16, a_words = 1, b_words = 16, lanes = 16;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm512_setzero_si512(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) { return _mm512_load_si512(p); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm512_set1_epi32(int(*p)); }
  TWOFOUR_TILE_INLINE static void store(Vector sum, std::uint32_t* tile, int) {
    _mm512_store_si512(tile, sum);
  }
  TWOFOUR_TILE_INLINE static void finish(const std::uint32_t* sums, std::uint32_t offset,
                                         const std::uint32_t* base, std::uint32_t* d, int count) {
    const auto inside = __mmask16(count >= lanes ? 0xffff : (1 << count) - 1);
    Vector sum = _mm512_add_epi32(_mm512_load_si512(sums), _mm512_set1_epi32(int(offset)));
    if (base != nullptr) sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(inside, base));
    _mm512_mask_storeu_epi32(d, inside, sum);
  }
};

struct SignedA : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_dpbusd_epi32(sum, b, a);
  }
};

struct UnsignedA : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_dpbusd_epi32(sum, a, b);
  }
};

struct AndCount : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_and_si512(a, b)));
  }
};

struct XorCount : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(a, b)));
  }
};

/// A compressed A, two rows at a time. A vector of B holds eight columns of eight k, two columns to 128 bits;
/// the shuffle that a pair of rows asks for leaves [c0 r0][c0 r1][c1 r0][c1 r1] in each 128 bits. Places come
/// as 64 bits, to which OR adds the second column's 8: loading 128 bits into every lane would cost a shuffle.
template <class Multiply>
struct Selected : Lanes {
  struct Broadcast {
    Vector places, values;
  };
  static constexpr int rows = 2, columns = 8, a_words = 4, b_words = 16;
  TWOFOUR_TILE_INLINE static Vector broadcast_pair(const std::uint32_t* p) {
    return _mm512_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  TWOFOUR_TILE_INLINE static Broadcast broadcast(const std::uint32_t* p) {
    const Vector second = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0808080808080808, 0));
    return {_mm512_or_si512(broadcast_pair(p), second), broadcast_pair(p + 2)};
  }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, const Broadcast& a, Vector b) {
    return Multiply::add_products(sum, a.values, _mm512_shuffle_epi8(b, a.places));
  }
  TWOFOUR_TILE_INLINE static void store(Vector sum, std::uint32_t* tile, int stride) {
    const Vector order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    asm("" : "+v"(sum));  // else g++ 12 keeps a second copy of every sum in memory throughout the loop
    const Vector split = _mm512_permutexvar_epi32(order, sum);
    _mm256_store_si256(reinterpret_cast<__m256i*>(tile), _mm512_castsi512_si256(split));
    _mm256_store_si256(reinterpret_cast<__m256i*>(tile + stride), _mm512_extracti64x4_epi64(split, 1));
  }
};

constexpr auto bytes = IntegerForm::bytes, bits = IntegerForm::bits;
constexpr IntegerKernel signed_a = tile_kernel<SignedA, 6, 4>(bytes, true);
constexpr IntegerKernel unsigned_a = tile_kernel<UnsignedA, 6, 4>(bytes, false);
constexpr IntegerKernel and_count = tile_kernel<AndCount, 6, 4>(bits);
constexpr IntegerKernel xor_count = tile_kernel<XorCount, 6, 4>(bits);
constexpr IntegerKernel sparse_signed_a = tile_kernel<Selected<SignedA>, 5, 4>(bytes, true);
constexpr IntegerKernel sparse_unsigned_a = tile_kernel<Selected<UnsignedA>, 5, 4>(bytes, false);

}  // namespace

const IntegerKernel* vnni_kernel(const isa::Instruction& i) {
  if (i.op == isa::BitOp::and_popc) return &and_count;
  if (i.op == isa::BitOp::xor_popc) return &xor_count;
  if (i.a == isa::ElementType::u8) return i.is_sparse() ? &sparse_unsigned_a : &unsigned_a;
  return i.is_sparse() ? &sparse_signed_a : &signed_a;
}

}  // namespace twofour::emu
#endif
