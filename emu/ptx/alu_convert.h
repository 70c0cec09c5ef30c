#pragma once
// cvt between numbers: the scalar definition. Private to emu/ptx.
#include "twofour/emu/ptx/alu_number.h"

namespace twofour::emu::ptx {

/// cvt of one number. Registers may be wider than the types of integers.
struct Conversion {
  Type from, to;
  std::uint8_t from_bytes, to_bytes;  ///< of the registers
  Round mode;
  bool integral;         ///< float to float: to an integer, by `mode`
  bool ftz, sat, relu;
};

/// The word of the result for the word of a source. Integers wrap, with .sat they clamp; floats to integers
/// always clamp, and a NaN is 0, or the lowest signed number of the result's width from f64 or to 64 bits. A
/// result narrower than its register is extended as its type says.
/// Source: PTX ISA 9.0, 9.7.9.21 "cvt".
u64 convert(const Conversion& c, u64 word);

/// `convert` on all lanes.
void run_conversion(const Conversion& c, const AluCall& call);

/// A function for the conversion; null if there is none.
AluFunction conversion_function(const Conversion& c);
/// The same for common conversions, vectorised; null for others.
AluFunction fast_conversion(const Conversion& c);

bool is_float(Type type);
bool is_signed(Type type);

}  // namespace twofour::emu::ptx
