#pragma once
#include <span>

#include "twofour/emu/arbitrary/bit_planes.h"

namespace twofour::emu {

/// A real factor as integers: x -> (x * multiplier + 2^(shift - 1)) >> shift in 64 bits, arithmetic shift, 1
/// <= shift <= 62.
struct FixedFactor {
  std::int32_t multiplier = 1;
  int shift = 1;
  std::int64_t apply(std::int64_t x) const {
    return (x * multiplier + (std::int64_t(1) << (shift - 1))) >> shift;
  }
};

/// What a w_p a_q layer does with its sums so that the next layer reads q-bit activations (APNN-TC packs them
/// in the epilogue; 32-bit words never leave the kernel):
///   y = scale_c(acc) + bias_c;  y = max(y, 0) with relu;  y saturated to 32 bits;
///   code = clamp(step(y), 0, 2^bits - 1);  bit t of the code goes to plane t.
struct PackingEpilogue {
  std::span<const FixedFactor> scale;  ///< one a channel
  std::span<const std::int32_t> bias;  ///< one a channel
  bool relu = true;
  FixedFactor step;  ///< of the next layer's activations; positive
  int bits = 1;      ///< q of the next layer, 1 to 8
};

/// The code of one sum, 0 to 2^bits - 1: the definition.
int activation_code(const PackingEpilogue& epilogue, std::int32_t sum, std::size_t channel);

/// sums: N rows (pixels) x C channels in s32, as arbitrary_conv2d stores them. The planes hold N rows of k =
/// C: the activations (NHWC) of the next layer. Throws Error unless there is a scale and a bias for each
/// channel, for shifts outside 1 to 62 and widths outside 1 to 8.
BitPlanes pack_activations(const PackingEpilogue& epilogue, const PackedMatrix& sums);

}  // namespace twofour::emu
