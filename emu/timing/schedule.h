#pragma once
#include <cstdint>

#include "twofour/emu/timing/tiles.h"

namespace twofour::emu {

/// How the CTAs of a GEMM kernel share its output tiles and its k.
enum class Decomposition : std::uint8_t {
  data_parallel,  ///< one CTA an output tile
  split_k,  ///< `splits` CTAs an output tile, each 1/splits of the k-chunks; a second kernel adds their sums
  stream_k  ///< one CTA a place on the machine; each takes an equal run of k-chunks, across tiles
};

/// Everything that a CUTLASS-class GEMM kernel fixes before it runs, the epilogue aside. The warp tile is the
/// CTA tile over warps_m x warps_n; the instruction is the m16n8 mma of the type with the largest k.
struct Schedule {
  Tile tile;
  Decomposition decomposition = Decomposition::data_parallel;
  int splits = 1;          ///< of split_k
  int raster_columns = 8;  ///< CTAs run in cohorts of this many columns (threadblock swizzle)
  int alignment = 16;  ///< bytes that one cp.async moves: 16, 8 or 4, by what M, N, K and the pointers allow

  bool operator==(const Schedule&) const = default;
};

}  // namespace twofour::emu
