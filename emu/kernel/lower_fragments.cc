#include "twofour/emu/kernel/lowering.h"
#include "twofour/emu/kernel/swizzle.h"

namespace twofour::emu {
namespace {

const isa::Instruction& ldmatrix_row(int matrices) {
  static const isa::Instruction* const rows[] = {&isa::find_instruction("ldmatrix.m8n8.x1.shared.b16"),
                                                 &isa::find_instruction("ldmatrix.m8n8.x2.shared.b16"),
                                                 &isa::find_instruction("ldmatrix.m8n8.x4.shared.b16")};
  return *rows[matrices / 2];
}

/// Fragments of one step: where they are read and which buffer they fill.
struct Step {
  const WarpPlace& at;
  int step, stage_base, buffer;

  Step(const WarpPlace& place, int chunk, int k_step)
      : at(place),
        step(k_step),
        stage_base(chunk % place.kernel.schedule.tile.stages * place.kernel.stage_bytes()),
        buffer((chunk * place.kernel.steps + k_step) % 2) {}

  const Kernel& kernel() const { return at.kernel; }
  int a_register(int i) const {
    return kernel().registers.a + (buffer * kernel().mma_m + i) * kernel().registers.a_each;
  }
  int b_register(int j) const {
    return kernel().registers.b + (buffer * kernel().mma_n + j) * kernel().registers.b_each;
  }
  int metadata_register(int block) const {
    return kernel().registers.metadata + buffer * kernel().registers.metadata_each + block;
  }
  int first_block() const { return at.row0() / kernel().metadata_block; }
};

/// ldmatrix of `matrices` 8 x 16-byte matrices; address(matrix, row).
template <class Address>
void add_ldmatrix(WarpOps& ops, int matrices, int first_register, Address address) {
  WarpOp op;
  op.kind = OpKind::ldmatrix;
  op.instruction = &ldmatrix_row(matrices);
  op.write = range(first_register, matrices);
  op.read[0] = range(2, 1);
  for (int lane = 0; lane < 8 * matrices; ++lane)
    op.shared[std::size_t(lane)] = std::uint32_t(address(lane / 8, lane % 8));
  op.active = matrices == 4 ? ~0u : (1u << 8 * matrices) - 1;
  ops.push_back(op);
}

/// Matrices (rows 0-7, low k) (rows 8-15, low k) (rows 0-7, high k) (rows 8-15, high k).
void add_a(WarpOps& ops, const Step& s) {
  const SwizzledRows layout{s.kernel().a_row};
  for (int i = 0; i < s.kernel().mma_m; ++i)
    add_ldmatrix(ops, 4, s.a_register(i), [&](int matrix, int row) {
      return s.stage_base + int(layout.address(s.at.row0() + 16 * i + 8 * (matrix & 1) + row,
                                               32 * s.step + 16 * (matrix >> 1)));
    });
}

/// Consecutive k of 8 columns; a dense instruction has 32 bytes of k, so that an x4 serves two of them.
void add_b(WarpOps& ops, const Step& s) {
  const Kernel& k = s.kernel();
  const SwizzledRows layout{k.b_row};
  const int each = k.registers.b_each, together = 4 / each;
  for (int j = 0; j < k.mma_n; j += together) {
    const int matrices = std::min(together, k.mma_n - j) * each;
    add_ldmatrix(ops, matrices, s.b_register(j), [&](int matrix, int row) {
      const int column = s.at.column0() + 8 * (j + matrix / each) + row;
      return s.stage_base + k.a_bytes + int(layout.address(column, 16 * (each * s.step + matrix % each)));
    });
  }
}

/// The 128 bytes of a block of rows are the `e` registers of the warp.
void add_metadata(WarpOps& ops, const Step& s) {
  const Kernel& k = s.kernel();
  const int blocks = k.schedule.tile.m / k.metadata_block;
  const int base = s.stage_base + k.a_bytes + k.b_bytes + (s.step * blocks + s.first_block()) * 128;
  for (int done = 0; done < k.registers.metadata_each;) {
    const int left = k.registers.metadata_each - done, matrices = left >= 4 ? 4 : left >= 2 ? 2 : 1;
    add_ldmatrix(ops, matrices, s.metadata_register(done),
                 [&](int matrix, int row) { return base + (done + matrix) * 128 + row * 16; });
    done += matrices;
  }
}

/// 8 bytes a lane: row g, k t of an m8n8k4 fragment.
void add_f64(WarpOps& ops, const Step& s, int tiles, int first_row, int base, int first_register) {
  const SwizzledRows layout{s.kernel().b_row, 1};
  for (int i = 0; i < tiles; ++i) {
    WarpOp op;
    op.kind = OpKind::load_shared;
    op.bytes = 8;
    op.write = range(first_register + 2 * i, 2);
    op.read[0] = range(2, 1);
    for (int lane = 0; lane < warp_lanes; ++lane)
      op.shared[std::size_t(lane)] =
          std::uint32_t(base) + layout.address(first_row + 8 * i + lane / 4, 32 * s.step + 8 * (lane % 4));
    ops.push_back(op);
  }
}

WarpOp mma(const Step& s, int i, int j) {
  const Kernel& k = s.kernel();
  const KernelRegisters& r = k.registers;
  const RegisterRange c = range(r.accumulators + (i * k.mma_n + j) * r.c_each, r.c_each);
  WarpOp op;
  op.kind = OpKind::mma;
  op.instruction = k.problem.instruction;
  op.write = c;
  op.read = {range(s.a_register(i), r.a_each), range(s.b_register(j), r.b_each), c, RegisterRange{}};
  if (k.metadata_block != 0) {
    const int row = s.at.row0() + 16 * i;
    op.read[3] = range(s.metadata_register(row / k.metadata_block - s.first_block()), 1);
    op.argument = row % k.metadata_block / 16;
  }
  return op;
}

}  // namespace

void add_fragment_loads(WarpOps& ops, const WarpPlace& at, int chunk, int step) {
  const Step s(at, chunk, step);
  const Kernel& k = at.kernel;
  add_bookkeeping(ops, 2);  // the step's XOR into the addresses of A and of B
  if (k.sum_bytes() == 8) {
    add_f64(ops, s, k.mma_m, at.row0(), s.stage_base, s.a_register(0));
    add_f64(ops, s, k.mma_n, at.column0(), s.stage_base + k.a_bytes, s.b_register(0));
    return;
  }
  if (k.metadata_block != 0) add_metadata(ops, s);
  add_b(ops, s);
  add_a(ops, s);
}

void add_mmas(WarpOps& ops, const WarpPlace& at, int chunk, int step) {
  const Step s(at, chunk, step);
  for (int j = 0; j < at.kernel.mma_n; ++j)
    for (int i = 0; i < at.kernel.mma_m; ++i)
      ops.push_back(mma(s, j % 2 == 0 ? i : at.kernel.mma_m - 1 - i, j));
}

}  // namespace twofour::emu
