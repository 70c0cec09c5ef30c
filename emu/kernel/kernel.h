#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "twofour/emu/kernel/epilogue.h"
#include "twofour/emu/matrix/conv.h"
#include "twofour/emu/timing/schedule.h"
#include "twofour/emu/timing/timed_op.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// What a kernel computes: D[M x N] = epilogue(A[M x K] B[K x N] + C), B given as its transpose.
struct KernelProblem {
  const isa::Instruction* instruction = nullptr;  ///< m16n8 with 32 bytes of A a row, or m8n8k4 of f64
  std::int64_t m = 0, n = 0, k = 0;               ///< k: logical columns of A
  Epilogue epilogue;
  bool c = false;                 ///< the accumulators start from C, M x N of the accumulator type
  std::optional<ConvShape> conv;  ///< B is the im2col matrix of NHWC activations, which never exists
  int places = 108;               ///< stream_k: CTAs that the machine runs at once
};

/// Registers that the epilogue works in: it has the place of the fragments.
inline constexpr int epilogue_registers = 48;

/// Where a warp keeps what: first 32-bit registers. Fragments have two buffers.
struct KernelRegisters {
  int accumulators = 0, a = 0, b = 0, metadata = 0, temporaries = 0, count = 0;
  int c_each = 0, a_each = 0, b_each = 0;  ///< registers of one instruction's operand
  int metadata_each = 0;                   ///< of one step of k
};

/// A GEMM kernel with all sizes that its tile program is made of. Shared memory holds `stages` stages of
/// A | B | metadata, and after the main loop the slabs of the epilogue.
struct Kernel {
  KernelProblem problem;
  Schedule schedule;
  int warp_m = 0, warp_n = 0;  ///< warp tile
  int mma_m = 0, mma_n = 0;    ///< instruction tiles in it
  int chunk_k = 0, steps = 0;  ///< columns and instruction steps of a k-chunk
  int a_row = 0, b_row = 0;    ///< bytes of a row of a k-chunk
  int metadata_block = 0;      ///< rows whose metadata for a step are 128 bytes; 0: dense
  int a_bytes = 0, b_bytes = 0, metadata_bytes = 0;  ///< of a stage
  int slab_bytes = 0;                                ///< of a warp
  int shared_bytes = 0;
  std::int64_t grid_m = 0, grid_n = 0;  ///< tiles of D
  int chunks = 0;                       ///< k-chunks of a tile
  KernelRegisters registers;

  int stage_bytes() const { return a_bytes + b_bytes + metadata_bytes; }
  int warps() const { return schedule.tile.warps(); }
  int threads() const { return 32 * warps(); }
  /// Bytes of one accumulator where it is summed across CTAs and in the epilogue: f16 is widened to f32.
  int sum_bytes() const { return problem.instruction->d == isa::ElementType::f64 ? 8 : 4; }
  std::int64_t a_row_bytes() const;  ///< of A in global memory
};

/// Throws Error that says which rule a schedule breaks: stages, k-chunk, warp tile, alignment, registers (255
/// a lane), shared memory (163 KiB a CTA).
Kernel plan_kernel(const KernelProblem& problem, const Schedule& schedule);

/// The largest cp.async that the problem's rows allow: 16, 8 or 4 bytes; throws Error where none does.
int largest_alignment(const KernelProblem& problem);

/// How a piece of work ends.
enum class Finish : std::uint8_t {
  epilogue,       ///< the sums are whole
  store_partial,  ///< they go to slot `slot` of the workspace
  add_partials    ///< slots slot .. slot + partials - 1 are added to them one after the other, then the
                  ///< epilogue
};

/// The work of a CTA on one tile of D: k-chunks chunk_begin .. chunk_end - 1 (none: the second kernel of
/// split_k, which starts from its first slot).
struct Work {
  std::int64_t tile_m = 0, tile_n = 0;
  int chunk_begin = 0, chunk_end = 0;
  Finish finish = Finish::epilogue;
  std::int64_t slot = 0;
  int partials = 0;

  bool operator==(const Work&) const = default;
};

/// The work of every CTA, in launch order, one CTA a row: data_parallel tile after tile in cohorts of
/// raster_columns; split_k all tiles of the first share of k, then those of the second, ...; stream_k equal
/// runs of the chunks of all tiles. CTAs of the second kernel of split_k come last.
std::vector<std::vector<Work>> grid(const Kernel& kernel);
/// Workspace slots, each tile.m x tile.n sums.
std::int64_t workspace_slots(const Kernel& kernel);

/// The instructions of the warps of a CTA for the pieces of work of its row of the grid, as the pipeline of
/// an SM sees them: one stream a warp.
std::vector<std::vector<TimedOp>> timed_cta(const Kernel& kernel, const std::vector<Work>& work);

}  // namespace twofour::emu
