#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "twofour/emu/kernel/kernel.h"
#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/emu/numerics/rules.h"
#include "twofour/emu/warp/async_copy.h"

namespace twofour::emu {

/// Operands of a kernel. Null or empty where the problem has none.
struct KernelOperands {
  const PackedMatrix* a = nullptr;             ///< M x K, or the kept half of a compressed A
  const SparseMatrix* sparse = nullptr;        ///< of a sparse instruction: where the metadata comes from
  const PackedMatrix* b_transposed = nullptr;  ///< N x K; of a convolution the activations, NHW x C
  const PackedMatrix* c = nullptr;             ///< M x N, accumulator type
  EpilogueOperands epilogue;
};

struct ExecutionOptions {
  NumericOptions numeric;
  CopyMoment moment = CopyMoment::latest;
  /// Instructions of this kind are not executed: a kernel without its waits or barriers must be seen to fail.
  std::optional<OpKind> omitted = {};
};

inline constexpr std::size_t op_kinds = std::size_t(OpKind::exit) + 1;

struct KernelRun {
  PackedMatrix d;                                     ///< M x N (transposed: N x M) of the output type
  std::array<std::int64_t, op_kinds> instructions{};  ///< warp instructions executed, by kind
};

/// Executes the tile programs of all CTAs: warps of a CTA one after the other from barrier to barrier, CTAs
/// on all OpenMP threads, those that add partial sums after those that store them. Shared memory starts as
/// bytes of ones. The result equals emu::gemm, bit for bit, of operands filled up with zeros to whole
/// k-chunks: the k of every element ascends in steps of the instruction. split_k and stream_k multiply each
/// share of k so and add the sums, shares ascending, to that of the first: f32 (also for f16) and f64 ties to
/// even, s32 modulo 2^32. Throws Error if operands do not fit the problem.
KernelRun run_kernel(const Kernel& kernel, const KernelOperands& operands,
                     const ExecutionOptions& options = {});

}  // namespace twofour::emu
