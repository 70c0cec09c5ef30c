// Float GEMM in the tensor core's fixed-point window, sixteen columns at a time in 32-bit integers. Whatever
// the window arithmetic here does not cover (NaN, infinities, subnormal or overflowing results, wider
// windows) goes to the scalar definition.
#include <algorithm>
#include <bit>
#include <vector>

#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::emu {
namespace {

constexpr int lanes = 16;        // columns of D computed together
constexpr int max_products = 8;  // of a block that fits 32-bit sums
constexpr int window_bits = 24;  // F of such a block

/// A finite operand element: signed significand with `fraction` fraction bits, and raw exponent.
struct Element {
  std::int32_t significand, exponent;
};

/// What the window arithmetic needs of an input type: words are shifted right to drop bits that are always
/// zero (tf32: 13).
struct InputFormat {
  isa::ElementType type;
  FloatFormat format;
  int dropped;
  int fraction() const { return format.fraction_bits - dropped; }
};

InputFormat input_format(isa::ElementType type) {
  return {type, float_format(type), type == isa::ElementType::tf32 ? 13 : 0};
}

bool is_special(const InputFormat& in, std::uint32_t word) {
  return in.format.is_nan(word) || in.format.is_infinite(word);
}

Element take_apart(const InputFormat& in, std::uint32_t word) {
  const Decoded d = decode(in.format, word);
  const auto significand = std::int32_t(d.significand >> in.dropped);
  return {d.negative ? -significand : significand, d.exponent};
}

/// Sixteen columns of B, k-major: element (k, lane) at k * lanes + lane.
struct Panel {
  std::vector<std::int32_t> significand, exponent;
  bool special = false;
};

Panel make_panel(const InputFormat& in, const PackedMatrix& b, std::int64_t first_col) {
  const std::int64_t k_count = b.cols();
  Panel panel{std::vector<std::int32_t>(std::size_t(k_count * lanes)),
              std::vector<std::int32_t>(std::size_t(k_count * lanes)), false};
  for (int lane = 0; lane < lanes && first_col + lane < b.rows(); ++lane)
    for (std::int64_t k = 0; k < k_count; ++k) {
      const std::uint32_t word = operand_word(in.type, std::uint32_t(b.bits(first_col + lane, k)));
      panel.special |= is_special(in, word);
      const Element e = take_apart(in, word);
      panel.significand[std::size_t(k * lanes + lane)] = e.significand;
      panel.exponent[std::size_t(k * lanes + lane)] = e.exponent;
    }
  return panel;
}

/// All of A taken apart, row-major; special[row] says that the row holds a NaN or an infinity.
struct Rows {
  std::vector<Element> element;
  std::vector<char> special;
};

Rows take_rows(const InputFormat& in, const PackedMatrix& a) {
  Rows rows{std::vector<Element>(std::size_t(a.rows() * a.cols())), std::vector<char>(std::size_t(a.rows()))};
#pragma omp parallel for schedule(static)
  for (std::int64_t r = 0; r < a.rows(); ++r)
    for (std::int64_t k = 0; k < a.cols(); ++k) {
      const std::uint32_t word = operand_word(in.type, std::uint32_t(a.bits(r, k)));
      rows.special[std::size_t(r)] |= char(is_special(in, word));
      rows.element[std::size_t(r * a.cols() + k)] = take_apart(in, word);
    }
  return rows;
}

/// One block for sixteen columns. `acc` holds f32 words; slow[lane] becomes non-zero where the result is not
/// a normal number or zero, or the accumulator was special: there acc is left as it was.
struct BlockArguments {
  const Element* a;             // `count` elements
  const std::int32_t* columns;  // their rows in the panel
  const std::int32_t *significand, *exponent;
  int count, shift, zero_exponent;
};

TWOFOUR_ALWAYS_INLINE void window_body(const BlockArguments& g, std::uint32_t* acc, std::int32_t* slow) {
  std::int32_t product[max_products][lanes], exponent[max_products][lanes], emax[lanes], sum[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const std::uint32_t word = acc[lane];
    const auto field = std::int32_t(word >> 23 & 0xff);
    const std::int32_t raw = std::max(field, 1) - 127;
    emax[lane] = (word << 1) == 0 ? g.zero_exponent : raw;
    slow[lane] = field == 0xff;
  }
  for (int l = 0; l < g.count; ++l) {
    const std::int32_t* sb = g.significand + std::int64_t(g.columns[l]) * lanes;
    const std::int32_t* eb = g.exponent + std::int64_t(g.columns[l]) * lanes;
    const Element a = g.a[l];
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int32_t p = a.significand * sb[lane];
      const std::int32_t e = p == 0 ? g.zero_exponent : a.exponent + eb[lane];
      product[l][lane] = p;
      exponent[l][lane] = e;
      emax[lane] = std::max(emax[lane], e);
    }
  }
  for (int lane = 0; lane < lanes; ++lane) {
    const std::uint32_t word = acc[lane];
    const auto field = std::int32_t(word >> 23 & 0xff);
    const std::int32_t raw = std::max(field, 1) - 127;
    const std::int32_t significand = std::int32_t(word & 0x7fffff) | (field != 0 ? 0x800000 : 0);
    const std::int32_t magnitude =
        (significand << (window_bits - 23)) >> std::min(emax[lane] - std::min(raw, emax[lane]), 31);
    sum[lane] = std::int32_t(word) < 0 ? -magnitude : magnitude;
  }
  for (int l = 0; l < g.count; ++l)
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int32_t p = product[l][lane];
      const std::int32_t magnitude = (std::abs(p) << g.shift) >> std::min(emax[lane] - exponent[l][lane], 31);
      sum[lane] += p < 0 ? -magnitude : magnitude;
    }
  for (int lane = 0; lane < lanes; ++lane) {
    // A double holds the sum exactly; its upper fraction bits are the sum truncated to 24 significant bits.
    const auto wide = std::bit_cast<std::uint64_t>(double(std::abs(sum[lane])));
    const auto top = std::int32_t((wide >> 29) - (std::uint64_t(1023 - 127) << 23));
    const std::int32_t scaled_field = (top >> 23) + emax[lane] - window_bits;
    const bool outside = sum[lane] != 0 && (scaled_field < 1 || scaled_field > 254);
    slow[lane] |= outside;
    const std::uint32_t normal = (std::uint32_t(scaled_field) << 23) | (std::uint32_t(top) & 0x7fffff) |
                                 (std::uint32_t(sum[lane]) & 0x80000000u);
    const std::uint32_t result = sum[lane] == 0 ? 0 : normal;
    acc[lane] = slow[lane] ? acc[lane] : result;
  }
}
TWOFOUR_SIMD_VARIANTS(window, (const BlockArguments& g, std::uint32_t* acc, std::int32_t* slow),
                      window_body(g, acc, slow))

