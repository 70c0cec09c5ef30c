#include "twofour/emu/kernel/lowering.h"
#include "twofour/emu/kernel/swizzle.h"

namespace twofour::emu {
namespace {

constexpr int metadata_copy = 16;  ///< bytes; metadata is always aligned
/// Address arithmetic of one cp.async: a 64-bit pointer goes on; of an implicit GEMM also the test of the
/// border mask, as in CUTLASS's optimized iterators.
constexpr int gemm_address_ops = 2, conv_address_ops = 4;

int ceil_div(int x, int y) {
  return (x + y - 1) / y;
}

int a_copies(const Kernel& k) {
  return ceil_div(k.a_bytes / k.schedule.alignment, k.threads());
}
int b_copies(const Kernel& k) {
  return ceil_div(k.b_bytes / k.schedule.alignment, k.threads());
}
int metadata_copies(const Kernel& k) {
  return ceil_div(k.metadata_bytes / metadata_copy, k.threads());
}

/// One lane's copy: where from, or nothing to read.
struct Source {
  bool inside;
  std::int64_t offset;
};

Source a_source(const Kernel& k, std::int64_t row, std::int64_t byte) {
  return {row < k.problem.m && byte < k.a_row_bytes(), row * k.a_row_bytes() + byte};
}

/// Row (n, p, q) and column (r, s, c) of the im2col matrix, in the activations.
Source conv_source(const ConvShape& s, int bits, std::int64_t row, std::int64_t byte) {
  const std::int64_t column = byte * 8 / bits, c = column % s.in_channels, tap = column / s.in_channels;
  const std::int64_t q = row % s.out_width(), p = row / s.out_width() % s.out_height(),
                     n = row / s.out_width() / s.out_height();
  const std::int64_t y = p * s.stride + tap / s.kernel_w - s.pad, x = q * s.stride + tap % s.kernel_w - s.pad;
  const bool inside =
      row < s.gemm_n() && column < s.gemm_k() && y >= 0 && y < s.height && x >= 0 && x < s.width;
  return {inside, (((n * s.height + y) * s.width + x) * s.in_channels + c) * bits / 8};
}

Source b_source(const Kernel& k, std::int64_t row, std::int64_t byte) {
  const KernelProblem& p = k.problem;
  const int bits = isa::bits(p.instruction->b);
  if (p.conv) return conv_source(*p.conv, bits, row, byte);
  const std::int64_t row_bytes = packed_row_bytes(p.k, bits);
  return {row < p.n && byte < row_bytes, row * row_bytes + byte};
}

/// Metadata in CUTLASS's order (isa/metadata_layout.h): for every step of k, 128 bytes a block of rows.
Source metadata_source(const Kernel& k, std::int64_t step, std::int64_t block, int byte) {
  const std::int64_t blocks = (k.problem.m + k.metadata_block - 1) / k.metadata_block;
  const bool inside = block < blocks && step < k.problem.k / k.problem.instruction->shape.k;
  return {inside, (step * blocks + block) * 128 + byte};
}

/// The chunk lies within the work's k.
bool is_wanted(const WarpPlace& at, int chunk) {
  return at.work.chunk_begin + chunk < at.work.chunk_end;
}

void set_lane(WarpOp& op, int lane, std::int64_t shared, const Source& from) {
  op.active |= 1u << lane;
  if (!from.inside) op.filled |= 1u << lane;
  op.shared[std::size_t(lane)] = std::uint32_t(shared);
  op.global[std::size_t(lane)] = from.inside ? from.offset : 0;
}

/// Copy number `index` of A (or B): thread after thread along the rows.
void set_rows(WarpOp& op, const WarpPlace& at, int chunk, int index, bool is_a) {
  const Kernel& k = at.kernel;
  const int row_bytes = is_a ? k.a_row : k.b_row, rows = is_a ? k.schedule.tile.m : k.schedule.tile.n;
  const int units = row_bytes / op.bytes;
  const SwizzledRows layout{row_bytes, k.sum_bytes() == 8 ? 1 : 0};
  const int base = chunk % k.schedule.tile.stages * k.stage_bytes() + (is_a ? 0 : k.a_bytes);
  const std::int64_t row0 = is_a ? at.work.tile_m * rows : at.work.tile_n * rows;
  const std::int64_t byte0 = std::int64_t(at.work.chunk_begin + chunk) * row_bytes;
  for (int lane = 0; lane < warp_lanes; ++lane) {
    const int unit = index * k.threads() + at.warp * warp_lanes + lane;
    const int row = unit / units, byte = unit % units * op.bytes;
    if (row >= rows) continue;
    const Source from = is_a ? a_source(k, row0 + row, byte0 + byte) : b_source(k, row0 + row, byte0 + byte);
    set_lane(op, lane, base + layout.address(row, byte), from);
  }
}

void set_metadata(WarpOp& op, const WarpPlace& at, int chunk, int index) {
  const Kernel& k = at.kernel;
  const int blocks = k.schedule.tile.m / k.metadata_block, units = blocks * 128 / metadata_copy;
  const int base = chunk % k.schedule.tile.stages * k.stage_bytes() + k.a_bytes + k.b_bytes;
  for (int lane = 0; lane < warp_lanes; ++lane) {
    const int unit = index * k.threads() + at.warp * warp_lanes + lane, step = unit / units;
    if (step >= k.steps) continue;
    const int byte = unit % units * metadata_copy;
    const std::int64_t global_step = std::int64_t(at.work.chunk_begin + chunk) * k.steps + step;
    set_lane(op, lane, base + unit * metadata_copy,
             metadata_source(k, global_step, at.work.tile_m * blocks + byte / 128, byte % 128));
  }
}

}  // namespace

int copies_per_chunk(const Kernel& k) {
  return a_copies(k) + b_copies(k) + metadata_copies(k);
}

void add_copy(WarpOps& ops, const WarpPlace& at, int chunk, int index) {
  const Kernel& k = at.kernel;
  const int a = a_copies(k), b = b_copies(k);
  WarpOp op;
  op.kind = OpKind::cp_async;
  op.active = 0;
  op.bytes = index < a + b ? k.schedule.alignment : metadata_copy;
  op.tensor = index < a ? Tensor::a : index < a + b ? Tensor::b : Tensor::metadata;
  if (!is_wanted(at, chunk))
    op.active = 0;
  else if (op.tensor == Tensor::metadata)
    set_metadata(op, at, chunk, index - a - b);
  else
    set_rows(op, at, chunk, index < a ? index : index - a, index < a);
  op.read[0] = range(0, 2);
  add_bookkeeping(ops, op.tensor == Tensor::b && k.problem.conv ? conv_address_ops : gemm_address_ops);
  ops.push_back(op);
}

}  // namespace twofour::emu
