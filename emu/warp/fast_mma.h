#pragma once
// mma and mma.sp from registers to registers without the scalar definition, which they equal bit for bit.
// Private to emu/warp.
#include <algorithm>

#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// Sets what is fast about a prepared mma; leaves `fast` empty for the quad pair, fp8, and f64 of
/// 16 rows or not to nearest.
void find_fast_mma(PreparedMma& p);

/// Sets d and returns true, or returns false: the instruction or these operands (NaN, infinities, exponents
/// too far apart) need the scalar definition.
bool fast_mma(const PreparedMma& p, const MmaOperands& operands, Fragment& d);

/// Copies of the registers.
MmaOperands operands_of(const PreparedMma& p, const MmaRegisters& registers);
void put_registers(const PreparedMma& p, const Fragment& d, const MmaRegisters& registers);

/// No register of D is null.
inline bool wants_all(const PreparedMma& p, const MmaRegisters& r) {
  return std::find(r.d.begin(), r.d.begin() + p.d_registers, nullptr) == r.d.begin() + p.d_registers;
}

/// f64; integers and single bits. They take A and B from the registers.
bool fast_double_mma(const PreparedMma& p, const std::byte*, const std::byte*, const MmaRegisters& registers);
bool fast_integer_mma(const PreparedMma& p, const std::byte*, const std::byte*,
                      const MmaRegisters& registers);
/// mma.m8n8k4 of f64 on registers of 64 bits a lane; its `multiply` is null without AVX-512.
FastMma wide_double_mma();
/// f16, bf16 and tf32 inputs.
FastMma fast_float_mma();

}  // namespace twofour::emu
