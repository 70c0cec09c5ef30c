#pragma once
#include <span>
#include <string>
#include <string_view>

#include "twofour/isa/element.h"

namespace twofour::isa {

/// Tile of one instruction: D[m x n] = A[m x k] B[k x n] + C. k counts logical columns, kept or not.
struct Shape {
  int m, n, k;
  constexpr bool operator==(const Shape&) const = default;
};

/// The PTX instruction that a row belongs to.
enum class Family : std::uint8_t {
  mma,
  mma_sp,
  mma_sp_ordered,  ///< mma.sp::ordered_metadata: the same operation, fewer legal metadata codes
  wmma_load,
  wmma_store,
  wmma_mma,
  ldmatrix,
  movmatrix,
  cp_async
};
/// "mma", "mma.sp::ordered_metadata", "wmma.load", ...
std::string_view name(Family f);

/// How the A operand is compressed along k.
enum class Sparsity : std::uint8_t {
  dense,
  two_of_four,    ///< 2 of 4 elements (16- and 8-bit types)
  one_of_two,     ///< 1 of 2 elements (tf32)
  pairs_of_eight  ///< 2 of 4 pairs of elements (4-bit types)
};

/// Logical columns that one 4-bit metadata code covers (0 for dense).
constexpr int group_columns(Sparsity s) {
  switch (s) {
    case Sparsity::dense: return 0;
    case Sparsity::two_of_four: return 4;
    case Sparsity::one_of_two: return 2;
    case Sparsity::pairs_of_eight: return 8;
  }
  return 0;
}

/// The sparse form that the hardware defines for an A element type; dense where it defines none (b1, f64).
constexpr Sparsity sparse_form(ElementType a) {
  switch (a) {
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::s8:
    case ElementType::u8: return Sparsity::two_of_four;
    case ElementType::tf32: return Sparsity::one_of_two;
    case ElementType::s4:
    case ElementType::u4: return Sparsity::pairs_of_eight;
    default: return Sparsity::dense;
  }
}

enum class Rounding : std::uint8_t { toward_zero, nearest_even, downward, upward };

/// What a b1 instruction does with two bits before it counts the ones.
enum class BitOp : std::uint8_t { none, and_popc, xor_popc };

/// Order in which a matrix is stored, as PTX spells it.
enum class Major : std::uint8_t { row, col };

enum class Operand : std::uint8_t { a, b, c, d };
/// "a", "b", "c", "d".
std::string_view name(Operand o);

/// What a data movement row (ldmatrix, movmatrix, cp.async) moves.
struct Movement {
  int matrices = 0;            ///< ldmatrix, movmatrix: 8 x 8 matrices of b16, one register each
  bool transposed = false;     ///< ldmatrix .trans; movmatrix always
  std::string_view copy = {};  ///< cp.async: what follows "cp.async." and its operands that tell forms apart
  constexpr bool operator==(const Movement&) const = default;
};

/// One documented form of a matrix instruction. Everything else about it is a function of these fields.
struct Instruction {
  Shape shape;             ///< ldmatrix, movmatrix: m, n of one matrix; cp.async: zeros
  ElementType a, b, c, d;  ///< wmma.load and .store, ldmatrix, movmatrix: all four are the type that moves
  Sparsity sparsity = Sparsity::dense;
  BitOp op = BitOp::none;
  Family family = Family::mma;
  Major a_major = Major::row;  ///< of A; of the matrix in memory for wmma.load and wmma.store
  Major b_major = Major::col;
  Operand moved = Operand::d;  ///< wmma.load, wmma.store: the fragment
  Movement movement = {};

