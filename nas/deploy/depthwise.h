#pragma once
#include "twofour/emu/matrix/conv.h"

namespace twofour::nas {

/// A depthwise convolution on CUDA cores: every channel with its own r x s weights. No Tensor Core takes
/// part. weights: channels x (r, s), s8 or f16; activations: batch*H*W x channels, u8 or f16. Accumulators:
/// batch*P*Q x channels; of integers the exact sums (s32), of halves a chain of fp32 multiply-adds (one
/// rounding each, to nearest even) that starts at +0 and takes the taps inside the image, r rising and s
/// rising in it.
emu::PackedMatrix depthwise_conv2d(const emu::ConvShape& shape, const emu::PackedMatrix& weights,
                                   const emu::PackedMatrix& activations);

}  // namespace twofour::nas
