#pragma once
#include <functional>
#include <optional>
#include <string>

#include "twofour/emu/timing/conv_latency.h"

namespace twofour::emu {

/// What is tuned: a GEMM, or the implicit GEMM of a convolution.
struct TuningTask {
  GemmProblem gemm;
  std::optional<ConvProblem> conv;  ///< then gemm is its implicit GEMM

  /// Every field in words, the same for the same task and no other: "gemm m=64 n=49 ...".
  std::string key() const;
  /// The largest cp.async, in bytes, that the rows of both operands allow: 16, 8 or 4. A row is k long, or as
  /// long as the channels of a convolution (KRSC filters, NHWC activations); kept values of a sparse A are
  /// half as many. Rows that no cp.async divides (three channels of 8 bits) count as padded to 4 bytes.
  int alignment() const;
};

TuningTask tuning_task(const GemmProblem& problem);
/// Throws Error as conv_latency.
TuningTask tuning_task(const ConvProblem& problem);

/// Microseconds of a task under a legal schedule: the latency model, a cycle-level simulation or a GPU. An
/// evaluator that cannot run a schedule answers infinity.
using Evaluator = std::function<double(const Schedule&)>;

/// The latency model. `machine` must outlive it.
Evaluator model_evaluator(const TuningTask& task, const isa::Machine& machine,
                          const TimingConstants& constants = fitted_constants);
/// Of the latency model, with its constants: a cache keeps answers of different versions apart. The number
/// goes up when the model's rules change.
std::string model_version(const TimingConstants& constants = fitted_constants);

/// The fastest of the published tiles, or the matrix-vector kernel: what tuning is compared with.
Latency published_best(const TuningTask& task, const isa::Machine& machine,
                       const TimingConstants& constants = fitted_constants);

/// The name of a machine and a hash of its file, comments included.
std::string machine_fingerprint(const std::string& name_or_path);

}  // namespace twofour::emu
