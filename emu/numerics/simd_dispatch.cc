#include "twofour/emu/numerics/simd_dispatch.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace twofour::emu {
namespace {

SimdLevel best_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512cd"))
    return SimdLevel::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SimdLevel::avx2;
#endif
  return SimdLevel::portable;
}

std::string_view wanted() {
  const char* text = std::getenv("TWOFOUR_SIMD");
  return text != nullptr ? text : "";
}

SimdLevel wanted_level() {
  if (wanted() == "portable") return SimdLevel::portable;
  return wanted() == "avx2" ? SimdLevel::avx2 : SimdLevel::avx512;
}

}  // namespace

SimdLevel simd_level() {
  static const SimdLevel level = std::min(best_level(), wanted_level());
  return level;
}

bool simd_has_vnni() {
#if defined(__x86_64__)
  return simd_level() == SimdLevel::avx512 && wanted() != "avx512" && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vpopcntdq");
#else
  return false;
#endif
}

}  // namespace twofour::emu
