#pragma once
// The inner kernels of the integer GEMM: one tile of D from packed panels. Private to emu/matrix.
#include <cstdint>

#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// One tile: D = base + row_offset + A B over `steps` steps of the packed operands, modulo 2^32.
struct IntegerTile {
  const std::uint32_t* a;  ///< panel of A, IntegerKernel::a_words a step
  const std::uint32_t* b;  ///< panel of B, IntegerKernel::b_words a step; 64-byte aligned
  std::int64_t steps;
  const std::uint32_t* row_offset;  ///< a number for each row of the tile
  const std::uint32_t* base;        ///< C, or D for another stretch of k; null for zeros
  std::int64_t base_stride;         ///< words
  std::uint32_t* d;
  std::int64_t d_stride;  ///< words
  int rows, columns;      ///< of the tile inside D
};

/// What the words of the packed operands hold.
enum class IntegerForm : std::uint8_t {
  bytes,  ///< four bytes, k ascending
  pairs,  ///< two 16-bit integers, k ascending
  bits    ///< 32 bits, k ascending
};

/// A kernel and the panels it reads. A step of k is one word of each row of A and each column of B. For a
/// compressed A (form bytes) it is eight columns of k: two words of each column of B, and two words of each
/// row of A (pack_compressed).
struct IntegerKernel {
  IntegerForm form;
  int rows, columns;     ///< of a tile of D
  int a_words, b_words;  ///< of a step of a tile
  bool signed_a;         ///< form bytes: A is signed and B unsigned, or the other way round
  void (*run)(const IntegerTile&);

  bool compressed() const { return a_words > rows; }
};

/// The kernels of the levels, for integers; vnni_kernel also for bits.
const IntegerKernel* vnni_kernel(const isa::Instruction& instruction);
extern const IntegerKernel avx512_pairs, avx2_pairs, portable_pairs;

}  // namespace twofour::emu
