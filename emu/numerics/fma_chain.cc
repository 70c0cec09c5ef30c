#include "twofour/emu/numerics/fma_chain.h"

#include <bit>
#include <cfenv>
#include <cmath>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/half.h"

namespace twofour::emu {
namespace {

constexpr FloatFormat f32_format = float_format(isa::ElementType::f32);

int fenv_rounding(isa::Rounding r) {
  switch (r) {
    case isa::Rounding::toward_zero: return FE_TOWARDZERO;
    case isa::Rounding::nearest_even: return FE_TONEAREST;
    case isa::Rounding::downward: return FE_DOWNWARD;
    case isa::Rounding::upward: return FE_UPWARD;
  }
  return FE_TONEAREST;
}

/// One step in the rounding mode of the moment. The operands pass through volatile objects, so that the
/// compiler neither folds the step nor moves it across the change of mode.
double fma_step(double a, double b, double c) {
  volatile double x = a, y = b, z = c;
  volatile double result = std::fma(x, y, z);
  return result;
}

}  // namespace

std::uint64_t double_dot(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, std::uint64_t c,
                         isa::Rounding rounding) {
  double sum = std::bit_cast<double>(c);
  const int before = std::fegetround();
  std::fesetround(fenv_rounding(rounding));
  for (std::size_t k = 0; k < a.size(); ++k)
    sum = fma_step(std::bit_cast<double>(a[k]), std::bit_cast<double>(b[k]), sum);
  std::fesetround(before);
  return std::isnan(sum) ? f64_nan : std::bit_cast<std::uint64_t>(sum);
}

std::uint32_t quad_pair_dot(const isa::Instruction& i, std::span<const std::uint64_t> a,
                            std::span<const std::uint64_t> b, std::uint32_t c_word) {
  float x[4], y[4];
  for (std::size_t k = 0; k < 4; ++k) {
    x[k] = half_to_float(std::uint32_t(a[k]));
    y[k] = half_to_float(std::uint32_t(b[k]));
  }
  const float c = i.c == isa::ElementType::f16 ? half_to_float(c_word) : std::bit_cast<float>(c_word);
  if (i.d == isa::ElementType::f16) {
    const float low = std::fma(x[1], y[1], x[0] * y[0]), high = std::fma(x[3], y[3], x[2] * y[2]);
    const float partial = c + low;
    return float_to_half(partial + high);
  }
  float sum = 0;
  for (int k = 0; k < 4; ++k) sum = std::fma(x[k], y[k], sum);
  const float d = c + sum;
  return std::isnan(d) ? f32_format.magnitude_mask() : std::bit_cast<std::uint32_t>(d);
}

}  // namespace twofour::emu
