#pragma once
// Slow, independent answers for the tests, in exact big-integer arithmetic. They share no code with emu/, and
// isa/ only names things: formats and parameters are stated again, from the published models that
// docs/numerics.md cites. Elements come and go as raw words.
#include <gmpxx.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "oracle_words.h"
#include "twofour/isa/architecture.h"
#include "twofour/isa/instruction.h"

namespace twofour::oracle {

using Words = std::span<const std::uint64_t>;

/// A binary floating-point format in a register word: sign, exponent field, fraction, and below these
/// `unread` low bits that are ignored (and written as zeros).
struct Format {
  int exponent_bits, fraction_bits;
  int unread = 0;
  bool infinities = true;  ///< false: the top exponent holds numbers, and all ones is NaN (e4m3)

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int min_exponent() const { return 1 - bias(); }
};
inline constexpr Format e4m3{4, 3, 0, false}, e5m2{5, 2}, f16{5, 10}, bf16{8, 7}, tf32{8, 10, 13}, f32{8, 23},
    e8m13{8, 13, 10}, f64{11, 52};

/// The format of a float element type, by its name ("f16", "e4m3").
Format format(std::string_view element_name);

/// integer * 2^lsb.
struct Exact {
  mpz_class integer;
  int lsb;
};

enum class Kind { finite, infinite, nan };
/// What a word stands for. exponent is the raw one: zeros and subnormals have the smallest normal exponent.
struct Number {
  Kind kind;
  bool negative;
  Exact value;
  int exponent;
};
Number decode(const Format& format, std::uint64_t word);

enum class Direction { nearest_even, toward_zero, down, up };
/// What happens above the largest finite number: IEEE 754 keeps that number where the direction points back
/// to it; a Tensor Core that rounds toward zero gives an infinity.
enum class Overflow { ieee, infinity };
/// The word nearest to a value in a direction; a zero result has the sign of the value, or of `zero_negative`
/// if the value is zero itself.
std::uint64_t round(const Format& format, const Exact& value, Direction direction, Overflow overflow,
                    bool zero_negative = false);

/// How an architecture sums products of an input type: numerics of one block.
struct Parameters {
  int products, fraction_bits, zero_exponent;
  Format accumulator, result;
  Direction direction;
};
std::optional<Parameters> parameters(isa::Architecture architecture, std::string_view input,
                                     std::string_view accumulator);

/// One block: c + a . b, rounded once.
std::uint64_t block(const Format& a_format, const Format& b_format, const Parameters& p, Words a, Words b,
                    std::uint64_t c);

/// fma(a, b, c) of IEEE 754 in one format; every NaN result is the plain quiet NaN.
std::uint64_t fused_multiply_add(const Format& format, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                 Direction direction);

struct Options {
  isa::Architecture architecture = isa::Architecture::ampere;
  bool satfinite = false;
  Direction direction = Direction::nearest_even;  ///< of f64
};

/// The rows of the table that the oracle answers: mma and mma.sp, but for m8n8k4 of 16-bit types, which is laid
/// out by quad pairs.
std::vector<isa::Instruction> covered_rows();
/// Those of them that sm_80 has.
std::vector<isa::Instruction> sm_80_rows();

/// True if the architecture is known to compute the instruction.
bool knows(const isa::Instruction& i, isa::Architecture architecture);
/// Ampere, or else the first architecture that is known to compute it.
isa::Architecture home(const isa::Instruction& i);

/// c + a . b as the instruction computes it (which must be known).
std::uint64_t dot(const isa::Instruction& i, Words a, Words b, std::uint64_t c, const Options& options = {});

/// Equal words, or two NaN where the payload is not defined (f64).
bool same(isa::ElementType type, std::uint64_t x, std::uint64_t y);

}  // namespace twofour::oracle