/// The lanes that the window left, by the scalar definition.
void finish_slow_lanes(const GemmTask& task, const isa::BlockRule& rule, std::int64_t row, std::int64_t k0,
                       int count, const std::int32_t* columns, std::int64_t first_col,
                       const std::int32_t* slow, std::uint32_t* acc) {
  for (int lane = 0; lane < lanes && first_col + lane < task.b.rows(); ++lane) {
    if (!slow[lane]) continue;
    std::uint32_t x[max_products], y[max_products];
    for (int l = 0; l < count; ++l) {
      x[l] = std::uint32_t(task.a.bits(row, k0 + l));
      y[l] = std::uint32_t(task.b.bits(first_col + lane, columns[l]));
    }
    const auto n = std::size_t(count);
    acc[lane] = block_dot({task.instruction.a, task.instruction.b, task.instruction.d}, rule, {x, n}, {y, n},
                          acc[lane]);
  }
}

struct Context {
  const GemmTask& task;
  const isa::BlockRule& rule;
  InputFormat in;
  Rows rows;
  std::vector<std::int32_t> identity;  // columns of a dense A
};

const std::int32_t* columns_of(const Context& x, std::int64_t row) {
  return x.task.columns.empty() ? x.identity.data() : x.task.columns.data() + row * x.task.a.cols();
}

void compute_row(const Context& x, const Panel& panel, std::int64_t row, std::int64_t first_col,
                 PackedMatrix& d) {
  const std::int64_t stored_k = x.task.a.cols(), width = std::min<std::int64_t>(lanes, d.cols() - first_col);
  std::uint32_t acc[lanes] = {};
  for (std::int64_t lane = 0; lane < width; ++lane)
    acc[lane] = std::uint32_t(x.task.c_word(row, first_col + lane));
  const int step = std::min(x.rule.products, x.task.instruction.stored_k());
  const std::int32_t* columns = columns_of(x, row);
  for (std::int64_t k0 = 0; k0 < stored_k; k0 += step) {
    std::int32_t slow[lanes];
    const BlockArguments g{x.rows.element.data() + row * stored_k + k0,
                           columns + k0,
                           panel.significand.data(),
                           panel.exponent.data(),
                           step,
                           window_bits - 2 * x.in.fraction(),
                           x.rule.zero_exponent};
    window(g, acc, slow);
    if (std::any_of(slow, slow + width, [](std::int32_t s) { return s != 0; }))
      finish_slow_lanes(x.task, x.rule, row, k0, step, columns + k0, first_col, slow, acc);
  }
  std::copy_n(acc, width, d.row_as<std::uint32_t>(row) + first_col);
}

bool fits_window(const isa::BlockRule& rule, isa::ElementType accumulator) {
  return accumulator == isa::ElementType::f32 && rule.fraction_bits == window_bits &&
         rule.products <= max_products && rule.rounding == isa::Rounding::toward_zero;
}

}  // namespace

void gemm_float(const GemmTask& task, PackedMatrix& d) {
  const isa::BlockRule& rule =
      isa::block_rule(task.options.architecture, task.instruction.a, task.instruction.d);
  const bool fast = fits_window(rule, task.instruction.d);
  Context x{task, rule, input_format(task.instruction.a), {}, {}};
  if (fast) x.rows = take_rows(x.in, task.a);
  for (std::int64_t k = 0; k < task.a.cols(); ++k) x.identity.push_back(std::int32_t(k));
  const std::int64_t panels = (d.cols() + lanes - 1) / lanes;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t first = p * lanes, last = std::min(d.cols(), first + lanes);
    const Panel panel = fast ? make_panel(x.in, task.b, first) : Panel{{}, {}, true};
    for (std::int64_t row = 0; row < d.rows(); ++row) {
      if (!panel.special && !x.rows.special[std::size_t(row)]) {
        compute_row(x, panel, row, first, d);
        continue;
      }
      for (std::int64_t col = first; col < last; ++col) d.set_bits(row, col, scalar_element(task, row, col));
    }
  }
}

}  // namespace twofour::emu
