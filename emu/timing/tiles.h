#pragma once
#include <span>

#include "twofour/isa/element.h"

namespace twofour::emu {

/// Thread-block tile of a GEMM kernel. k is in bytes of a row of the dense operand, so that one table serves
/// every type: 64 bytes are 16 tf32, 32 f16, 64 s8, 128 s4 or 512 b1 columns.
struct Tile {
  int m = 0, n = 0, k_bytes = 0;
  int stages = 0;                ///< k-chunks in flight or in use in shared memory
  int warps_m = 0, warps_n = 0;  ///< how the warps of the CTA share its m and n

  bool operator==(const Tile&) const = default;
  int warps() const { return warps_m * warps_n; }
  /// Columns of k for an element type, kept or not.
  int k(isa::ElementType type) const { return k_bytes * 8 / isa::bits(type); }
};

/// Tiles that CUTLASS instantiates for sm_80 (generator.py): dense from TensorOp_16816 and TensorOp_16832_TN,
/// sparse from SparseTensorOp_16832. Shapes 32 wide are listed for s8 only and are offered to every type;
/// some variants that differ in stages alone are left out, and so is the dense 128 x 128 x 128 bytes, which
/// the measured libraries do not seem to choose.
std::span<const Tile> tiles(bool sparse);

}  // namespace twofour::emu
