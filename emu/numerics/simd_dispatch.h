#pragma once
// One body compiled for AVX-512, AVX2 and the baseline; the processor's best is chosen at the first call.

#define TWOFOUR_ALWAYS_INLINE inline __attribute__((always_inline))

namespace twofour::emu {

enum class SimdLevel { portable, avx2, avx512 };

/// The widest level that this processor has (or TWOFOUR_SIMD=portable|avx2|avx512 from the environment, if it
/// has that).
SimdLevel simd_level();

/// The avx512 level on a processor that also has VNNI, VBMI and VPOPCNTDQ (TWOFOUR_SIMD=avx512 leaves them out).
bool simd_has_vnni();

}  // namespace twofour::emu

#if defined(__x86_64__)
#define TWOFOUR_AVX512_FEATURES "avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx2,fma,popcnt,lzcnt"
#if defined(__clang__)
#define TWOFOUR_TARGET_AVX512 __attribute__((target(TWOFOUR_AVX512_FEATURES), min_vector_width(512)))
#else
#define TWOFOUR_TARGET_AVX512 __attribute__((target(TWOFOUR_AVX512_FEATURES ",prefer-vector-width=512")))
#endif
#define TWOFOUR_TARGET_AVX2 __attribute__((target("avx2,fma,popcnt,lzcnt")))
#else
#define TWOFOUR_TARGET_AVX512
#define TWOFOUR_TARGET_AVX2
#endif

/// Defines `void name parameters` that runs `call` compiled for the chosen level.
#define TWOFOUR_SIMD_VARIANTS(name, parameters, ...)    \
  TWOFOUR_TARGET_AVX512 void name##_avx512 parameters { \
    __VA_ARGS__;                                        \
  }                                                     \
  TWOFOUR_TARGET_AVX2 void name##_avx2 parameters {     \
    __VA_ARGS__;                                        \
  }                                                     \
  void name##_portable parameters {                     \
    __VA_ARGS__;                                        \
  }                                                     \
  const auto name = [] {                                \
    switch (simd_level()) {                             \
      case SimdLevel::avx512: return name##_avx512;     \
      case SimdLevel::avx2: return name##_avx2;         \
      default: return name##_portable;                  \
    }                                                   \
  }();
