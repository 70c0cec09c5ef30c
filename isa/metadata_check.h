#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/isa/sparsity.h"

namespace twofour::isa {

/// What the ISA says of a code (PTX ISA 9.1, 9.7.14.5). Whatever the kind, the emulator lets each index
/// select on its own (logical_column), so every code computes something.
enum class CodeKind : std::uint8_t {
  ordered,     ///< idx0 < idx1 (tf32: 0x4 or 0xE): legal for mma.sp and mma.sp::ordered_metadata
  descending,  ///< idx0 > idx1: legal for plain mma.sp only
  duplicate,   ///< idx0 == idx1: undefined, both stored units meet the same row of B
  mixed        ///< tf32, neither 0x4 nor 0xE: undefined, the halves of the element come from elsewhere
};
std::string_view name(CodeKind kind);

constexpr CodeKind code_kind(Sparsity s, std::uint8_t code) {
  if (is_ordered_code(s, code)) return CodeKind::ordered;
  if (s == Sparsity::one_of_two) return CodeKind::mixed;
  return is_legal_code(s, code) ? CodeKind::descending : CodeKind::duplicate;
}
/// True if plain mma.sp leaves the result undefined.
constexpr bool is_undefined(CodeKind kind) {
  return kind == CodeKind::duplicate || kind == CodeKind::mixed;
}

/// One code that is not legal for mma.sp::ordered_metadata: where it lies in the tile and in the registers.
struct MetadataFinding {
  int row, group;   ///< of the instruction's tile
  int lane, shift;  ///< bits shift .. shift+3 of that lane's `e` register
  std::uint8_t code;
  CodeKind kind;
  bool operator==(const MetadataFinding&) const = default;
};

/// Every code of the 32 lanes' `e` registers that is not ordered, by row, then group. Only the lanes that the
/// selector names are read. Throws Error if the instruction is not sparse or has no such selector.
std::vector<MetadataFinding> check_metadata(const Instruction& i, std::span<const std::uint32_t, 32> words,
                                            int selector);

/// The logical columns that a code keeps, counted from `first_column`: "columns 21 and 22",
/// "columns 8, 9, 12 and 13", "column 5".
std::string kept_columns_text(Sparsity s, std::uint8_t code, std::int64_t first_column);

/// "code 0x5 keeps columns 21 and 21 (duplicate: undefined)"
std::string code_text(Sparsity s, std::uint8_t code, std::int64_t first_column);

/// "lane 13 bits 4-7"
std::string place_text(MetadataPlace place);

/// "row 3 group 5: code 0x5 keeps columns 21 and 21 (duplicate: undefined); lane 13 bits 4-7"
std::string describe(const Instruction& i, const MetadataFinding& finding);

}  // namespace twofour::isa
