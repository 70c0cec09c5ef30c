// add sub mul fma mad div abs neg min max of f64, and rcp and sqrt of f64. Rounding modes other than to
// nearest are the processor's, set around the loop: what the loop reads and writes is memory, so that it
// stays inside.
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <cfenv>

#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_f32.h"

namespace twofour::emu::ptx {
namespace {

constexpr int processor_mode(Round mode) {
  switch (mode) {
    case Round::toward_zero: return FE_TOWARDZERO;
    case Round::downward: return FE_DOWNWARD;
    case Round::upward: return FE_UPWARD;
    default: return FE_TONEAREST;
  }
}

template <Round mode, AluFunction function>
void in_mode(const AluCall& call) {
  const int before = std::fegetround();
  std::fesetround(processor_mode(mode));
  function(call);
  std::fesetround(before);
}

#if defined(__x86_64__)
constexpr unsigned vector_mode(Round mode) {
  switch (mode) {
    case Round::toward_zero: return _MM_ROUND_TOWARD_ZERO;
    case Round::downward: return _MM_ROUND_DOWN;
    case Round::upward: return _MM_ROUND_UP;
    default: return _MM_ROUND_NEAREST;
  }
}

/// Of vector instructions alone: fesetround also sets that of x87, which takes longer than the lanes. The
/// baseline needs it: without FMA instructions fma() is a function of the C library, which may ask x87.
template <Round mode, AluFunction function>
void in_vector_mode(const AluCall& call) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr((before & ~unsigned{_MM_ROUND_MASK}) | vector_mode(mode));
  function(call);
  _mm_setcsr(before);
}

/// For this processor.
template <Round mode, class Body>
AluFunction simd_in_mode() {
  switch (simd_level()) {
    case SimdLevel::avx512: return in_vector_mode<mode, run_avx512<Body>>;
    case SimdLevel::avx2: return in_vector_mode<mode, run_avx2<Body>>;
    default: return in_mode<mode, run_portable<Body>>;
  }
}
#else
template <Round mode, class Body>
AluFunction simd_in_mode() {
  return in_mode<mode, run_portable<Body>>;
}
#endif

template <class Operation>
AluFunction rounded(Operation operation, Round mode) {
  using Body = Lanes<Operation>;
  switch (mode) {
    case Round::toward_zero: return simd_in_mode<Round::toward_zero, Body>();
    case Round::downward: return simd_in_mode<Round::downward, Body>();
    case Round::upward: return simd_in_mode<Round::upward, Body>();
    default: return lanes(operation);
  }
}

TWOFOUR_ALWAYS_INLINE s64 order(double x) {
  const s64 word = s64(bits_of(x));
  return word ^ s64(u64(word >> 63) >> 1);
}
template <bool greatest>
TWOFOUR_ALWAYS_INLINE double extreme(double a, double b) {
  const double chosen = (order(a) < order(b)) == greatest ? b : a;
  const double number = is_nan(a) ? b : is_nan(b) ? a : chosen;
  return is_nan(a) && is_nan(b) ? f64_from(bits_of(a) | f64_quiet) : number;
}

AluFunction arithmetic(Decoder& d, Arithmetic operation) {
  switch (operation) {
    case Arithmetic::add:
      return rounded([](double a, double b) TWOFOUR_LANE { return f64_result(a + b, a, b); },
                     d.take_rounding());
    case Arithmetic::sub:
      return rounded([](double a, double b) TWOFOUR_LANE { return f64_result(a - b, a, b); },
                     d.take_rounding());
    case Arithmetic::mul:
      return rounded([](double a, double b) TWOFOUR_LANE { return f64_result(a * b, a, b); },
                     d.take_rounding());
    case Arithmetic::fma:
      return rounded([](double a, double b, double c)
                         TWOFOUR_LANE { return f64_result(__builtin_fma(a, b, c), a, b, c); },
                     d.take_rounding());
    case Arithmetic::div:
      if (!d.has_rounding()) d.refuse("a rounding mode is needed");
      return rounded([](double a, double b) TWOFOUR_LANE { return f64_result(a / b, a, b); },
                     d.take_rounding());
    case Arithmetic::abs:
      return lanes([](double a) TWOFOUR_LANE { return f64_from(bits_of(a) & ~(u64(1) << 63)); });
    case Arithmetic::neg:
      return lanes([](double a) TWOFOUR_LANE { return f64_from(bits_of(a) ^ u64(1) << 63); });
    case Arithmetic::min: return lanes([](double a, double b) TWOFOUR_LANE { return extreme<false>(a, b); });
    case Arithmetic::max: return lanes([](double a, double b) TWOFOUR_LANE { return extreme<true>(a, b); });
  }
  return nullptr;
}

}  // namespace

Alu decode_f64(Decoder& d, Arithmetic operation) {
  const Type f = d.type();
  const AluFunction run = arithmetic(d, operation);
  switch (operation) {
    case Arithmetic::abs:
    case Arithmetic::neg: return d.alu(run, {f}, {f});
    case Arithmetic::fma: return d.alu(run, {f}, {f, f, f});
    default: return d.alu(run, {f}, {f, f});
  }
}

AluFunction reciprocal_f64(Round mode) {
  return rounded([](double a) TWOFOUR_LANE { return f64_result(1.0 / a, a); }, mode);
}
AluFunction square_root_f64(Round mode) {
  return rounded([](double a) TWOFOUR_LANE { return f64_result(__builtin_sqrt(a), a); }, mode);
}

}  // namespace twofour::emu::ptx
