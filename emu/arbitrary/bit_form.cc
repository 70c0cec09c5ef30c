#include "twofour/emu/arbitrary/bit_form.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr std::array<std::string_view, 4> names{"unsigned", "signed", "bipolar-weights", "bipolar"};
constexpr int most_bits = 8;

std::int64_t largest_magnitude(const ValueRange& range) {
  return std::max(std::abs(range.low), std::abs(range.high));
}

void require_values(const ValueRange& range, std::span<const int> values, std::string_view operand) {
  for (const int value : values)
    if (!range.contains(value)) fail("arbitrary_dot: {} {}; it takes {}", operand, value, text(range));
}

}  // namespace

std::string_view name(BitEncoding encoding) {
  return names[static_cast<std::size_t>(encoding)];
}

BitEncoding parse_bit_encoding(std::string_view wanted) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == wanted) return static_cast<BitEncoding>(i);
  fail("unknown encoding '{}'; known: unsigned, signed, bipolar-weights, bipolar", wanted);
}

ValueRange weight_range(const BitForm& form) {
  const int bits = form.weight_bits;
  switch (form.encoding) {
    case BitEncoding::unsigned_weights: return {0, (1 << bits) - 1};
    case BitEncoding::signed_weights: return {-(1 << (bits - 1)), (1 << (bits - 1)) - 1};
    case BitEncoding::bipolar_weights:
    case BitEncoding::bipolar: break;
  }
  return {-1, 1, true};
}

ValueRange activation_range(const BitForm& form) {
  if (form.encoding == BitEncoding::bipolar) return {-1, 1, true};
  return {0, (1 << form.activation_bits) - 1};
}

std::string text(const ValueRange& range) {
  return fmt::format("{} {} {}", range.low, range.bipolar ? "or" : "to", range.high);
}

void check(const BitForm& form, std::int64_t k) {
  const int p = form.weight_bits, q = form.activation_bits;
  if (std::min(p, q) < 1 || std::max(p, q) > most_bits)
    fail("w{}a{}: weights and activations take 1 to {} bits each", p, q, most_bits);
  const bool both = form.encoding == BitEncoding::bipolar;
  if ((both || form.encoding == BitEncoding::bipolar_weights) && (p != 1 || (both && q != 1)))
    fail("w{}a{}: encoding {} takes 1 bit of weights{}; use signed or unsigned for more", p, q,
         name(form.encoding), both ? " and 1 of activations" : "");
  const std::int64_t product =
      largest_magnitude(weight_range(form)) * largest_magnitude(activation_range(form));
  if (const std::int64_t most = std::numeric_limits<std::int32_t>::max() / product; k > most)
    fail("w{}a{}: sums of {} products could leave 32 bits; K may be {} at most: split it, or use fewer bits",
         p, q, k, most);
}

std::int64_t arbitrary_dot(const BitForm& form, std::span<const int> weights,
                           std::span<const int> activations) {
  check(form);
  if (weights.size() != activations.size())
    fail("arbitrary_dot: {} weights and {} activations; give as many of each", weights.size(),
         activations.size());
  require_values(weight_range(form), weights, "weight");
  require_values(activation_range(form), activations, "activation");
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) sum += std::int64_t(weights[k]) * activations[k];
  return sum;
}

std::optional<BitWidths> parse_bit_widths(std::string_view text) {
  const auto width = [&](std::size_t at) { return text[at] - '0'; };
  const auto legal = [&](std::size_t at) { return width(at) >= 1 && width(at) <= most_bits; };
  if (text.size() != 4 || text[0] != 'w' || text[2] != 'a' || !legal(1) || !legal(3)) return {};
  return BitWidths{width(1), width(3)};
}

}  // namespace twofour::emu
