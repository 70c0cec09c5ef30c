#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "twofour/isa/architecture.h"

namespace twofour::isa {

/// What the timing model needs to know of one GPU. Built from a machine file (machines/*.toml), in which
/// every number carries its unit and its source; a user may copy such a file, change numbers and pass its
/// path.
struct Machine {
  std::string name;
  Architecture architecture;

  // Compute
  double compute_capability;     ///< 80: sm_80
  double sms;                    ///< streaming multiprocessors
  double sub_cores_per_sm;       ///< warp schedulers, with one Tensor Core each
  double boost_mhz;              ///< clock of short bursts, and of work that draws little power
  double sustained_mhz;          ///< clock that the power budget allows a full floating-point tensor pipe
  double sustained_integer_mhz;  ///< the same for the integer types

  // Tensor pipe: dense multiply-adds a cycle of one SM, by input type (f16 also by accumulator); 0: none
  double fma_f16;
  double fma_f16_f32;
  double fma_bf16;
  double fma_tf32;
  double fma_f64;
  double fma_fp8;
  double fma_int8;
  double fma_int4;
  double fma_b1;
  double
      sparse_rate;  ///< multiply-adds of mma.sp over those of mma, counted as if A were dense; 0: no mma.sp
  double mma_sync_share;              ///< of those rates that mma.sync reaches (Hopper's peak needs wgmma)
  double mma_stretch;                 ///< effective over ideal issue interval, 8-bit types and wider
  double mma_stretch_narrow;          ///< the same for 4-bit and 1-bit types
  double mma_stretch_small_k_sparse;  ///< the same for mma.sp whose interval is at most 4 cycles
  double mma_latency_base;            ///< cycles of latency that do not depend on the interval
  double mma_latency_per_interval;    ///< cycles of latency a cycle of interval
  double mma_latency_narrow;          ///< cycles that 4-bit and 1-bit types add at intervals of 8 and more

  // Other pipes
  double fp32_lanes;        ///< FP32 operations a cycle of one SM
  double int32_lanes;       ///< the same for 32-bit integers
  double alu_latency;       ///< cycles, issue to dependent issue
  double registers_per_sm;  ///< 32-bit registers
  double max_warps_per_sm;
  double max_ctas_per_sm;

  // Shared memory
  double smem_per_sm;             ///< bytes
  double smem_per_cta;            ///< bytes, the most one CTA may ask for
  double smem_bytes_per_clk;      ///< all banks together
  double smem_latency;            ///< cycles, load to dependent use, one wavefront
  double smem_wavefront_latency;  ///< cycles that every further wavefront of a load adds
  double smem_store_latency;      ///< cycles
  double copy_latency;            ///< cycles from the arrival of cp.async data to its use

  // L1, L2 and DRAM
  double l1_latency;           ///< cycles, hit
  double l2_mib;               ///< capacity
  double l2_partitions;        ///< parts that each hold a copy of what all SMs read
  double l2_latency;           ///< cycles, hit in the near partition
  double l2_far_latency;       ///< cycles, hit in the other one
  double l2_read_gbs;          ///< 10^9 bytes a second, all SMs together, of a working set that fits
  double l2_bytes_per_clk_sm;  ///< the most that one SM takes
  double dram_latency;         ///< cycles
  double dram_read_gbs;        ///< 10^9 bytes a second, reads of a large array

  // Launch
  double launch_graph_us;    ///< period of back-to-back tiny kernels in a CUDA graph
  double launch_stream_us;   ///< the same by stream launch
  double cold_start_cycles;  ///< launch to the first instruction of a kernel's first CTA
  double ctas_per_clk;       ///< CTAs that start per cycle, GPU-wide

  /// Dense multiply-adds a cycle of one SM for inputs of a type and an accumulator (f16 or other); 0: none.
  double fma_per_clk(ElementType input, ElementType accumulator) const;

  /// 10^12 operations a second (a multiply-add is two) at the boost clock; sparse: counted as if A were
  /// dense.
  double peak_tops(ElementType input, ElementType accumulator, bool sparse = false) const {
    return 2e-6 * sms * boost_mhz * fma_per_clk(input, accumulator) * (sparse ? sparse_rate : 1);
  }

  /// Bytes a cycle, at the boost clock, of a bandwidth in GB/s.
  double bytes_per_clk(double gbs) const { return gbs * 1e3 / boost_mhz; }
};

/// Names of the machines that are built in.
std::vector<std::string> machine_names();

/// The text of a built-in machine file, to copy and edit; throws Error for an unknown name.
std::string_view machine_text(std::string_view name);

/// One number of a machine file.
struct MachineEntry {
  std::string key;
  double value;
  std::string unit, source;
};

/// Every number of a built-in machine or of the machine file at that path, in the order of the header above;
/// throws Error as load_machine.
std::vector<MachineEntry> machine_entries(const std::string& name_or_path);

/// A built-in machine by name, or else the machine file at that path. Throws Error naming file, line and key
/// for unknown and missing keys, a missing source, another unit than the key has, and values out of range.
Machine load_machine(const std::string& name_or_path);

}  // namespace twofour::isa
