#pragma once
// Floating point from rational numbers: exact values, one rounding.
#include <gmpxx.h>

#include <cstdint>

namespace alu_test {

/// A binary format of IEEE 754.
struct Format {
  int fraction, width;
  std::uint64_t nan;  ///< word of results
  int bias() const { return (1 << (width - fraction - 2)) - 1; }
  std::uint64_t infinity() const { return ((std::uint64_t(1) << (width - fraction - 1)) - 1) << fraction; }
  std::uint64_t sign() const { return std::uint64_t(1) << (width - 1); }
};
inline constexpr Format f16{10, 16, 0x7fff}, bf16{7, 16, 0x7fff}, f32{23, 32, 0x7fffffff},
    f64{52, 64, 0xfff8000000000000};

bool is_nan(const Format& f, std::uint64_t word);
bool is_infinite(const Format& f, std::uint64_t word);
/// Of a finite word.
mpq_class value(const Format& f, std::uint64_t word);
/// 2^e.
mpq_class power(int e);

/// The word of a number that is not zero, rounded: 'n' to nearest even, 'a' to nearest with ties away, 'z',
/// 'm' down, 'p' up.
std::uint64_t rounded(const Format& f, const mpq_class& x, char mode);
/// The same, of zero too: its sign bit is `zero`.
std::uint64_t rounded(const Format& f, const mpq_class& x, char mode, std::uint64_t zero);

std::uint64_t sum(const Format& f, std::uint64_t a, std::uint64_t b, char mode);
std::uint64_t product(const Format& f, std::uint64_t a, std::uint64_t b, char mode);
std::uint64_t product_sum(const Format& f, std::uint64_t a, std::uint64_t b, std::uint64_t c, char mode);
std::uint64_t quotient(const Format& f, std::uint64_t a, std::uint64_t b, char mode);
std::uint64_t square_root(const Format& f, std::uint64_t a, char mode);

/// To a zero of the same sign if subnormal.
std::uint64_t flushed(const Format& f, std::uint64_t word);
/// To [0, 1]; NaN and -0 to +0.
std::uint64_t saturated(const Format& f, std::uint64_t word);

}  // namespace alu_test
