#include "twofour/emu/kernel/kernel.h"

#include <algorithm>
#include <bit>

#include "twofour/isa/error.h"
#include "twofour/isa/metadata_layout.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// The largest dynamic shared memory of a CTA on sm_80. Source: CUDA C++ Programming Guide, table "Technical
/// Specifications per Compute Capability".
constexpr int max_shared_bytes = 163 * 1024;
constexpr int max_registers = 255, max_warps = 32;
/// Far above what fits, so that sizes can be multiplied.
constexpr int max_tile = 4096, max_stages = 64;
/// Registers of addresses and counters: 0 to 3 pointers, 4 to 19 what bookkeeping writes.
constexpr int bookkeeping_registers = 20;
/// Bytes of A that one row of an instruction holds.
constexpr int a_step_bytes = 32;

std::int64_t ceil_div(std::int64_t x, std::int64_t y) {
  return (x + y - 1) / y;
}

std::int64_t row_bytes(std::int64_t columns, ElementType type) {
  return ceil_div(columns * isa::bits(type), 8);
}

bool is_f64(const KernelProblem& p) {
  return p.instruction->a == ElementType::f64;
}

void check_instruction(const KernelProblem& p) {
  const isa::Instruction& i = *p.instruction;
  const bool rows = i.is_tensor_core() && i.shape.n == 8 && (i.shape.m == 16 || is_f64(p));
  if (!rows || i.stored_k() * isa::bits(i.a) != 8 * a_step_bytes)
    fail("{} has no tiled kernel: take the m16n8 mma of the type with the largest k", isa::ptx_name(i));
}

void check_problem(const KernelProblem& p) {
  const isa::Instruction& i = *p.instruction;
  if (p.m < 1 || p.n < 1 || p.k < 1) fail("M x N x K = {} x {} x {}: each must be at least 1", p.m, p.n, p.k);
  if (i.is_sparse() && p.k % i.shape.k != 0)
    fail("K = {} is not a multiple of {}, the k of {}: fill A up with zeros before compressing it", p.k,
         i.shape.k, isa::ptx_name(i));
  if (p.c && i.c == ElementType::f16 && p.n % 2 != 0)
    fail("C of f16 with N = {}: its words are loaded in pairs, so N must be even", p.n);
  if (p.conv && (p.conv->gemm_m() != p.m || p.conv->gemm_n() != p.n || p.conv->gemm_k() > p.k))
    fail("the convolution is a GEMM of {} x {} x {}, not {} x {} x {}", p.conv->gemm_m(), p.conv->gemm_n(),
         p.conv->gemm_k(), p.m, p.n, p.k);
}

bool is_float_output(ElementType t) {
  return t == ElementType::f32 || t == ElementType::f16 || t == ElementType::bf16;
}

void check_epilogue(const KernelProblem& p) {
  const Epilogue& e = p.epilogue;
  const ElementType sum = p.instruction->d, out = e.output;
  if (is_f64(p)) {
    if (out != ElementType::f64 || e.scale || e.bias || e.residual || e.relu)
      fail("an f64 kernel stores its sums: it has no epilogue");
    return;
  }
  const bool quantised = out == ElementType::s8 || out == ElementType::u8 || out == ElementType::s4 ||
                         out == ElementType::u4 || out == ElementType::b1;
  const bool integer = out == ElementType::s32 && sum == ElementType::s32;
  if (!quantised && !is_float_output(out) && !integer)
    fail(
        "epilogue: sums of {} are not stored as {}; outputs are f32, f16, bf16, s8, u8, s4, u4, b1, and s32 "
        "of integer sums",
        isa::name(sum), isa::name(out));
  const std::int64_t columns = e.transposed ? p.m : p.n;
  if (columns * isa::bits(out) % 8 != 0)
    fail("epilogue: rows of D of {} columns of {} do not end at a whole byte: fill them up", columns,
         isa::name(out));
  if (e.fixed_point && (!integer || !e.scale))
    fail("epilogue: a fixed-point scale takes s32 sums and gives s32");
  if (integer && e.scale && !e.fixed_point)
    fail("epilogue: s32 output takes no scale; it scales f32 values only");
}

