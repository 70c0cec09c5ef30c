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

/// What a b1 instruction does with two bits before it counts the ones.
enum class BitOp : std::uint8_t { none, and_popc, xor_popc };

/// How well an answer is known.
enum class Fidelity : std::uint8_t {
  hardware,  ///< agrees with published words of real hardware
  defined,   ///< exact by the ISA: integers, single-bit, f64
  inferred   ///< a rule that nobody has measured
};
std::string_view name(Fidelity f);

/// One matrix instruction of sm_80. Everything else about it is a function of these fields.
struct Instruction {
  Shape shape;
  ElementType a, b, c, d;
  Sparsity sparsity = Sparsity::dense;
  BitOp op = BitOp::none;

  constexpr bool operator==(const Instruction&) const = default;
  constexpr bool is_sparse() const { return sparsity != Sparsity::dense; }
  /// Columns of A that are stored (k, or half of it).
  constexpr int stored_k() const { return is_sparse() ? shape.k / 2 : shape.k; }
  /// Metadata codes in a row of A (0 for dense).
  constexpr int groups() const { return is_sparse() ? shape.k / group_columns(sparsity) : 0; }
  /// Metadata selectors that PTX allows: 0 .. selectors()-1. A selector names the lanes of each quad that
  /// hold codes.
  constexpr int selectors() const { return is_sparse() ? 256 / (shape.m * groups()) : 0; }
  /// Multiply-adds of the whole tile, counted as if A were dense.
  constexpr int fma() const { return shape.m * shape.n * shape.k; }
  /// 32-bit registers a lane holds of each operand.
  constexpr int registers_a() const { return shape.m * stored_k() * bits(a) / 1024; }
  constexpr int registers_b() const { return shape.n * shape.k * bits(b) / 1024; }
  constexpr int registers_c() const { return shape.m * shape.n * bits(c) / 1024; }
  constexpr int registers_d() const { return shape.m * shape.n * bits(d) / 1024; }
};

/// Every instruction, one row each: the single table that execution, timing, commands and documentation read.
std::span<const Instruction> instructions();

/// "mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32"; b1 adds ".and.popc" or ".xor.popc".
std::string ptx_name(const Instruction& i);
/// "m16n8k8.f32.f16.f16.f32", "sp.m16n8k32.f32.f16.f16.f32", "m16n8k256.s32.b1.b1.s32.xor".
std::string short_name(const Instruction& i);
/// The SASS instruction that ptxas emits for sm_80: "HMMA.SP.16832.F32".
std::string sass_name(const Instruction& i);
/// The row with that PTX or short name; throws Error that names close rows.
const Instruction& find_instruction(std::string_view name);
/// How sure its arithmetic is, with the evidence in words.
struct Evidence {
  Fidelity fidelity;
  std::string_view source;
};
Evidence evidence(const Instruction& i);

/// How long one instruction occupies the tensor pipe of its sub-core, in SM cycles.
struct IssueTiming {
  double interval;            ///< ideal cycles between two issues: FMA / (256 f)
  double effective_interval;  ///< what back-to-back streams reach
  double latency;             ///< issue to dependent issue
  bool measured;              ///< false: from the rule of its class, not from a published row
};
IssueTiming issue_timing(const Instruction& i);

}  // namespace twofour::isa
