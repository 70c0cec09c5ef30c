#pragma once
#include <cstdint>
#include <string_view>

#include "twofour/isa/element.h"

namespace twofour::emu {

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers from the same seed on every machine.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// One of low .. high, both included.
  int between(int low, int high);
  bool one_in(int n) { return between(1, n) == 1; }
  template <class T, std::size_t n>
  const T& pick(const T (&list)[n]) {
    return list[between(0, int(n) - 1)];
  }

 private:
  std::uint64_t state_;
};

/// The words of a float type, made from what they mean. Words of tf32 are in f32 form, low 13 bits zero.
class FloatWords {
 public:
  explicit FloatWords(isa::ElementType type);
  int min_exponent() const { return 2 - (1 << (exponent_bits_ - 1)); }  ///< of normal numbers
  int max_exponent() const { return max_exponent_; }
  int fraction_bits() const { return fraction_bits_; }

  std::uint64_t zero(bool negative) const { return sign(negative); }
  /// +-2^exponent * 1.fraction, where the fraction's top fraction_bits() bits count; a subnormal, truncated,
  /// below min_exponent(); exponents above max_exponent() become max_exponent().
  std::uint64_t number(bool negative, int exponent, std::uint64_t fraction = 0) const;
  std::uint64_t subnormal(bool negative, std::uint64_t fraction) const;  ///< in units of the smallest
  std::uint64_t max_finite(bool negative) const;
  std::uint64_t infinity(bool negative) const;  ///< e4m3 has none: its NaN
  /// Quiet, with random payload, or signalling.
  std::uint64_t nan(SplitMix64& random) const;
  /// +-, exponent from low .. high, random fraction.
  std::uint64_t any(SplitMix64& random, int low, int high) const;

 private:
  std::uint64_t sign(bool negative) const;

  int exponent_bits_, fraction_bits_, shift_, max_exponent_;
  bool has_infinity_;
};

}  // namespace twofour::emu
