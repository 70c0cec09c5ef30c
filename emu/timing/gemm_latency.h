#pragma once
#include <cstdint>
#include <string_view>

#include "twofour/emu/timing/constants.h"
#include "twofour/emu/timing/schedule.h"
#include "twofour/isa/machine.h"

namespace twofour::emu {

/// What is counted around the kernel.
enum class Launch : std::uint8_t {
  graph,       ///< a kernel node of a CUDA graph: the same for every type, so that types may be compared
  stream,      ///< a launch into a stream
  kernel,      ///< the kernel alone, as a profiler reports it
  as_measured  ///< as the published measurements of the type were taken: floats in a CUDA graph, integers by
               ///< a layer profiler
};
std::string_view name(Launch launch);
/// The launch of that name; throws Error that lists the names.
Launch parse_launch(std::string_view name);

/// D[m x n] = A[m x k] B[k x n], both operands of one type; when sparse, A holds 2 of 4 (tf32 1 of 2, s4 2 of
/// 4 pairs).
struct GemmProblem {
  std::int64_t m = 0, n = 0, k = 0;
  isa::ElementType type = isa::ElementType::f16;
  bool sparse = false;
  int output_bits = 16;  ///< of one element of D as it is stored
  std::int64_t batch = 1;
  Launch launch = Launch::graph;

  bool operator==(const GemmProblem&) const = default;
};

/// How wide the measured kernels store D: 32 bits for tf32, 16 for the rest.
int default_output_bits(isa::ElementType type);

/// What a network knows of a kernel and a lone kernel does not: which operands lie in L2 when it starts, and
/// what its epilogue reads. The default is a lone kernel whose operands all come from DRAM.
struct KernelContext {
  bool in_network = false;  ///< the rest says what DRAM delivers; else a benchmark repeats the kernel, and
                            ///< small operands may stay in L2
  bool a_in_l2 = false, b_in_l2 = false;
  int residual_bits = 0;  ///< of an element that the epilogue adds to each element of D; 0: it adds none
  bool residual_in_l2 = false;
  double b_bytes = -1;  ///< distinct bytes behind B, where B is not k x n of them (implicit GEMM); -1: it is
  double d_bytes = -1;  ///< of D as stored, where not m x n x batch of output_bits (bit planes combined in
                        ///< the epilogue); -1: it is
};

/// The largest share of the latency.
enum class Bound : std::uint8_t { tensor_pipe, shared_memory, l2, dram, latency, launch, cuda_cores };
std::string_view name(Bound bound);

/// How well the latency is known.
enum class TimingFidelity : std::uint8_t {
  measured,  ///< kernels of this kind were measured: see docs/accuracy.md for the error
  derived,   ///< its instructions were measured, its kernels were not
  estimated  ///< not even its instructions were measured
};
std::string_view name(TimingFidelity fidelity);

/// SM cycles of one k-chunk of every CTA that an SM holds, by resource. They overlap: the iteration is about
/// the largest.
struct IterationCycles {
  double tensor_pipe = 0;    ///< mma of the sub-cores
  double shared_memory = 0;  ///< wavefronts of ldmatrix and of cp.async stores
  double l2 = 0;             ///< fill from L2 at the SM's share of its bandwidth
  double latency = 0;  ///< one CTA alone: wait, ldmatrix, mma; or DRAM latency over the stages in flight
};

struct Latency {
  double microseconds = 0;  ///< launch included
  double low_us = 0;        ///< 8 of 10 measured kernels of its class lie between low_us and high_us
  double high_us = 0;       ///< (error_band.h); wider by judgement where no kernel of the kind was measured
  double cycles = 0;        ///< of the kernel, at the boost clock, launch not included
  bool gemv = false;        ///< a streaming kernel without tiles; then schedule, CTAs and iteration stay 0
  Schedule schedule;        ///< of gemm_latency: the fastest candidate
  double ctas = 0;
  int ctas_per_sm = 0;  ///< that fit
  double waves = 0;     ///< CTAs over those that run at once
  IterationCycles iteration;
  double iterations = 0;       ///< k-chunks of one CTA
  double tensor_floor_us = 0;  ///< every multiply-add at the peak of the type, boost clock
  double dram_floor_us = 0;    ///< every operand byte once, at the measured read bandwidth
  double launch_us = 0;        ///< part of microseconds: launch, cold start, second kernel of split-k
  Bound bound = Bound::launch;
  double peak_fraction = 0;  ///< of the peak of the type (of the sparse peak when sparse)
  TimingFidelity fidelity = TimingFidelity::estimated;
};

/// Latency of a GEMM under one schedule. Throws Error as gemm_latency, and for a schedule that does not fit
/// the machine: its tile in shared memory and registers, splits that leave a CTA without a k-chunk.
Latency schedule_latency(const GemmProblem& problem, const Schedule& schedule, const isa::Machine& machine,
                         const TimingConstants& constants = fitted_constants);

/// The same for a kernel among its neighbours.
Latency schedule_latency(const GemmProblem& problem, const KernelContext& context, const Schedule& schedule,
                         const isa::Machine& machine, const TimingConstants& constants = fitted_constants);

/// Latency of a GEMM under the fastest of the schedules that a tuned library has. Throws Error for a type
/// that has no mma (or no sparse one) and for sizes below 1 or above 2^40.
Latency gemm_latency(const GemmProblem& problem, const isa::Machine& machine,
                     const TimingConstants& constants = fitted_constants);

/// The same for a kernel among its neighbours.
Latency gemm_latency(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine,
                     const TimingConstants& constants = fitted_constants);

}  // namespace twofour::emu
