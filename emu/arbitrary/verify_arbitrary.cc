#include <algorithm>
#include <atomic>

#include "twofour/emu/arbitrary/arbitrary_gemm.h"

namespace twofour::emu {
namespace {

constexpr double most_products = 0x1p32;

std::vector<int> values_of(const PackedMatrix& m, std::int64_t row, const ValueRange& range) {
  std::vector<int> values(std::size_t(m.cols()));
  for (std::int64_t k = 0; k < m.cols(); ++k) values[std::size_t(k)] = operand_value(m, row, k, range);
  return values;
}

}  // namespace

Verification verify_arbitrary(const BitForm& form, const PackedMatrix& weights, const PackedMatrix& x,
                              const PackedMatrix& d) {
  const double row_products = double(d.cols()) * double(x.cols());
  const auto rows = std::clamp<std::int64_t>(std::int64_t(most_products / std::max(1.0, row_products)), 1,
                                             std::max<std::int64_t>(1, d.rows()));
  std::vector<std::vector<int>> columns;
  for (std::int64_t n = 0; n < d.cols(); ++n) columns.push_back(values_of(x, n, activation_range(form)));
  std::atomic<std::int64_t> differing = 0;
  const std::int64_t compared_rows = std::min(rows, d.rows());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < compared_rows; ++i) {
    const std::int64_t m = i * d.rows() / compared_rows;
    const std::vector<int> w = values_of(weights, m, weight_range(form));
    for (std::int64_t n = 0; n < d.cols(); ++n)
      differing += arbitrary_dot(form, w, columns[std::size_t(n)]) != d.integer(m, n);
  }
  return {compared_rows * d.cols(), differing, "64-bit sums of products"};
}

}  // namespace twofour::emu
