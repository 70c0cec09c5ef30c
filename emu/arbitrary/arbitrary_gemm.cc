#include "twofour/emu/arbitrary/arbitrary_gemm.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr std::int64_t block_sums = std::int64_t(1) << 22;  // of planes that lie in memory at a time

void check_planes(const BitPlanes& planes, int bits, std::string_view operand) {
  const bool whole = planes.bits.type() == ElementType::b1 &&
                     planes.bits.rows() == planes.planes * planes.rows && planes.k <= planes.bits.cols();
  if (!whole || planes.planes != bits)
    fail("{}: {} bit planes of {} rows in a {} matrix of {} x {}; the form takes {} planes", operand,
         planes.planes, planes.rows, isa::name(planes.bits.type()), planes.bits.rows(), planes.bits.cols(),
         bits);
}

/// Rows first .. first + count of every plane, their columns filled up with zeros.
PackedMatrix slice(const BitPlanes& planes, std::int64_t first, std::int64_t count, std::int64_t columns) {
  PackedMatrix out(ElementType::b1, planes.planes * count, columns);
  for (int plane = 0; plane < planes.planes; ++plane)
    for (std::int64_t r = 0; r < count; ++r)
      std::ranges::copy(planes.bits.row(plane * planes.rows + first + r), out.row(plane * count + r).begin());
  return out;
}

/// An element of D from S = sum of plane weights times popc(W_s & X_t), the ones of its rows and K; modulo
/// 2^32, for 4 S may leave 32 bits where the element does not.
struct Affine {
  std::uint32_t sum, ones_w, ones_x, k;
};
Affine affine_of(BitEncoding encoding) {
  switch (encoding) {
    case BitEncoding::unsigned_weights:
    case BitEncoding::signed_weights: break;
    case BitEncoding::bipolar_weights: return {2, 0, 0u - 1, 0};
    case BitEncoding::bipolar: return {4, 0u - 2, 0u - 2, 1};  // K - 2 popc(w ^ x)
  }
  return {1, 0, 0, 0};
}

/// The epilogue of one block of columns: sums over the planes.
class Combination {
 public:
  Combination(const BitForm& form, const BitPlanes& w, const BitPlanes& x, isa::BitOp op)
      : form_(form),
        w_(w),
        x_(x),
        xor_(op == isa::BitOp::xor_popc),
        ones_w_(count_ones(w)),
        ones_x_(count_ones(x)) {}

  /// Row m of D, columns first .. first + out.size(), from the counts of that block (p M x q count).
  void row(const PackedMatrix& counts, std::int64_t m, std::int64_t first,
           std::span<std::int32_t> out) const {
    std::ranges::fill(out, 0);
    const Affine a = affine_of(form_.encoding);
    for (int s = 0; s < w_.planes; ++s)
      for (int t = 0; t < x_.planes; ++t)
        add(counts.row_as<std::int32_t>(s * w_.rows + m) + t * std::int64_t(out.size()), s, t, m, first, out);
    if (a.sum == 1) return;
    // Bipolar weights are one plane.
    const std::uint32_t fixed =
        a.ones_w * std::uint32_t(ones_w_[std::size_t(m)]) + a.k * static_cast<std::uint32_t>(w_.k);
    for (std::size_t n = 0; n < out.size(); ++n)
      out[n] = static_cast<std::int32_t>(a.sum * std::uint32_t(out[n]) +
                                         a.ones_x * weighted_ones(first + std::int64_t(n)) + fixed);
  }

 private:
  /// Plane s of W by plane t of X.
  void add(const std::int32_t* count, int s, int t, std::int64_t m, std::int64_t first,
           std::span<std::int32_t> out) const {
    const bool negative = form_.encoding == BitEncoding::signed_weights && s == w_.planes - 1;
    const std::int32_t weight = (negative ? -1 : 1) * (1 << (s + t));
    if (!xor_) {
      for (std::size_t n = 0; n < out.size(); ++n) out[n] += weight * count[n];
      return;
    }
    const std::int32_t in_w = ones_w_[std::size_t(s * w_.rows + m)];
    const std::int32_t* in_x = ones_x_.data() + t * x_.rows + first;
    for (std::size_t n = 0; n < out.size(); ++n) out[n] += weight * ((in_w + in_x[n] - count[n]) / 2);
  }

  std::uint32_t weighted_ones(std::int64_t n) const {
    std::uint32_t sum = 0;
    for (int t = 0; t < x_.planes; ++t) sum += std::uint32_t(ones_x_[std::size_t(t * x_.rows + n)]) << t;
    return sum;
  }

  const BitForm& form_;
  const BitPlanes &w_, &x_;
  bool xor_;
  std::vector<std::int32_t> ones_w_, ones_x_;
};