void check_tile(const KernelProblem& p, const Schedule& s) {
  const Tile& t = s.tile;
  const isa::Instruction& i = *p.instruction;
  if (t.m < 1 || t.n < 1 || t.k_bytes < 1 || t.warps_m < 1 || t.warps_n < 1 || t.warps_m > max_warps ||
      t.warps_n > max_warps || t.warps() > max_warps)
    fail("tile {}x{}x{} bytes with {}x{} warps: sizes must be positive and warps at most {}", t.m, t.n,
         t.k_bytes, t.warps_m, t.warps_n, max_warps);
  if (t.m > max_tile || t.n > max_tile || t.k_bytes > max_tile || t.stages > max_stages)
    fail("tile {}x{}x{} bytes with {} stages: sizes are at most {}, stages {}", t.m, t.n, t.k_bytes, t.stages,
         max_tile, max_stages);
  if (t.m % (t.warps_m * i.shape.m) != 0 || t.n % (t.warps_n * i.shape.n) != 0)
    fail("tile {}x{}: the tile of each of {}x{} warps must be a multiple of {} x {}, one instruction", t.m,
         t.n, t.warps_m, t.warps_n, i.shape.m, i.shape.n);
  const int k = t.k(i.b);
  if (k % i.shape.k != 0 || !std::has_single_bit(unsigned(t.k_bytes)))
    fail(
        "a k-chunk of {} bytes is {} columns of {}: it must be a power of two and a multiple of {}, the k of "
        "{}",
        t.k_bytes, k, isa::name(i.b), i.shape.k, isa::ptx_name(i));
  if (t.stages < 2) fail("{} stages: asynchronous copies need at least 2", t.stages);
  if (i.is_sparse() && t.m % isa::metadata_row_block(i.a) != 0)
    fail("tile.m {}: metadata is reordered in blocks of {} rows, so it must be a multiple", t.m,
         isa::metadata_row_block(i.a));
}

void check_decomposition(const KernelProblem& p, const Schedule& s) {
  const std::int64_t chunks = ceil_div(p.k, s.tile.k(p.instruction->b));
  if (s.decomposition == Decomposition::split_k && (s.splits < 1 || s.splits > chunks))
    fail("split-k into {} shares: K = {} is {} k-chunks, give 1 to {}", s.splits, p.k, chunks, chunks);
  if (s.decomposition == Decomposition::stream_k && p.places < 1)
    fail("stream-k on {} CTAs: there must be at least 1", p.places);
  if (s.raster_columns < 1) fail("raster of {} columns: there must be at least 1", s.raster_columns);
}

bool aligned(const KernelProblem& p, int alignment) {
  const isa::Instruction& i = *p.instruction;
  const std::int64_t stored = i.is_sparse() ? p.k / 2 : p.k;
  const std::int64_t b = p.conv ? p.conv->in_channels : p.k;
  return row_bytes(stored, i.a) % alignment == 0 && row_bytes(b, i.b) % alignment == 0 &&
         (!p.conv || b * isa::bits(i.b) % (8 * alignment) == 0);
}

void check_alignment(const KernelProblem& p, const Schedule& s) {
  if (s.alignment != 16 && s.alignment != 8 && s.alignment != 4)
    fail("alignment of {} bytes: cp.async copies 16, 8 or 4", s.alignment);
  const int largest = largest_alignment(p);
  if (s.alignment > largest)
    fail("alignment of {} bytes: with K = {} rows of {} are aligned to {} only", s.alignment, p.k,
         isa::name(p.instruction->a), largest);
}

