#pragma once
#include <cstdint>

#include "twofour/nas/train/quantise.h"

/// The inner loops of mixed quantisers, without libtorch: a mixture is sum_o share_o * Q_o(x), Q_o the
/// rounding of one quantiser as fake_quant.h defines it. Each loop adds the part of one quantiser for up to
/// `rounding_block` values, which stay in the first-level cache while the others add theirs.
namespace twofour::nas {

inline constexpr int rounding_block = 2048;

/// One rounding. Integers: code * step with codes low .. high; one bit: -step or step by the sign.
struct Rounding {
  Precision precision = Precision::f32;
  bool sign_only = false;  ///< one-bit weights
  float step = 1, low = 0, high = 0;
};

Rounding input_rounding(Quantiser quantiser, float step);
Rounding weight_rounding(Quantiser quantiser, float step);

/// sum[i] += share * Q(x[i]).
void add_rounded(const Rounding& rounding, float share, const float* x, int n, float* sum);

/// What the gradient g of a mixture gives to one of its parts.
struct RoundingGradient {
  double share = 0;  ///< sum of g * Q(x)
  double step = 0;   ///< sum of g * dQ/dstep as LSQ defines it, without its scale and the share; 0 for floats
};

/// pass[i] += share wherever the gradient passes straight through: everywhere but outside the range of codes.
RoundingGradient add_backward(const Rounding& rounding, float share, const float* x, const float* g, int n,
                              float* pass);

}  // namespace twofour::nas
