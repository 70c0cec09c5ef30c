#pragma once

namespace twofour::emu {

/// The constants of the timing model that no source gives. perf/timing_fit.cc fitted them once on the
/// training rows of data/timing (docs/accuracy.md says how); everything else comes from the instruction table
/// and the machine file.
struct TimingConstants {
  double l2_efficiency;    ///< share of L2's streaming bandwidth that tile loads reach
  double dram_efficiency;  ///< share of the DRAM's streaming bandwidth that a GEMM reaches
  double
      sm_overlap;  ///< p of the p-norm over one SM's resources: 1 adds them, infinity overlaps them perfectly
  double chip_overlap;         ///< p of the p-norm over SM time and DRAM time
  double gemv_step_cycles;     ///< one dependent 2 KiB step of a matrix-vector kernel's row
  double store_bytes_per_clk;  ///< of a tile of D that one SM's epilogue walks
  double layer_us;             ///< what the layer profiler of the integer measurements adds to a launch
  double layer_gemm_us;        ///< what it adds when the layer is a tiled GEMM
};

inline constexpr TimingConstants fitted_constants{0.6875, 0.859, 10.0, 4.3, 474, 9.42, 4.62, 2.59};

}  // namespace twofour::emu
