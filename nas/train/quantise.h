#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace twofour::nas {

/// How a layer's operands are rounded in training. Plain C++17: both sides of the libtorch boundary include
/// it.
enum class Precision : std::uint8_t { f32, f16, bf16, tf32, integer };

struct Quantiser {
  Precision precision = Precision::f32;
  bool sparse = false;  ///< 2:4 along the channels; 4:8 in pairs for 4-bit weights, 1:2 for tf32
  int weight_bits = 0, activation_bits = 0;  ///< of integers, 1 to 8
};
inline bool operator==(Quantiser a, Quantiser b) {
  return a.precision == b.precision && a.sparse == b.sparse && a.weight_bits == b.weight_bits &&
         a.activation_bits == b.activation_bits;
}
inline Quantiser integer_quantiser(int weight_bits, int activation_bits, bool sparse = false) {
  return {Precision::integer, sparse, weight_bits, activation_bits};
}

inline bool is_integer(Quantiser q) {
  return q.precision == Precision::integer;
}
/// Largest activation code: codes are 0 .. levels.
inline int activation_levels(Quantiser q) {
  return (1 << q.activation_bits) - 1;
}
/// Largest weight code: codes are -levels .. levels (one bit: -1 and 1 only).
inline int weight_levels(Quantiser q) {
  return q.weight_bits == 1 ? 1 : (1 << (q.weight_bits - 1)) - 1;
}
/// Sparse weights are pruned in pairs.
inline bool prunes_pairs(Quantiser q) {
  return q.sparse && is_integer(q) && q.weight_bits == 4;
}

/// keep[i] = 1 for the weights that magnitude pruning keeps, 0 for the rest: of each 4 consecutive weights
/// the 2 largest (pairs = false), or of each 4 consecutive pairs the 2 with the largest sum (pairs = true);
/// ties keep the lower index. The rule of emu::prune. Throws Error unless n is a multiple of the group.
void magnitude_mask(const float* weights, std::int64_t n, bool pairs, float* keep);

/// A row of weights (K in the order r, s, c) with those zeroed that the quantiser's sparse form prunes.
std::vector<float> masked_row(const float* row, std::int64_t k, Quantiser quantiser);

/// Activation code of x: clamp(floor(x / step + 1/2), 0, levels), the rounding of FixedScale. inverse = 1 /
/// step.
inline float activation_code(float x, float inverse, float levels) {
  const float code = __builtin_floorf(x * inverse + 0.5f);
  return code < 0 ? 0 : code > levels ? levels : code;
}

/// The step of least mean square error for quantising `values` to codes 0 .. levels (values not negative), or
/// to the nearest of -levels .. levels when is_signed; int1 weights (signed, 1 level) take the mean
/// magnitude, which is their least-square step. 1 / levels if all values are zero.
float best_step(const float* values, std::int64_t n, int levels, bool is_signed);

}  // namespace twofour::nas