void set_shared(Kernel& k) {
  const isa::Instruction& i = *k.problem.instruction;
  const Tile& t = k.schedule.tile;
  k.b_row = t.k_bytes;
  k.a_row = k.steps * a_step_bytes;
  k.a_bytes = t.m * k.a_row;
  k.b_bytes = t.n * k.b_row;
  if (i.is_sparse()) {
    k.metadata_block = isa::metadata_row_block(i.a);
    k.metadata_bytes = k.steps * t.m / k.metadata_block * 128;
  }
  // Rows of a slab are apart by 32 bytes (16 where it is transposed) more than their length: no bank
  // conflicts.
  const bool transposed = k.problem.epilogue.transposed;
  const int rows = transposed ? k.warp_n : i.shape.m, columns = transposed ? i.shape.m : k.warp_n;
  k.slab_bytes = rows * (columns * k.sum_bytes() + (transposed ? 16 : 32));
  k.shared_bytes = std::max(t.stages * k.stage_bytes(), k.warps() * k.slab_bytes);
  if (k.shared_bytes > max_shared_bytes)
    fail(
        "tile {}x{}x{} bytes with {} stages takes {} bytes of shared memory, a CTA has {}: fewer stages or a "
        "smaller tile",
        t.m, t.n, t.k_bytes, t.stages, k.shared_bytes, max_shared_bytes);
}

void set_registers(Kernel& k) {
  const isa::Instruction& i = *k.problem.instruction;
  KernelRegisters& r = k.registers;
  r.c_each = isa::registers(i, isa::Operand::c);
  r.a_each = isa::registers(i, isa::Operand::a);
  r.b_each = isa::registers(i, isa::Operand::b);
  if (i.is_sparse()) r.metadata_each = int(ceil_div(std::max(k.warp_m, k.metadata_block), k.metadata_block));
  r.accumulators = bookkeeping_registers;
  r.a = r.temporaries = r.accumulators + k.mma_m * k.mma_n * r.c_each;
  r.b = r.a + 2 * k.mma_m * r.a_each;
  r.metadata = r.b + 2 * k.mma_n * r.b_each;
  r.count = std::max(r.metadata + 2 * r.metadata_each, r.temporaries + epilogue_registers);
  if (r.count > max_registers)
    fail("a warp tile of {} x {} takes {} registers a lane, there are {}: more warps or a smaller tile",
         k.warp_m, k.warp_n, r.count, max_registers);
}

}  // namespace

std::int64_t Kernel::a_row_bytes() const {
  const isa::Instruction& i = *problem.instruction;
  return row_bytes(i.is_sparse() ? problem.k / 2 : problem.k, i.a);
}

int largest_alignment(const KernelProblem& p) {
  for (int alignment : {16, 8, 4})
    if (aligned(p, alignment)) return alignment;
  if (p.conv)
    fail(
        "{} channels of {} are not a multiple of 4 bytes, the smallest cp.async: fill the channels up with "
        "zeros",
        p.conv->in_channels, isa::name(p.instruction->b));
  fail(
      "rows of K = {} columns of {} are not a multiple of 4 bytes, the smallest cp.async: fill K up with "
      "zeros",
      p.k, isa::name(p.instruction->a));
}

Kernel plan_kernel(const KernelProblem& problem, const Schedule& schedule) {
  check_instruction(problem);
  check_problem(problem);
  check_epilogue(problem);
  check_tile(problem, schedule);
  check_decomposition(problem, schedule);
  check_alignment(problem, schedule);
  const isa::Instruction& i = *problem.instruction;
  const Tile& t = schedule.tile;
  Kernel k;
  k.problem = problem;
  k.schedule = schedule;
  k.warp_m = t.m / t.warps_m;
  k.warp_n = t.n / t.warps_n;
  k.mma_m = k.warp_m / i.shape.m;
  k.mma_n = k.warp_n / i.shape.n;
  k.chunk_k = t.k(i.b);
  k.steps = k.chunk_k / i.shape.k;
  k.grid_m = ceil_div(problem.m, t.m);
  k.grid_n = ceil_div(problem.n, t.n);
  k.chunks = int(ceil_div(problem.k, k.chunk_k));
  set_shared(k);
  set_registers(k);
  return k;
}

}  // namespace twofour::emu
