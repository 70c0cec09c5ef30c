#pragma once
#include <cstdint>
#include <span>

#include "twofour/emu/matrix/packed_matrix.h"

namespace twofour::emu {

/// What a kernel does with the accumulators before it stores them, in this order:
///   y = acc;  y = y scale_c;  y = y + bias_c (with a scale: one fused multiply-add);  y = y + residual;
///   y = max(y, 0);  y as the output type.
/// Channel c is the row of D or its column. Where the accumulators are s32 and the output is s32, all of this
/// is 32-bit integer arithmetic, modulo 2^32, and there is no scale. Else it is f32, ties to even: s32
/// accumulators are converted first; scale, bias and residual are f32 (the residual of an f16 or bf16 output
/// has that type); an integer output is the nearest integer, ties to even, saturated to the type (b1: 0 or
/// 1, so 1 where y > 1/2). f64 has no epilogue.
///
/// Fixed point (s32 sums and output): y = (acc m_c + 2^(s_c - 1)) >> s_c in 64 bits (arithmetic shift), then
/// bias, residual and max in 64 bits, saturated to s32: what deployed networks do between integer layers.
struct Epilogue {
  isa::ElementType output;
  bool scale = false, bias = false, residual = false, relu = false;
  bool channel_is_row = false;
  bool fixed_point = false;  ///< the scale is fixed-point
  bool transposed = false;   ///< D is stored as its transpose, N x M (so is the residual given)

  bool operator==(const Epilogue&) const = default;
};

/// The arrays that an epilogue reads; empty or null where it does not.
struct EpilogueOperands {
  /// One word a channel: f32 or s32. Fixed-point scales: the multipliers m of all channels, then the shifts s
  /// (1 to 62).
  std::span<const std::uint32_t> scale, bias;
  const PackedMatrix* residual = nullptr;  ///< as D is stored
};

/// The plain definition: D as stored from M x N sums (f32, s32 or f16; f64 without arithmetic).
PackedMatrix apply_epilogue(const Epilogue& epilogue, const PackedMatrix& sums,
                            const EpilogueOperands& operands);

}  // namespace twofour::emu
