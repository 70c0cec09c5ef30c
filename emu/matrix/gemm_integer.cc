// Integer GEMM: exact 32-bit wrap-around sums, so any order of the additions gives the bits of the scalar
// definition. Both operands are packed into panels once; then tiles of D run over all threads.
#include <algorithm>
#include <limits>
#include <vector>

#include "twofour/emu/matrix/gemm_integer_kernels.h"
#include "twofour/emu/matrix/gemm_integer_pack.h"
#include "twofour/emu/matrix/gemm_integer_popcount.h"
#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t step_block =
    1024;  // of k, so that a panel of B (256 bytes a step) stays in the L2 cache
constexpr std::int64_t task_rows = 120;  // about; their panels of A stay there too

const IntegerKernel* choose_kernel(const isa::Instruction& i) {
#if defined(__x86_64__)
  if (simd_has_vnni()) return vnni_kernel(i);
#endif
  if (i.a == isa::ElementType::b1) return nullptr;
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::avx512) return &avx512_pairs;
  if (simd_level() == SimdLevel::avx2) return &avx2_pairs;
#endif
  return &portable_pairs;
}

/// What is added to the elements of B so that a byte holds them with the other sign than A's.
std::uint32_t offset_of_b(const IntegerKernel& kernel, isa::ElementType b) {
  if (kernel.form != IntegerForm::bytes || isa::is_signed(b) != kernel.signed_a) return 0;
  const std::uint32_t half = 1u << (isa::bits(b) - 1);
  return kernel.signed_a ? half : 0u - half;
}

/// Operands ready for the kernel.
struct Packed {
  std::int64_t steps;
  AlignedWords a, b;
  std::vector<std::uint32_t> row_offset;  // undoes what the offset of B added to each row of D
};

AlignedWords pack_a(const IntegerKernel& kernel, const GemmTask& task, const SparseMatrix* sparse,
                    std::int64_t steps) {
  const IntegerPanels to{kernel.form, steps, kernel.rows};
  if (sparse == nullptr) return pack_panels(task.a, to);
  return kernel.compressed() ? pack_compressed(*sparse, to) : pack_decompressed(*sparse, to);
}

Packed pack_operands(const IntegerKernel& kernel, const GemmTask& task, const SparseMatrix* sparse) {
  const int unit = kernel.compressed() ? 2 : 1;
  const std::int64_t steps = (integer_words(kernel.form, task.b.cols()) + unit - 1) / unit;
  const std::uint32_t offset = offset_of_b(kernel, task.b.type());
  Packed packed{steps, pack_a(kernel, task, sparse, steps),
                pack_panels(task.b, {kernel.form, steps, kernel.columns, unit, offset}),
                std::vector<std::uint32_t>(std::size_t(task.a.rows()))};
  if (offset != 0) packed.row_offset = row_sums(task.a);
  for (std::uint32_t& sum : packed.row_offset) sum *= 0u - offset;
  return packed;
}

/// Rows first_row .. last_row of a panel of columns.
void run_columns(const IntegerKernel& kernel, const GemmTask& task, const Packed& packed, std::int64_t panel,
                 std::int64_t first_row, std::int64_t last_row, PackedMatrix& d) {
  static const std::uint32_t no_offset[64] = {};
  const std::int64_t col = panel * kernel.columns;
  for (std::int64_t k = 0; k == 0 || k < packed.steps; k += step_block)
    for (std::int64_t row = first_row; row < last_row; row += kernel.rows) {
      IntegerTile t{};
      t.a = packed.a.data() + (row / kernel.rows * packed.steps + k) * kernel.a_words;
      t.b = packed.b.data() + (panel * packed.steps + k) * kernel.b_words;
      t.steps = std::min(step_block, packed.steps - k);
      t.d = d.row_as<std::uint32_t>(row) + col;
      t.row_offset = k == 0 ? packed.row_offset.data() + row : no_offset;
      if (k > 0)
        t.base = t.d;
      else if (task.c != nullptr)
        t.base = task.c->row_as<std::uint32_t>(row) + col;
      t.d_stride = t.base_stride = d.cols();
      t.rows = int(std::min<std::int64_t>(kernel.rows, d.rows() - row));
      t.columns = int(std::min<std::int64_t>(kernel.columns, d.cols() - col));
      kernel.run(t);
    }
}

std::int64_t largest_magnitude(isa::ElementType type) {
  const int width = isa::bits(type);
  return isa::is_signed(type) ? std::int64_t(1) << (width - 1) : (std::int64_t(1) << width) - 1;
}

std::int64_t largest_magnitude(const PackedMatrix& c) {
  std::int64_t largest = 0;
  for (std::int64_t row = 0; row < c.rows(); ++row) {
    const auto* words = c.row_as<std::int32_t>(row);
    for (std::int64_t col = 0; col < c.cols(); ++col)
      largest = std::max(largest, std::abs(std::int64_t(words[col])));
  }
  return largest;
}

}  // namespace

bool sums_may_saturate(const isa::Instruction& i, std::int64_t products, const PackedMatrix* c) {
  const std::int64_t sum = products * largest_magnitude(i.a) * largest_magnitude(i.b);
  return sum + (c != nullptr ? largest_magnitude(*c) : 0) > std::numeric_limits<std::int32_t>::max();
}

void gemm_integer(const GemmTask& task, const SparseMatrix* sparse, PackedMatrix& d) {
  const IntegerKernel* kernel = choose_kernel(task.instruction);
  if (kernel == nullptr) return gemm_popcount(task, d);
  const Packed packed = pack_operands(*kernel, task, sparse);
  const std::int64_t panels = (d.cols() + kernel->columns - 1) / kernel->columns;
  const std::int64_t rows = task_rows / kernel->rows * kernel->rows, tasks = (d.rows() + rows - 1) / rows;
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (std::int64_t t = 0; t < tasks; ++t)
    for (std::int64_t panel = 0; panel < panels; ++panel)
      run_columns(*kernel, task, packed, panel, t * rows, std::min(d.rows(), (t + 1) * rows), d);
}

}  // namespace twofour::emu