void check_operands(const BitForm& form, const BitPlanes& w, const BitPlanes& x, const isa::Instruction& i) {
  check(form, w.k);
  check_planes(w, form.weight_bits, "weights");
  check_planes(x, form.activation_bits, "activations");
  if (w.k != x.k) fail("weights have {} columns (K), but activations {}", w.k, x.k);
  if (i.op == isa::BitOp::none || !i.is_tensor_core())
    fail("{} is no single-bit mma, of which products of bit planes are made", isa::ptx_name(i));
}

/// Calls store(m, first column, sums of row m from there on) for every row of every block of columns.
template <class Store>
void combine(const BitForm& form, const BitPlanes& w, const BitPlanes& x, const isa::Instruction& instruction,
             const NumericOptions& options, const Store& store) {
  check_operands(form, w, x, instruction);
  const std::int64_t step = instruction.shape.k, columns = std::max(w.bits.cols(), x.bits.cols());
  const std::int64_t k = (columns + step - 1) / step * step;
  const std::int64_t rows = std::max<std::int64_t>(1, w.bits.rows());
  const std::int64_t block = std::max<std::int64_t>(64, block_sums / rows / x.planes);
  const PackedMatrix a = slice(w, 0, w.rows, k);
  const Combination combination(form, w, x, instruction.op);
  for (std::int64_t first = 0; first < x.rows; first += block) {
    const std::int64_t count = std::min(block, x.rows - first);
    const PackedMatrix counts = gemm(instruction, a, slice(x, first, count, k), nullptr, options);
#pragma omp parallel
    {
      std::vector<std::int32_t> sums(static_cast<std::size_t>(count));
#pragma omp for schedule(static)
      for (std::int64_t m = 0; m < w.rows; ++m) {
        combination.row(counts, m, first, sums);
        store(m, first, sums);
      }
    }
  }
}

}  // namespace

const isa::Instruction& bit_instruction(BitEncoding encoding, isa::Architecture architecture) {
  const isa::BitOp wanted = encoding == BitEncoding::bipolar ? isa::BitOp::xor_popc : isa::BitOp::and_popc;
  const isa::Instruction* best = nullptr;
  for (const auto& i : isa::instructions()) {
    if (i.family != isa::Family::mma || i.op == isa::BitOp::none) continue;
    if (isa::requirement(i).sm > isa::compute_capability(architecture)) continue;
    const bool better = best == nullptr || (i.op == best->op ? i.fma() > best->fma() : i.op == wanted);
    if (better) best = &i;
  }
  if (best == nullptr)
    fail("{} has no single-bit mma; w_p a_q products need turing or later", isa::name(architecture));
  return *best;
}

PackedMatrix arbitrary_gemm(const BitForm& form, const BitPlanes& w, const BitPlanes& x,
                            const isa::Instruction& instruction, const NumericOptions& options) {
  PackedMatrix d = PackedMatrix::unset(ElementType::s32, w.rows, x.rows);
  combine(form, w, x, instruction, options,
          [&](std::int64_t m, std::int64_t first, std::span<const std::int32_t> sums) {
            std::ranges::copy(sums, d.row_as<std::int32_t>(m) + first);
          });
  return d;
}

PackedMatrix arbitrary_conv2d(const BitForm& form, const ConvShape& shape, const BitPlanes& w,
                              const BitPlanes& x, const isa::Instruction& instruction,
                              const NumericOptions& options) {
  check_planes(x, form.activation_bits, "activations");
  if (form.encoding == BitEncoding::bipolar && shape.pad > 0)
    fail("convolution: bipolar activations have no 0 to pad with; use pad 0, or unsigned activations");
  if (w.rows != shape.gemm_m() || w.k != shape.gemm_k())
    fail("convolution: weights are {} x {}, but out_channels x r*s*c is {} x {}", w.rows, w.k, shape.gemm_m(),
         shape.gemm_k());
  ConvShape all_planes = shape;  // a plane is as a further batch of images
  all_planes.batch *= x.planes;
  const BitPlanes columns{im2col(all_planes, x.bits), x.planes, shape.gemm_n(), shape.gemm_k()};
  PackedMatrix d = PackedMatrix::unset(ElementType::s32, shape.gemm_n(), w.rows);
  combine(form, w, columns, instruction, options,
          [&](std::int64_t m, std::int64_t first, std::span<const std::int32_t> sums) {
            for (std::size_t n = 0; n < sums.size(); ++n)
              d.row_as<std::int32_t>(first + std::int64_t(n))[m] = sums[n];
          });
  return d;
}

}  // namespace twofour::emu
