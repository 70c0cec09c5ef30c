#include "twofour/emu/kernel/epilogue.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "twofour/emu/kernel/canonical_nan.h"
#include "twofour/emu/numerics/half.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// Value of an f32, f16, bf16 or s32 word as f32, to the nearest.
float to_float(ElementType type, std::uint64_t word) {
  switch (type) {
    case ElementType::f16: return half_to_float(std::uint32_t(word));
    case ElementType::bf16: return std::bit_cast<float>(std::uint32_t(word) << 16);
    case ElementType::s32: return float(std::int32_t(word));
    default: return std::bit_cast<float>(std::uint32_t(word));
  }
}

struct Range {
  int low, high;
};
Range range_of(ElementType type) {
  switch (type) {
    case ElementType::s8: return {-128, 127};
    case ElementType::u8: return {0, 255};
    case ElementType::s4: return {-8, 7};
    case ElementType::u4: return {0, 15};
    default: return {0, 1};
  }
}

std::uint64_t from_float(ElementType type, float y) {
  if (type == ElementType::f32) return canonical_word(y);
  if (type == ElementType::f16) return float_to_half(y);
  if (type == ElementType::bf16) {
    if (std::isnan(y)) return 0x7fff;
    const auto word = std::bit_cast<std::uint32_t>(y);
    return (word + 0x7fff + (word >> 16 & 1)) >> 16;
  }
  const Range r = range_of(type);
  const double nearest = std::isnan(y) ? 0 : std::nearbyint(double(y));
  const auto q = std::int64_t(std::clamp(nearest, double(r.low), double(r.high)));
  return std::uint64_t(q) & ((std::uint64_t(1) << isa::bits(type)) - 1);
}

class Definition {
 public:
  Definition(const Epilogue& e, const EpilogueOperands& x) : e_(e), x_(x) {}

  std::uint64_t element(ElementType sum_type, std::uint64_t sum, std::int64_t row,
                        std::int64_t column) const {
    const auto channel = std::size_t(e_.channel_is_row ? row : column);
    if (e_.output == ElementType::f64) return sum;
    if (e_.fixed_point) return fixed_point_element(std::int32_t(sum), channel, row, column);
    if (e_.output == ElementType::s32) return integer_element(std::uint32_t(sum), channel, row, column);
    if (!e_.scale && !e_.bias && !e_.residual && !e_.relu && e_.output == sum_type) return sum;
    float y = to_float(sum_type, sum);
    if (e_.scale)
      y = e_.bias ? std::fma(y, as_float(x_.scale[channel]), as_float(x_.bias[channel]))
                  : y * as_float(x_.scale[channel]);
    else if (e_.bias)
      y += as_float(x_.bias[channel]);
    if (e_.residual) y += to_float(x_.residual->type(), residual(row, column));
    if (e_.relu) y = y > 0 ? y : 0;
    return from_float(e_.output, y);
  }

 private:
  static float as_float(std::uint32_t word) { return std::bit_cast<float>(word); }

  std::uint64_t integer_element(std::uint32_t y, std::size_t channel, std::int64_t row,
                                std::int64_t column) const {
    if (e_.bias) y += x_.bias[channel];
    if (e_.residual) y += std::uint32_t(residual(row, column));
    return e_.relu && std::int32_t(y) < 0 ? 0 : y;
  }

  std::uint64_t fixed_point_element(std::int64_t sum, std::size_t channel, std::int64_t row,
                                    std::int64_t column) const {
    const auto signed_word = [](std::uint64_t word) { return std::int64_t(std::int32_t(word)); };
    const std::uint32_t shift = x_.scale[x_.scale.size() / 2 + channel];
    std::int64_t y = (sum * signed_word(x_.scale[channel]) + (std::int64_t(1) << (shift - 1))) >> shift;
    if (e_.bias) y += signed_word(x_.bias[channel]);
    if (e_.residual) y += signed_word(residual(row, column));
    if (e_.relu) y = std::max<std::int64_t>(y, 0);
    return std::uint32_t(std::clamp<std::int64_t>(y, INT32_MIN, INT32_MAX));
  }

  std::uint64_t residual(std::int64_t row, std::int64_t column) const {
    return e_.transposed ? x_.residual->bits(column, row) : x_.residual->bits(row, column);
  }

  const Epilogue& e_;
  const EpilogueOperands& x_;
};

}  // namespace

PackedMatrix apply_epilogue(const Epilogue& e, const PackedMatrix& sums, const EpilogueOperands& operands) {
  const Definition definition(e, operands);
  PackedMatrix d(e.output, e.transposed ? sums.cols() : sums.rows(),
                 e.transposed ? sums.rows() : sums.cols());
  for (std::int64_t row = 0; row < sums.rows(); ++row)
    for (std::int64_t column = 0; column < sums.cols(); ++column) {
      const std::uint64_t word = definition.element(sums.type(), sums.bits(row, column), row, column);
      e.transposed ? d.set_bits(column, row, word) : d.set_bits(row, column, word);
    }
  return d;
}

}  // namespace twofour::emu
