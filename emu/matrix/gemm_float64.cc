// f64 GEMM: for each element a chain of fused multiply-adds, k ascending, several columns of D side by side.
#include <algorithm>
#include <bit>
#include <cmath>

#include "twofour/emu/matrix/gemm_float_pack.h"
#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t width = 32;  // columns of a panel

/// sum[j] = chain over k of a[k] * panel[k * width + j].
TWOFOUR_ALWAYS_INLINE void chain_body(const double* a, const double* panel, std::int64_t k, double* sum) {
  double s[width];
  for (std::int64_t j = 0; j < width; ++j) s[j] = sum[j];
  for (std::int64_t at = 0; at < k; ++at)
    for (std::int64_t j = 0; j < width; ++j) s[j] = __builtin_fma(a[at], panel[at * width + j], s[j]);
  for (std::int64_t j = 0; j < width; ++j) sum[j] = s[j];
}
TWOFOUR_SIMD_VARIANTS(chain, (const double* a, const double* panel, std::int64_t k, double* sum),
                      chain_body(a, panel, k, sum))

/// Columns first.. of B, k-major; columns beyond the matrix are zeros.
void pack_panel(const PackedMatrix& b, std::int64_t first, double* panel) {
  for (std::int64_t j = 0; j < width; ++j) {
    const double* column = first + j < b.rows() ? b.row_as<double>(first + j) : nullptr;
    for (std::int64_t k = 0; k < b.cols(); ++k) panel[k * width + j] = column != nullptr ? column[k] : 0;
  }
}

}  // namespace

void gemm_double(const GemmTask& task, PackedMatrix& d) {
  const std::int64_t k = task.a.cols();
#pragma omp parallel
  {
    AlignedArray<double> panel(k * width);
#pragma omp for schedule(dynamic)
    for (std::int64_t first = 0; first < d.cols(); first += width) {
      pack_panel(task.b, first, panel.data());
      const std::int64_t cols = std::min(width, d.cols() - first);
      for (std::int64_t row = 0; row < d.rows(); ++row) {
        double sum[width] = {};
        for (std::int64_t j = 0; j < cols; ++j) sum[j] = std::bit_cast<double>(task.c_word(row, first + j));
        chain(task.a.row_as<double>(row), panel.data(), k, sum);
        std::copy_n(sum, cols, d.row_as<double>(row) + first);
        // Which of two NaNs goes on is the processor's choice: the scalar definition decides.
        for (std::int64_t j = 0; j < cols; ++j)
          if (std::isnan(sum[j])) d.set_bits(row, first + j, scalar_element(task, row, first + j));
      }
    }
  }
}

}  // namespace twofour::emu
