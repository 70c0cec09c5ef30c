#pragma once
#include "twofour/emu/kernel/run_kernel.h"

namespace twofour::emu {

/// What a kernel must compute, by whole-matrix arithmetic: emu::gemm of operands filled up to whole k-chunks
/// (im2col made for a convolution); of every share of k of every tile where k is shared, the sums added in
/// the order that run_kernel states; then apply_epilogue. No tile program, no shared memory, no layout.
PackedMatrix reference_kernel(const Kernel& kernel, const KernelOperands& operands,
                              const NumericOptions& numeric = {});

}  // namespace twofour::emu
