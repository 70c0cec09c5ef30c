#pragma once
#include "twofour/isa/instruction.h"
#include "twofour/isa/lowering.h"

namespace twofour::isa {

/// A place in an operand's tile. A: (row, stored k). B: (k, column n). C and D: (row, column). The quad-pair
/// instruction stacks its four products: product q has rows 8q.. of A, C and D, and columns 8q.. of B.
struct Coordinate {
  int row, col;
  constexpr bool operator==(const Coordinate&) const = default;
};

/// Whether a lane holds a fragment of the operand: all four of an instruction that multiplies, the moved one
/// of wmma.load and wmma.store.
constexpr bool has_fragment(const Instruction& i, Operand o) {
  const bool moves = i.family == Family::wmma_load || i.family == Family::wmma_store;
  return i.multiplies() || (moves && i.moved == o);
}

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
    case Operand::a: return {i.products() * i.shape.m, i.stored_k(), 0};
    case Operand::b: return {i.shape.k, i.products() * i.shape.n, 0};
    default: return {i.products() * i.shape.m, i.shape.n, 0};
  }
}

constexpr bool is_wmma(const Instruction& i) {
  return i.family == Family::wmma_load || i.family == Family::wmma_store || i.family == Family::wmma_mma;
}

/// Elements of an operand that one lane holds. wmma fragments of f16 A and B always fill eight registers: the
/// elements repeat.
constexpr int elements_per_lane(const Instruction& i, Operand o) {
  if (is_wmma(i) && (o == Operand::a || o == Operand::b) && element(i, o) == ElementType::f16) return 16;
  const Shape t = tile(i, o);
  return t.m * t.n / 32;
}

namespace detail {

constexpr Coordinate transpose(Coordinate at) {
  return {at.col, at.row};
}

// g = lane / 4, t = lane % 4, E elements a 32-bit register (f64: one in a 64-bit register).
constexpr Coordinate mma_coordinate(const Instruction& i, Operand o, int lane, int index) {
  const int g = lane >> 2, t = lane & 3;
  if (o == Operand::c || o == Operand::d) return {g + 8 * (index >> 1), 2 * t + (index & 1)};
  const int width = bits(element(i, o));
  const int per_register = width >= 32 ? 1 : 32 / width;
  const int r = index / per_register, e = index % per_register;
  if (o == Operand::b) return {4 * per_register * r + per_register * t + e, g};
  const int row_blocks = i.shape.m / 8;
  return {g + 8 * (r % row_blocks), 4 * per_register * (r / row_blocks) + per_register * t + e};
}

// Quad q holds product q: lanes 4q.. (high = 0) and 16 + 4q.. (high = 1).
constexpr Coordinate quad_pair_coordinate(const Instruction& i, Operand o, int lane, int index) {
  const int q = lane >> 2 & 3, high = lane >> 4, l = lane & 3;
  const int across = l + 4 * high, along = index + 4 * high;
  switch (o) {
    case Operand::a:
      return i.a_major == Major::row ? Coordinate{8 * q + across, index} : Coordinate{8 * q + along, l};
    case Operand::b:
      return i.b_major == Major::col ? Coordinate{index, 8 * q + across} : Coordinate{l, 8 * q + along};
    default: break;
  }
  if (element(i, o) == ElementType::f16) return {8 * q + across, index};
  return {8 * q + (l & 1) + (index & 2) + 4 * high, (index & 4) + (l & 2) + (index & 1)};
}

/// Fragment layout of the Tensor Core instruction that a wmma shape lowers to, over the whole k.
constexpr Instruction wmma_step(const Instruction& i) {
  Instruction step = lowering(i).step;
  step.shape.k = i.shape.k;
  return step;
}

constexpr Coordinate wmma_coordinate(const Instruction& i, Operand o, int lane, int index) {
  const Lowering low = lowering(i);
  const Instruction step = wmma_step(i);
  const Shape whole = tile(i, o);
  index %= whole.m * whole.n / 32;
  Operand held = o;
  if (low.transposed && o == Operand::a) held = Operand::b;
  if (low.transposed && o == Operand::b) held = Operand::a;
  const Shape part = tile(step, held);
  const int in_block = part.m * part.n / 32, block = index / in_block;
  Coordinate at = mma_coordinate(step, held, lane, index % in_block);
  if (held == Operand::b)
    at.col += 8 * block;
  else if (held == Operand::a || i.shape.m == 32 || low.transposed)
    at.row += 16 * block;
  else
    at.col += 8 * block;
  return low.transposed ? transpose(at) : at;
}

}  // namespace detail

/// Where element `index` of a lane lies in the operand's tile. Element `index` sits in the lane's registers
/// at bit index * bits(type), little end first. The rule of the Tensor Core's instructions (PTX
/// ISA 9.1, 9.7.14; equal to CuTe's 189 sm_80 layouts): with g = lane / 4, t = lane % 4 and E elements a
/// 32-bit register (f64: one in a 64-bit register),
///   A  register r: row g + 8 (r & 1), k = 4E (r >> 1) + E t + e   (m8 shapes: row g, k = E t + e)
///   B  register r: k = 4E r + E t + e, column g
///   C  element i:  row g + 8 (i >> 1), column 2t + (i & 1)
/// wmma fragments, which PTX leaves open, are those of the instructions they lower to, one after the other
/// (read off the machine code of ptxas 13.0.88). The quad-pair instruction has its own rule (PTX ISA 9.1,
/// 9.7.14.5.1).
constexpr Coordinate coordinate(const Instruction& i, Operand o, int lane, int index) {
  if (is_wmma(i)) return detail::wmma_coordinate(i, o, lane, index);
  if (i.is_quad_pair()) return detail::quad_pair_coordinate(i, o, lane, index);
  return detail::mma_coordinate(i, o, lane, index);
}

/// True if the lanes' elements cover the operand's tile, each place as often as any other: once, or as often
/// as a wmma fragment repeats it.
constexpr bool is_bijective(const Instruction& i, Operand o) {
  const Shape t = tile(i, o);
  const int repeats = 32 * elements_per_lane(i, o) / (t.m * t.n);
  int seen[16 * 256] = {};
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < elements_per_lane(i, o); ++index) {
      const Coordinate at = coordinate(i, o, lane, index);
      if (at.row < 0 || at.row >= t.m || at.col < 0 || at.col >= t.n) return false;
      if (++seen[at.row * t.n + at.col] > repeats) return false;
    }
  return true;
}

}  // namespace twofour::isa
