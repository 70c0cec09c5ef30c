#include "twofour/emu/kernel/run_kernel.h"

#include <exception>
#include <string_view>

#include "twofour/emu/kernel/warp_program.h"
#include "twofour/emu/kernel/warp_state.h"
#include "twofour/isa/error.h"
#include "twofour/isa/metadata_layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using Counts = std::array<std::int64_t, op_kinds>;

void check_matrix(std::string_view name, const PackedMatrix* matrix, isa::ElementType type, std::int64_t rows,
                  std::int64_t columns) {
  if (matrix == nullptr) fail("the kernel has an operand {}, but none is given", name);
  if (matrix->type() != type || matrix->rows() != rows || matrix->cols() != columns)
    fail("operand {} is {} x {} of {}, the kernel takes {} x {} of {}", name, matrix->rows(), matrix->cols(),
         isa::name(matrix->type()), rows, columns, isa::name(type));
}

void check_channels(std::string_view name, std::size_t got, std::int64_t wanted) {
  if (std::int64_t(got) != wanted) fail("operand {} has {} channels, the kernel takes {}", name, got, wanted);
}

/// The second half of fixed-point scales.
void check_shifts(std::span<const std::uint32_t> scale) {
  const std::size_t channels = scale.size() / 2;
  for (std::size_t c = 0; c < channels; ++c)
    if (const std::uint32_t shift = scale[channels + c]; shift < 1 || shift > 62)
      fail("fixed-point scale of channel {}: its shift is {}, give 1 to 62", c, shift);
}

isa::ElementType residual_type(const Kernel& k) {
  const isa::ElementType out = k.problem.epilogue.output;
  const bool as_output = isa::bits(out) == 16 || out == isa::ElementType::s32;
  return as_output ? out : isa::ElementType::f32;
}

void check_operands(const Kernel& k, const KernelOperands& x) {
  const KernelProblem& p = k.problem;
  const isa::Instruction& i = *p.instruction;
  check_matrix("A", x.a, i.a, p.m, i.is_sparse() ? p.k / 2 : p.k);
  if (i.is_sparse() && (x.sparse == nullptr || x.sparse->rows() != p.m || x.sparse->cols != p.k))
    fail("the kernel takes the metadata of a compressed A of {} x {}", p.m, p.k);
  if (p.conv)
    check_matrix("B", x.b_transposed, i.b, p.conv->batch * p.conv->height * p.conv->width,
                 p.conv->in_channels);
  else
    check_matrix("B", x.b_transposed, i.b, p.n, p.k);
  if (p.c) check_matrix("C", x.c, i.c, p.m, p.n);
  const Epilogue& e = p.epilogue;
  if (e.scale)
    check_channels("scale", x.epilogue.scale.size(),
                   (e.fixed_point ? 2 : 1) * (e.channel_is_row ? p.m : p.n));
  if (e.fixed_point) check_shifts(x.epilogue.scale);
  if (e.bias) check_channels("bias", x.epilogue.bias.size(), e.channel_is_row ? p.m : p.n);
  if (e.residual)
    check_matrix("residual", x.epilogue.residual, residual_type(k), e.transposed ? p.n : p.m,
                 e.transposed ? p.m : p.n);
}

/// E in CUTLASS's order (isa/metadata_layout.h); rows that fill the last block up keep columns 0 and 1.
std::vector<std::byte> reordered_metadata(const Kernel& k, const SparseMatrix& s) {
  const isa::ElementType type = k.problem.instruction->a;
  const int codes = isa::codes_per_metadata_element(type);
  const std::int64_t block = k.metadata_block, rows = (s.rows() + block - 1) / block * block;
  const std::int64_t columns = s.groups() / codes;
  std::vector<std::byte> bytes(std::size_t(rows * columns * codes / 2));
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t at = isa::reordered_metadata_offset(type, rows, row, column) * codes / 2;
      for (int i = 0; i < codes; ++i) {
        const auto code = row < s.rows() ? s.code(row, column * codes + i) : isa::make_code(0, 1);
        bytes[std::size_t(at + i / 2)] |= std::byte(code << (i % 2 * 4));
      }
    }
  return bytes;
}

