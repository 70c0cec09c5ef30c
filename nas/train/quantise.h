#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace twofour::nas {

/// How a layer's operands are rounded in training. Plain C++17: both sides of the libtorch boundary include
/// it.
enum class Precision : std::uint8_t { f32, f16, bf16, tf32, integer };

/// Where the steps of integers come from.
///  - learned: least square error for the weights and the calibration images at first, then trained (LSQ,
///  Esser et
///    al., ICLR 2020, arXiv 1902.08153);
///  - least_square: the same, not trained;
///  - wrpn: those of Mishra et al., ICLR 2018 (arXiv 1709.01134), not trained. Activations lie in 0..1 and
///  weights
///    in -1..1, what is outside is clipped: the steps are 1 / (2^q - 1) and 1 / (2^(p-1) - 1). Weights of one
///    bit take the mean magnitude. Halves round upwards, as everywhere here. WRPN makes up for the precision
///    with wider layers, which are the network's affair.
enum class StepRule : std::uint8_t { learned, least_square, wrpn };

struct Quantiser {
  Precision precision = Precision::f32;
  bool sparse = false;  ///< 2:4 along the channels; 4:8 in pairs for 4-bit weights, 1:2 for tf32
  int weight_bits = 0, activation_bits = 0;  ///< of integers, 1 to 8
  StepRule steps = StepRule::learned;        ///< of integers
};
inline bool operator==(Quantiser a, Quantiser b) {
  return a.precision == b.precision && a.sparse == b.sparse && a.weight_bits == b.weight_bits &&
         a.activation_bits == b.activation_bits && a.steps == b.steps;
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
/// Groups that pruning works on: half of `units` runs of `width` consecutive weights stay.
struct SparseForm {
  int units, width;
  int group() const { return units * width; }
};
inline bool operator==(SparseForm a, SparseForm b) {
  return a.units == b.units && a.width == b.width;
}
/// The sparse form of the quantiser's type: 2:4, 4:8 in pairs for 4-bit weights, 1:2 for tf32.
inline SparseForm sparse_form(Quantiser q) {
  if (q.precision == Precision::tf32) return {2, 1};
  return is_integer(q) && q.weight_bits == 4 ? SparseForm{4, 2} : SparseForm{4, 1};
}

/// keep[i] = 1 for the weights that magnitude pruning keeps, 0 for the rest: of each group the units with the
/// largest sums of magnitudes; ties keep the lower index. The rule of emu::prune. Throws Error unless n is a
/// multiple of the group.
void magnitude_mask(const float* weights, std::int64_t n, SparseForm form, float* keep);

/// A row of weights (K in the order r, s, c) with those zeroed that the quantiser's sparse form prunes.
std::vector<float> masked_row(const float* row, std::int64_t k, Quantiser quantiser);

/// How the pruned weights of a sparse layer are trained.
///  - sr_ste: the mask follows the weights from step to step; pruned weights receive the whole gradient and
///  are
///    pulled to zero (SR-STE, Zhou et al., ICLR 2021, arXiv 2102.04010).
///  - fixed: pruned once when training begins, then they stay zero (Mishra, Pool et al., arXiv 2104.08378).
///  - annealed: the mask follows the weights; pruned weights receive a share of the gradient that falls to
///  zero over
///    the run, by half a cosine from 1. This is the gradient annealing of AutoSparse (Kundu et al., arXiv
///    2304.06941) for N:M groups: which weights are pruned is the order of magnitudes in the group, in place
///    of that paper's learned threshold, and weights that stay are not shrunk by it.
enum class MaskRule : std::uint8_t { sr_ste, fixed, annealed };

/// What a pruned weight w receives where a kept one would receive g: share * g + decay * w.
struct PrunedGradient {
  float share = 1, decay = 2e-4f;  ///< SR-STE and its lambda
};
/// In batch `step` (from 0) of `steps`.
PrunedGradient pruned_gradient(MaskRule rule, std::int64_t step, std::int64_t steps);

/// Activation code of x: clamp(floor(x / step + 1/2), 0, levels), the rounding of FixedScale. inverse = 1 /
/// step.
inline float activation_code(float x, float inverse, float levels) {
  const float code = __builtin_floorf(x * inverse + 0.5f);
  return code < 0 ? 0 : code > levels ? levels : code;
}

/// The step of least mean square error for quantising `values` to codes 0 .. levels (values not negative), or
/// to the nearest of -levels .. levels when is_signed. 1 / levels if all values are zero.
float best_step(const float* values, std::int64_t n, int levels, bool is_signed);

/// The step of a row of weights, and that of a layer's activations (`values`: a sample of what it reads), by
/// the quantiser's rule before any training. Weights of one bit take the mean magnitude, which is their
/// least-square step (1 if all are zero).
float weight_step(const float* row, std::int64_t k, Quantiser quantiser);
float activation_step(const std::vector<float>& values, Quantiser quantiser);

}  // namespace twofour::nas