  constexpr bool operator==(const Instruction&) const = default;
  constexpr bool is_sparse() const { return sparsity != Sparsity::dense; }
  constexpr bool is_mma() const {
    return family == Family::mma || family == Family::mma_sp || family == Family::mma_sp_ordered;
  }
  /// It multiplies: mma of any kind, or wmma.mma.
  constexpr bool multiplies() const { return is_mma() || family == Family::wmma_mma; }
  /// mma.m8n8k4 with f16 inputs: four independent 8 x 8 x 4 products a warp. A Tensor Core instruction on
  /// Volta; ptxas lowers it to FP32 arithmetic for sm_80.
  constexpr bool is_quad_pair() const {
    return family == Family::mma && a == ElementType::f16 && shape == Shape{8, 8, 4};
  }
  /// Independent products that one execution computes (4 for the quad-pair instruction).
  constexpr int products() const { return is_quad_pair() ? 4 : 1; }
  /// One row of the Tensor Core's own instructions: what whole matrices are computed with, and what has an
  /// issue interval.
  constexpr bool is_tensor_core() const { return is_mma() && !is_quad_pair(); }
  /// Columns of A that are stored (k, or half of it).
  constexpr int stored_k() const { return is_sparse() ? shape.k / 2 : shape.k; }
  /// Metadata codes in a row of A (0 for dense).
  constexpr int groups() const { return is_sparse() ? shape.k / group_columns(sparsity) : 0; }
  /// Metadata selectors that PTX allows: 0 .. selectors()-1. A selector names the lanes of each quad that
  /// hold codes.
  constexpr int selectors() const { return is_sparse() ? 256 / (shape.m * groups()) : 0; }
  /// Multiply-adds of the whole tile, counted as if A were dense.
  constexpr int fma() const { return products() * shape.m * shape.n * shape.k; }
  /// The instruction takes .satfinite (integers, not single bits).
  constexpr bool has_satfinite() const {
    return multiplies() && d == ElementType::s32 && a != ElementType::b1;
  }
  /// It takes a rounding mode: .rn .rz .rm .rp.
  constexpr bool has_rounding() const { return multiplies() && a == ElementType::f64; }
};

/// Every documented form on sm_80, and the fp8 mma of sm_89, one row each: the single table that execution,
/// timing, commands and documentation read. Rows of a family are neighbours.
std::span<const Instruction> instructions();

/// 32-bit registers that a lane holds of an operand; 0 if the row has no such operand. wmma fragments of f16
/// A and B fill eight registers whatever their size: they repeat their elements (isa/layout.h).
int registers(const Instruction& i, Operand o);

/// "mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32"; b1 adds ".and.popc" or ".xor.popc". What tells two
/// cp.async forms apart but is an operand follows a space: "cp.async.ca.shared.global 16".
std::string ptx_name(const Instruction& i);
/// The PTX name without what goes without saying: "m16n8k8.f32.f16.f16.f32", "sp.m16n8k32.f32.f16.f16.f32",
/// "m16n8k256.s32.b1.b1.s32.xor", "wmma.mma.row.col.m16n16k16.f32.f16", "ldmatrix.m8n8.x4.trans.shared.b16".
std::string short_name(const Instruction& i);
/// What ptxas emits for sm_80: "HMMA.SP.16832.F32", "2x HMMA.16816.F32"; empty where it depends on the memory
/// operand (wmma.load, wmma.store).
std::string sass_name(const Instruction& i);

/// The row with that PTX or short name; throws Error that names close rows.
const Instruction& find_instruction(std::string_view name);

/// An instruction as a kernel writes it: the row and its qualifiers.
struct Spelling {
  const Instruction* instruction;
  bool satfinite = false;
  Rounding rounding = Rounding::nearest_even;
};
/// A PTX or short name with or without ".satfinite" (integers) and ".rn", ".rz", ".rm" or ".rp" (f64) among
/// its parts; operands that follow it are ignored. Throws Error for an unknown row and for a qualifier that
/// the row does not take.
Spelling parse_spelling(std::string_view text);

/// First compute capability (70: sm_70) and PTX ISA version (64: 6.4) that have the instruction.
/// Source: PTX ISA 9.1, 9.7.14 and 9.7.9.25, "Target ISA Notes" and "PTX ISA Notes".
struct Requirement {
  int sm, ptx;
};
Requirement requirement(const Instruction& i);

}  // namespace twofour::isa