/// Bytes that are only read, behind the one type of span that memory has.
std::span<std::byte> bytes_of(const PackedMatrix* m) {
  if (m == nullptr || m->rows() == 0) return {};
  return {const_cast<std::byte*>(m->row(0).data()), std::size_t(m->rows() * m->row_bytes())};
}
std::span<std::byte> bytes_of(std::span<const std::uint32_t> words) {
  return {reinterpret_cast<std::byte*>(const_cast<std::uint32_t*>(words.data())), words.size_bytes()};
}

/// A warp between two barriers.
class RunningWarp {
 public:
  RunningWarp(const WarpProgram& program, WarpState state) : program_(program), state_(std::move(state)) {}

  /// Executes up to the next barrier; false at the end.
  bool run_to_barrier(const ExecutionOptions& options, Counts& counts) {
    for (;; at_ = 0, ++segment_) {
      if (at_ == 0) {
        if (segment_ == program_.segments()) return false;
        ops_ = program_.segment(segment_);
      }
      while (at_ < ops_.size()) {
        const WarpOp& op = ops_[at_++];
        if (options.omitted == op.kind) continue;
        ++counts[std::size_t(op.kind)];
        state_.execute(op);
        if (op.kind == OpKind::barrier) return true;
      }
    }
  }

 private:
  WarpProgram program_;
  WarpState state_;
  std::vector<WarpOp> ops_;
  std::size_t at_ = 0;
  int segment_ = 0;
};

void run_work(const Kernel& k, const Work& work, const GlobalMemory& memory, const ExecutionOptions& options,
              Counts& counts) {
  std::vector<std::byte> shared(std::size_t(k.shared_bytes), std::byte{0xff});
  std::vector<RunningWarp> warps;
  for (int w = 0; w < k.warps(); ++w)
    warps.emplace_back(WarpProgram(k, work, w), WarpState(memory, shared, options.moment, options.numeric));
  for (bool running = true; running;)
    for (RunningWarp& warp : warps) running = warp.run_to_barrier(options, counts);
}

/// Runs pieces of work that do not depend on each other.
void run_all(const Kernel& k, const std::vector<Work>& work, const GlobalMemory& memory,
             const ExecutionOptions& options, Counts& counts) {
  std::exception_ptr error;
#pragma omp parallel
  {
    Counts mine{};
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < std::ssize(work); ++i) try {
        run_work(k, work[std::size_t(i)], memory, options, mine);
      } catch (...) {
#pragma omp critical
        error = std::current_exception();
      }
#pragma omp critical
    for (std::size_t kind = 0; kind < op_kinds; ++kind) counts[kind] += mine[kind];
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace

KernelRun run_kernel(const Kernel& k, const KernelOperands& x, const ExecutionOptions& options) {
  check_operands(k, x);
  const KernelProblem& p = k.problem;
  const bool transposed = p.epilogue.transposed;
  KernelRun run;
  run.d = PackedMatrix(p.epilogue.output, transposed ? p.n : p.m, transposed ? p.m : p.n);
  std::vector<std::byte> metadata;
  if (x.sparse != nullptr) metadata = reordered_metadata(k, *x.sparse);
  const Tile& t = k.schedule.tile;
  std::vector<std::byte> workspace(std::size_t(workspace_slots(k) * t.m * t.n * k.sum_bytes()));

  GlobalMemory memory;
  const auto set = [&](Tensor tensor, std::span<std::byte> bytes) { memory.of[std::size_t(tensor)] = bytes; };
  set(Tensor::a, bytes_of(x.a));
  set(Tensor::metadata, metadata);
  set(Tensor::b, bytes_of(x.b_transposed));
  set(Tensor::c, bytes_of(x.c));
  set(Tensor::scale, bytes_of(x.epilogue.scale));
  set(Tensor::bias, bytes_of(x.epilogue.bias));
  set(Tensor::residual, bytes_of(x.epilogue.residual));
  set(Tensor::workspace, workspace);
  set(Tensor::d, bytes_of(&run.d));

  std::vector<Work> storing, finishing;
  for (const std::vector<Work>& cta : grid(k))
    for (const Work& w : cta) (w.finish == Finish::store_partial ? storing : finishing).push_back(w);
  run_all(k, storing, memory, options, run.instructions);
  run_all(k, finishing, memory, options, run.instructions);
  return run;
}

}  // namespace twofour::emu
