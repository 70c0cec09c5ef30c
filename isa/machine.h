#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twofour::isa {

/// What the timing model needs to know of one GPU. Built from a machine file (machines/*.toml), in which
/// every number carries its unit and its source; a user may copy such a file, change numbers and pass its
/// path.
struct Machine {
  std::string name;

  // Compute
  double sms;                    ///< streaming multiprocessors
  double sub_cores_per_sm;       ///< warp schedulers, with one Tensor Core each
  double boost_mhz;              ///< clock of short bursts, and of work that draws little power
  double sustained_mhz;          ///< clock that the power budget allows a full floating-point tensor pipe
  double sustained_integer_mhz;  ///< the same for the integer types
  double tensor_fma_per_clk;     ///< f16 multiply-adds a cycle and sub-core, dense
  double registers_per_sm;       ///< 32-bit registers
  double max_warps_per_sm;
  double max_ctas_per_sm;

  // Shared memory
  double smem_per_sm;         ///< bytes
  double smem_per_cta;        ///< bytes, the most one CTA may ask for
  double smem_bytes_per_clk;  ///< all banks together
  double smem_latency;        ///< cycles, load to dependent use
  double copy_latency;        ///< cycles from the arrival of cp.async data to its use

  // L2 and DRAM
  double l2_mib;               ///< capacity
  double l2_read_gbs;          ///< 10^9 bytes a second, all SMs together, of a working set that fits
  double l2_bytes_per_clk_sm;  ///< the most that one SM takes
  double dram_latency;         ///< cycles
  double dram_read_gbs;        ///< 10^9 bytes a second, reads of a large array

  // Launch
  double launch_graph_us;    ///< period of back-to-back tiny kernels in a CUDA graph
  double launch_stream_us;   ///< the same by stream launch
  double cold_start_cycles;  ///< launch to the first instruction of a kernel's first CTA
  double ctas_per_clk;       ///< CTAs that start per cycle, GPU-wide

  /// Bytes a cycle, at the boost clock, of a bandwidth in GB/s.
  double bytes_per_clk(double gbs) const { return gbs * 1e3 / boost_mhz; }
};

/// Names of the machines that are built in.
std::vector<std::string> machine_names();

/// The text of a built-in machine file, to copy and edit; throws Error for an unknown name.
std::string_view machine_text(std::string_view name);

/// A built-in machine by name, or else the machine file at that path. Throws Error naming file, line and key
/// for unknown and missing keys, a missing source, another unit than the key has, and values out of range.
Machine load_machine(const std::string& name_or_path);

}  // namespace twofour::isa
