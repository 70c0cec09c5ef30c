#include "twofour/emu/matrix/gemm.h"

#include <vector>

#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

void check_type(const char* operand, isa::ElementType got, isa::ElementType wanted,
                const isa::Instruction& i) {
  if (got != wanted)
    fail("operand {} holds {}, but {} takes {}", operand, isa::name(got), isa::ptx_name(i),
         isa::name(wanted));
}

void check_sizes(const isa::Instruction& i, std::int64_t m, std::int64_t k, const PackedMatrix& a,
                 const PackedMatrix& b, const PackedMatrix* c, const NumericOptions& options) {
  if (!i.is_tensor_core())
    fail("{} is not an instruction that whole matrices are multiplied with: take an mma", isa::ptx_name(i));
  isa::evidence(i, options.architecture);  // refuses what the architecture has no rule for
  check_type("A", a.type(), i.a, i);
  check_type("B", b.type(), i.b, i);
  if (k != b.cols()) fail("A has {} columns (K), but B has {}", k, b.cols());
  if (k % i.shape.k != 0)
    fail("K = {} is not a multiple of {}, the k of {}: pad A and B with zeros to K = {}", k, i.shape.k,
         isa::ptx_name(i), (k + i.shape.k - 1) / i.shape.k * i.shape.k);
  if (options.satfinite && (isa::is_float(i.a) || i.a == isa::ElementType::b1))
    fail("{} has no .satfinite form", isa::ptx_name(i));
  if (c == nullptr) return;
  check_type("C", c->type(), i.c, i);
  if (c->rows() != m || c->cols() != b.rows())
    fail("C is {} x {}, but A B is {} x {}", c->rows(), c->cols(), m, b.rows());
}

std::vector<std::int32_t> logical_columns(const SparseMatrix& a, isa::Sparsity form) {
  const int stored = isa::stored_columns(form);
  const std::int64_t stored_k = a.values.cols();
  std::vector<std::int32_t> columns(std::size_t(a.rows() * stored_k));
  for (std::int64_t row = 0; row < a.rows(); ++row)
    for (std::int64_t kc = 0; kc < stored_k; ++kc) {
      const std::int64_t group = kc / stored;
      const int within = isa::logical_column(form, a.code(row, group), int(kc % stored));
      columns[std::size_t(row * stored_k + kc)] = std::int32_t(group * isa::group_columns(form) + within);
    }
  return columns;
}

/// True where only the scalar definition serves: sums that .satfinite may clamp between instructions,
/// directed rounding, fp8.
bool needs_scalar(const isa::Instruction& i, const PackedMatrix& stored_a, const PackedMatrix* c,
                  const NumericOptions& options) {
  if (i.a == isa::ElementType::f64) return options.rounding != isa::Rounding::nearest_even;
  if (isa::is_float(i.a)) return isa::bits(i.a) == 8;
  return options.satfinite && sums_may_saturate(i, stored_a.cols(), c);
}

void gemm_scalar(const GemmTask& task, PackedMatrix& d) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t col = 0; col < d.cols(); ++col) d.set_bits(row, col, scalar_element(task, row, col));
}

/// All paths but the scalar one. `sparse` is the compressed A of a sparse instruction, else null.
void gemm_fast(const GemmTask& task, const SparseMatrix* sparse, PackedMatrix& d) {
  if (task.instruction.a == isa::ElementType::f64)
    gemm_double(task, d);
  else if (isa::is_float(task.instruction.a))
    gemm_float(task, d);
  else
    gemm_integer(task, sparse, d);
}

}  // namespace

std::uint64_t scalar_element(const GemmTask& task, std::int64_t row, std::int64_t col) {
  const std::int64_t stored_k = task.a.cols(), step = task.instruction.stored_k();
  std::vector<std::uint64_t> a(std::size_t(step), 0), b(a);
  std::uint64_t sum = task.c_word(row, col);
  for (std::int64_t k0 = 0; k0 < stored_k; k0 += step) {
    for (std::int64_t k = k0; k < k0 + step; ++k) {
      a[std::size_t(k - k0)] = task.a.bits(row, k);
      const std::int64_t logical = task.columns.empty() ? k : task.columns[std::size_t(row * stored_k + k)];
      b[std::size_t(k - k0)] = task.b.bits(col, logical);
    }
    sum = dot(task.instruction, a, b, sum, task.options);
  }
  return sum;
}

PackedMatrix gemm(const isa::Instruction& i, const PackedMatrix& a, const PackedMatrix& b,
                  const PackedMatrix* c, const NumericOptions& options) {
  if (i.is_sparse()) fail("{} takes a compressed A: compress the matrix first", isa::ptx_name(i));
  check_sizes(i, a.rows(), a.cols(), a, b, c, options);
  const std::vector<std::int32_t> no_columns;
  const GemmTask task{i, a, no_columns, b, c, options};
  PackedMatrix d = PackedMatrix::unset(i.d, a.rows(), b.rows());
  needs_scalar(i, a, c, options) ? gemm_scalar(task, d) : gemm_fast(task, nullptr, d);
  return d;
}

PackedMatrix gemm(const isa::Instruction& i, const SparseMatrix& a, const PackedMatrix& b,
                  const PackedMatrix* c, const NumericOptions& options) {
  if (!i.is_sparse()) fail("{} takes a dense A, not a compressed one", isa::ptx_name(i));
  check_sizes(i, a.rows(), a.cols, a.values, b, c, options);
  const bool scalar = needs_scalar(i, a.values, c, options), by_codes = !scalar && !isa::is_float(i.a);
  const auto columns = by_codes ? std::vector<std::int32_t>() : logical_columns(a, i.sparsity);
  const GemmTask task{i, a.values, columns, b, c, options};
  PackedMatrix d = PackedMatrix::unset(i.d, a.rows(), b.rows());
  scalar ? gemm_scalar(task, d) : gemm_fast(task, &a, d);
  return d;
}

const isa::Instruction& choose_instruction(isa::ElementType a, isa::ElementType b,
                                           isa::ElementType accumulator, bool sparse, isa::BitOp op) {
  const isa::Instruction* best = nullptr;
  for (const auto& row : isa::instructions()) {
    if (!row.is_tensor_core() || row.family == isa::Family::mma_sp_ordered) continue;
    if (row.a != a || row.b != b || row.d != accumulator || row.is_sparse() != sparse || row.op != op)
      continue;
    if (best == nullptr || row.fma() > best->fma()) best = &row;
  }
  if (best == nullptr)
    fail("no {} instruction multiplies {} by {} into {}; `twofour isa list` lists every one",
         sparse ? "mma.sp" : "mma", isa::name(a), isa::name(b), isa::name(accumulator));
  return *best;
}

}  // namespace twofour::emu
