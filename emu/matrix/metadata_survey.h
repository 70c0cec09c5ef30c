#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/matrix/metadata_layout.h"
#include "twofour/isa/metadata_check.h"

namespace twofour::emu {

/// Where mma.sp finds one code of a matrix: the instruction's tile, and the lane and bits of its `e`
/// register.
struct CodePlace {
  std::int64_t row, group;  ///< of the matrix
  std::int64_t tile_m, tile_k;
  int selector;
  isa::MetadataPlace at;
};
CodePlace code_place(const isa::Instruction& i, int selector, std::int64_t row, std::int64_t group);

/// The whole `e` word that a code lies in; groups beyond the matrix hold 0x4.
std::uint32_t metadata_word(const MetadataCodes& codes, const isa::Instruction& i, const CodePlace& place);

/// How many codes there are of each kind, and the first `limit` that are not ordered, by row, then group.
struct MetadataSurvey {
  std::array<std::int64_t, 4> count{};  ///< indexed by isa::CodeKind
  std::vector<CodePlace> findings;

  std::int64_t of(isa::CodeKind kind) const { return count[std::size_t(kind)]; }
  std::int64_t undefined() const { return of(isa::CodeKind::duplicate) + of(isa::CodeKind::mixed); }
  std::int64_t not_ordered() const { return undefined() + of(isa::CodeKind::descending); }
};
MetadataSurvey survey_metadata(const MetadataCodes& codes, const isa::Instruction& i, int selector,
                               std::size_t limit);

/// Codes that differ between two metadata of one shape. Throws Error if the shapes differ.
struct MetadataDifference {
  std::int64_t count = 0;
  std::optional<CodePlace> first;  ///< by row, then group
};
MetadataDifference compare_metadata(const MetadataCodes& got, const MetadataCodes& expected,
                                    const isa::Instruction& i, int selector);

/// "row 3 group 5: code 0x5 keeps columns 21 and 21 (duplicate: undefined); tile 0,0 lane 13 bits 4-7 of word
/// 0x44444454"
std::string finding_text(const MetadataCodes& codes, const isa::Instruction& i, const CodePlace& place);

/// "row 3 group 5: code 0x9 keeps columns 21 and 22, expected 0x4: columns 20 and 21; tile 0,0 lane 13 bits
/// 4-7 of word 0x44444494; moves stored column 10 from 20 to 21, 11 from 21 to 22"
std::string difference_text(const MetadataCodes& got, const MetadataCodes& expected,
                            const isa::Instruction& i, const CodePlace& place);

}  // namespace twofour::emu
