#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace twofour::emu {

/// What the bits of weights W and activations X stand for in a w_p a_q product (APNN-TC, Feng et al., SC
/// 2021, arXiv 2106.12169). X is unsigned, 0 to 2^q - 1, unless both are bipolar.
enum class BitEncoding : std::uint8_t {
  unsigned_weights,  ///< 0 to 2^p - 1: sum of 2^(s+t) popc(W_s & X_t) over the planes s of W and t of X
  signed_weights,    ///< two's complement, -2^(p-1) to 2^(p-1) - 1: plane p - 1 counts -2^(p-1)
  bipolar_weights,   ///< -1 or +1, p = 1, bit 1 is +1: sum of 2^t (2 popc(w & X_t) - popc(X_t))
  bipolar            ///< W and X are -1 or +1, p = q = 1: K - 2 popc(w ^ x)
};
std::string_view name(BitEncoding encoding);
/// The encoding of that name; throws Error that lists the names.
BitEncoding parse_bit_encoding(std::string_view name);

/// A w_p a_q product: p-bit weights by q-bit activations, both 1 to 8.
struct BitForm {
  int weight_bits = 1, activation_bits = 1;
  BitEncoding encoding = BitEncoding::signed_weights;

  bool operator==(const BitForm&) const = default;
};

/// Values that an operand takes; a bipolar one has its two ends only.
struct ValueRange {
  int low = 0, high = 1;
  bool bipolar = false;

  bool contains(std::int64_t value) const {
    return bipolar ? value == low || value == high : low <= value && value <= high;
  }
};
ValueRange weight_range(const BitForm& form);
ValueRange activation_range(const BitForm& form);
/// "0 to 7", "-1 or 1".
std::string text(const ValueRange& range);

/// Throws Error for widths outside 1 to 8, bipolar weights of several bits and bipolar activations of several
/// bits; and, given k, for sums of k products that could leave 32 bits.
void check(const BitForm& form, std::int64_t k = 0);

/// The definition: the sum of the products, exact. Throws Error for operands of different lengths and values
/// that the form has not.
std::int64_t arbitrary_dot(const BitForm& form, std::span<const int> weights,
                           std::span<const int> activations);

/// Bits of "w2a3": p = 2, q = 3; nothing for other texts.
struct BitWidths {
  int weight = 1, activation = 1;
};
std::optional<BitWidths> parse_bit_widths(std::string_view text);

}  // namespace twofour::emu
