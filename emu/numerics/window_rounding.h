#pragma once
// Directed conversions for levels that can only convert to nearest: the exact error of the conversion
// corrects it. Private to window_<level>.cc.
#include "twofour/emu/numerics/window_kernel.h"

namespace twofour::emu {
namespace {

/// What the vector operations `S` inherit. Of S it takes convert, truncate, sub and
///   cut(nearest, error)            one unit in the last place less where the error points to zero
///   set_last(x, error)             the last bit set where there is an error
///   nearest_sum(sum, more, error)  sum + more to the nearest float, and the error
template <class S>
struct CorrectedRounding {
  template <class Integers>
  static TWOFOUR_INLINE auto toward_zero(Integers sum) {
    const auto nearest = S::convert(sum);
    return S::cut(nearest, S::sub(sum, S::truncate(nearest)));
  }
  template <class Integers>
  static TWOFOUR_INLINE auto to_odd(Integers sum) {
    const auto nearest = S::convert(sum);
    const Integers error = S::sub(sum, S::truncate(nearest));
    return S::set_last(S::cut(nearest, error), error);
  }
  template <class Integers>
  static TWOFOUR_INLINE auto toward_zero(Integers sum, Integers more) {
    Integers error;
    const auto nearest = S::nearest_sum(sum, more, error);
    return S::cut(nearest, error);
  }
  template <class Integers>
  static TWOFOUR_INLINE auto to_odd(Integers sum, Integers more) {
    Integers error;
    const auto nearest = S::nearest_sum(sum, more, error);
    return S::set_last(S::cut(nearest, error), error);
  }
};

}  // namespace
}  // namespace twofour::emu
