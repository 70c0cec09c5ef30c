#pragma once
// The inner kernels of the integer GEMM: one tile of D from packed panels. Private to emu/matrix.
#include <cstdint>

#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// One tile: D = base + row_offset + A B over `steps` steps of the packed operands, modulo 2^32.
struct IntegerTile {
  const std::uint32_t* a;           ///< panel of A, IntegerKernel::a_words a step
  const std::uint32_t* b;           ///< panel of B, IntegerKernel::b_words a step; 64-byte aligned
  std::int64_t steps;
  const std::uint32_t* row_offset;  ///< a number for each row of the tile
  const std::uint32_t* base;        ///< C, or D for another stretch of k; null for zeros
  std::int64_t base_stride;         ///< words
  std::uint32_t* d;
  std::int64_t d_stride;            ///< words
  int rows, columns;                ///< of the tile inside D
};

/// What the words of the packed operands hold.
enum class IntegerForm : std::uint8_t {
  bytes,  ///< four bytes, k ascending
  pairs,  ///< two 16-bit integers, k ascending
  bits    ///< 32 bits, k ascending
};

/// A kernel and the panels it reads: a step holds a word (32 bits of k) of `rows` rows and of `columns`
/// columns. A kernel for a compressed A (form bytes) covers eight columns of k in a step: two words of each
/// column of B, and for each two rows of A six words: four that select (gemm_integer_pack.h), one value word
/// a row.
struct IntegerKernel {
  IntegerForm form;
  bool compressed;
  int rows, columns;
  bool signed_a;  ///< form bytes: A is signed and B unsigned, or the other way round
  void (*run)(const IntegerTile&);

  int a_words() const { return compressed ? 3 * rows : rows; }
  int b_words() const { return compressed ? 2 * columns : columns; }
};

/// The kernels of the levels, for integers; vnni_kernel also for bits.
const IntegerKernel* vnni_kernel(const isa::Instruction& instruction);
extern const IntegerKernel avx512_pairs, avx2_pairs, portable_pairs;

}  // namespace twofour::emu
