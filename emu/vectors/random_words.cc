#include "twofour/emu/vectors/random_words.h"

#include <algorithm>

namespace twofour::emu {

std::uint64_t SplitMix64::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

int SplitMix64::between(int low, int high) {
  const auto count = std::uint64_t(high - low) + 1;
  return low + int((next() >> 32) * count >> 32);
}

FloatWords::FloatWords(isa::ElementType type) : shift_(0), has_infinity_(type != isa::ElementType::e4m3) {
  const auto set = [&](int exponent_bits, int fraction_bits) {
    exponent_bits_ = exponent_bits;
    fraction_bits_ = fraction_bits;
  };
  switch (type) {
    case isa::ElementType::f16: set(5, 10); break;
    case isa::ElementType::bf16: set(8, 7); break;
    case isa::ElementType::tf32: set(8, 10), shift_ = 13; break;
    case isa::ElementType::f64: set(11, 52); break;
    case isa::ElementType::e4m3: set(4, 3); break;
    case isa::ElementType::e5m2: set(5, 2); break;
    default: set(8, 23); break;
  }
  max_exponent_ = (1 << (exponent_bits_ - 1)) - (has_infinity_ ? 1 : 0);
}

std::uint64_t FloatWords::sign(bool negative) const {
  return std::uint64_t(negative) << (exponent_bits_ + fraction_bits_ + shift_);
}

std::uint64_t FloatWords::number(bool negative, int exponent, std::uint64_t fraction) const {
  if (exponent >= max_exponent_ && !has_infinity_) fraction &= ~std::uint64_t(1);  // all ones are its NaN
  const std::uint64_t one = std::uint64_t(1) << fraction_bits_;
  const std::uint64_t significand = one | (fraction & (one - 1));
  const int below = min_exponent() - exponent;
  std::uint64_t magnitude = 0;
  if (below > 0)
    magnitude = below > fraction_bits_ ? 0 : significand >> below;
  else
    magnitude =
        significand + (std::uint64_t(std::min(exponent, max_exponent_) - min_exponent()) << fraction_bits_);
  return sign(negative) | magnitude << shift_;
}

std::uint64_t FloatWords::subnormal(bool negative, std::uint64_t fraction) const {
  return sign(negative) | (fraction & ((std::uint64_t(1) << fraction_bits_) - 1)) << shift_;
}

std::uint64_t FloatWords::max_finite(bool negative) const {
  return number(negative, max_exponent_, ~std::uint64_t(0));
}

std::uint64_t FloatWords::infinity(bool negative) const {
  const std::uint64_t exponent = (std::uint64_t(1) << exponent_bits_) - 1;
  const std::uint64_t fraction = has_infinity_ ? 0 : (std::uint64_t(1) << fraction_bits_) - 1;
  return sign(negative) | (exponent << fraction_bits_ | fraction) << shift_;
}

std::uint64_t FloatWords::nan(SplitMix64& random) const {
  const std::uint64_t top = std::uint64_t(1) << (fraction_bits_ - 1);
  const std::uint64_t bits = random.next(), payload = bits >> 8 & (top - 1);
  const std::uint64_t fraction = bits & 1 ? top | payload : payload | 1;
  return infinity((bits & 2) != 0) | (has_infinity_ ? fraction << shift_ : 0);
}

std::uint64_t FloatWords::any(SplitMix64& random, int low, int high) const {
  const int exponent = random.between(low, high);
  const std::uint64_t bits = random.next();
  return number(bits >> 63 != 0, exponent, bits);
}

}  // namespace twofour::emu
