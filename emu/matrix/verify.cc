#include "twofour/emu/matrix/verify.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/matrix/warp_gemm.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t max_tiles = 256;
constexpr double max_multiply_adds = 0x1p32;  // of the 64-bit sums: a few seconds

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Compares one tile of D with the warp instructions' result.
Verification check_tile(const isa::Instruction& i, const Fragment& expected, const PackedMatrix& d,
                        std::int64_t row0, std::int64_t col0) {
  PackedMatrix tile(i.d, i.shape.m, i.shape.n);
  store_fragment(i, expected, tile, 0, 0);
  Verification v;
  for (std::int64_t r = row0; r < std::min(d.rows(), row0 + i.shape.m); ++r)
    for (std::int64_t c = col0; c < std::min(d.cols(), col0 + i.shape.n); ++c) {
      ++v.compared;
      v.differing += d.bits(r, c) != tile.bits(r - row0, c - col0);
    }
  return v;
}

using Integers = std::vector<std::int16_t>;  // all integer element types fit

Integers integers(const PackedMatrix& m, std::int64_t row) {
  Integers values(std::size_t(m.cols()));
  for (std::int64_t c = 0; c < m.cols(); ++c) values[std::size_t(c)] = std::int16_t(m.integer(row, c));
  return values;
}

/// a . b by 64-bit integers, in the plainest way.
std::int64_t naive_sum(isa::BitOp op, const Integers& a, const Integers& b) {
  std::int64_t sum = 0;
  if (op == isa::BitOp::xor_popc)
    for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] ^ b[k];
  else
    for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

Verification check_integers(const isa::Instruction& i, const PackedMatrix& dense_a, const PackedMatrix& b,
                            const PackedMatrix* c, const PackedMatrix& d) {
  constexpr std::int64_t columns = 64;  // of B that are taken apart at a time
  const double work = double(d.rows()) * double(d.cols()) * double(b.cols());
  const std::int64_t step = std::max<std::int64_t>(1, std::int64_t(std::ceil(work / max_multiply_adds)));
  std::int64_t differing = 0;
  for (std::int64_t first = 0; first < d.cols(); first += columns) {
    const std::int64_t count = std::min(columns, d.cols() - first);
    std::vector<Integers> y;
    for (std::int64_t col = 0; col < count; ++col) y.push_back(integers(b, first + col));
#pragma omp parallel for schedule(static) reduction(+ : differing)
    for (std::int64_t r = 0; r < d.rows(); r += step) {
      const Integers x = integers(dense_a, r);
      for (std::int64_t col = 0; col < count; ++col) {
        const std::int64_t start = c != nullptr ? c->integer(r, first + col) : 0;
        const auto sum = std::uint64_t(start + naive_sum(i.op, x, y[std::size_t(col)]));
        differing += std::uint32_t(d.bits(r, first + col)) != std::uint32_t(sum);
      }
    }
  }
  return {ceil_div(d.rows(), step) * d.cols(), differing, ""};
}

}  // namespace

Verification verify_gemm(const isa::Instruction& i, const PackedMatrix& stored_a, const SparseMatrix* sparse,
                         const PackedMatrix& b, const PackedMatrix* c, const PackedMatrix& d,
                         const NumericOptions& options) {
  const std::int64_t tiles_n = ceil_div(d.cols(), i.shape.n), tiles = ceil_div(d.rows(), i.shape.m) * tiles_n;
  const std::int64_t count = std::min(tiles, max_tiles);
  Verification v;
  std::int64_t compared = 0, differing = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : compared, differing)
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t tile = n * tiles / count, tile_m = tile / tiles_n, tile_n = tile % tiles_n;
    const Fragment expected = warp_gemm_tile(i, stored_a, sparse, b, c, tile_m, tile_n, options);
    const Verification one = check_tile(i, expected, d, tile_m * i.shape.m, tile_n * i.shape.n);
    compared += one.compared;
    differing += one.differing;
  }
  v.compared = compared, v.differing = differing;
  v.against = "a loop of warp instructions";
  if (isa::is_float(i.a) || options.satfinite) return v;
  const Verification all = check_integers(i, sparse != nullptr ? decompress(*sparse) : stored_a, b, c, d);
  v.compared = all.compared;
  v.differing = std::max(v.differing, all.differing);
  v.against = "64-bit sums, and " + std::to_string(compared) + " elements with a loop of warp instructions";
  return v;
}

}  // namespace twofour::emu
