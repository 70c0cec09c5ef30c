#pragma once
#include "twofour/isa/instruction.h"

namespace twofour::isa {

/// A place in an operand's tile. A: (row, stored k). B: (k, column n). C and D: (row, column).
struct Coordinate {
  int row, col;
  constexpr bool operator==(const Coordinate&) const = default;
};

enum class Operand : std::uint8_t { a, b, c, d };

/// Element type and tile size of an operand as registers hold it (A of a sparse instruction: its kept half).
constexpr ElementType element(const Instruction& i, Operand o) {
  switch (o) {
    case Operand::a: return i.a;
    case Operand::b: return i.b;
    case Operand::c: return i.c;
    case Operand::d: return i.d;
  }
  return i.d;
}
constexpr Shape tile(const Instruction& i, Operand o) {
  switch (o) {
    case Operand::a: return {i.shape.m, i.stored_k(), 0};
    case Operand::b: return {i.shape.k, i.shape.n, 0};
    default: return {i.shape.m, i.shape.n, 0};
  }
}
/// Elements of an operand that one lane holds.
constexpr int elements_per_lane(const Instruction& i, Operand o) {
  const Shape t = tile(i, o);
  return t.m * t.n / 32;
}

/// Where element `index` of a lane lies in the operand's tile. Element `index` sits in the lane's registers
/// at bit index * bits(type), little end first. The rule of every sm_80 mma but m8n8k4.f16 (PTX
/// ISA 9.1, 9.7.14; equal to CuTe's 189 sm_80 layouts): with g = lane / 4, t = lane % 4 and E elements a
/// 32-bit register (f64: one in a 64-bit register),
///   A  register r: row g + 8 (r & 1), k = 4E (r >> 1) + E t + e   (m8 shapes: row g, k = E t + e)
///   B  register r: k = 4E r + E t + e, column g
///   C  element i:  row g + 8 (i >> 1), column 2t + (i & 1)
constexpr Coordinate coordinate(const Instruction& i, Operand o, int lane, int index) {
  const int g = lane >> 2, t = lane & 3;
  if (o == Operand::c || o == Operand::d) return {g + 8 * (index >> 1), 2 * t + (index & 1)};
  const int width = bits(element(i, o));
  const int per_register = width >= 32 ? 1 : 32 / width;
  const int r = index / per_register, e = index % per_register;
  if (o == Operand::b) return {4 * per_register * r + per_register * t + e, g};
  const int row_blocks = i.shape.m / 8;
  return {g + 8 * (r % row_blocks), 4 * per_register * (r / row_blocks) + per_register * t + e};
}

/// True if the lanes' elements cover the operand's tile exactly once.
constexpr bool is_bijective(const Instruction& i, Operand o) {
  const Shape t = tile(i, o);
  bool seen[16 * 256] = {};
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < elements_per_lane(i, o); ++index) {
      const Coordinate at = coordinate(i, o, lane, index);
      if (at.row < 0 || at.row >= t.m || at.col < 0 || at.col >= t.n) return false;
      bool& here = seen[at.row * t.n + at.col];
      if (here) return false;
      here = true;
    }
  return true;
}

}  // namespace twofour::isa
