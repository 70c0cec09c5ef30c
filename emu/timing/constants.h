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
  double chip_overlap;           ///< p of the p-norm over SM time and DRAM time
  double gemv_step_cycles;       ///< one dependent 2 KiB step of a matrix-vector kernel's row
  double store_bytes_per_clk;    ///< of a tile of D that one SM's epilogue walks
  double throttle_us;            ///< time in which the power controller has half lowered the clock
  double dram_ramp_cycles;       ///< until DRAM streams
  double resident_mib;           ///< operands and result that stay in L2 between repetitions of a benchmark
  double reduction_share;        ///< of launch and start that split-k's second kernel adds
  double layer_us;               ///< what the layer profiler of the integer measurements adds to a launch
  double layer_gemm_us;          ///< what it adds when the layer is a tiled GEMM
  double layer_dram_efficiency;  ///< dram_efficiency in its measurements
};

inline constexpr TimingConstants fitted_constants{0.710, 0.860, 8.89, 4.42, 523,  9.81, 352,
                                                  1331,  2.66,  0.85, 4.57, 2.54, 0.988};

}  // namespace twofour::emu
