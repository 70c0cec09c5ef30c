#pragma once
#include "twofour/isa/instruction.h"

namespace twofour::isa {

/// How ptxas lowers a wmma.mma to the Tensor Core's own instructions on sm_80: `step` executes once per block
/// and k step. Blocks lie along n, or along m where m is larger (m32n8k16). Where `transposed`, the Tensor
/// Core computes D^T = B^T A^T: B is its A operand. k steps chain: the result of one is the C of the next.
/// Source: machine code of ptxas 13.0.88 for sm_80, interpreted.
struct Lowering {
  Instruction step;
  int blocks, k_steps;
  bool transposed;
  /// c is widened to f32 first (c f16, d f32), or d rounded to f16 afterwards (c f32, d f16).
  bool widens_c, narrows_d;
};

constexpr Lowering lowering(const Instruction& i) {
  const bool tall = i.shape.m == 32, wide = i.shape.n == 32, square = i.shape.m == 16;
  const Shape shape = square || tall || wide ? Shape{16, 8, i.a == ElementType::tf32 ? 4 : 16} : i.shape;
  const bool mixed = i.c != i.d;
  const ElementType accumulator = mixed ? ElementType::f32 : i.d;
  const Instruction step{shape, i.a, i.b, accumulator, accumulator, Sparsity::dense, i.op};
  return {step, square || tall || wide ? 2 : 1,   i.shape.k / shape.k,
          wide, mixed && i.c == ElementType::f16, mixed && i.d == ElementType::f16};
}

}  // namespace twofour::isa
