#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "twofour/emu/matrix/npy.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// How the metadata of a whole matrix lies in an array:
///   logical  M x groups, uint8, one code an element
///   ptx      (tiles_m * tiles_k) x 32, uint32: row t * tiles_k + u holds the `e` register of each lane for
///   row
///            tile t and k tile u of an instruction, for one selector (what `twofour compress` writes)
///   cutlass  columns of E / 2 x 2M, uint16 or uint32: E in memory order (isa/metadata_layout.h), each row
///   two
///            interleaved columns
///   pytorch  M x columns of E, int16 or int32: the same bytes in the shape that to_sparse_semi_structured
///            gives; f16, bf16, tf32 (float) and s8 only
enum class MetadataLayout : std::uint8_t { logical, ptx, cutlass, pytorch };
std::string_view name(MetadataLayout layout);
/// Throws Error that lists the names.
MetadataLayout parse_metadata_layout(std::string_view name);

/// The codes of a matrix, whatever layout they came in.
struct MetadataCodes {
  std::int64_t rows = 0, groups = 0;
  std::vector<std::uint8_t> codes;  ///< rows x groups, row-major

  std::uint8_t code(std::int64_t row, std::int64_t group) const {
    return codes[std::size_t(row * groups + group)];
  }
  bool operator==(const MetadataCodes&) const = default;
};

/// What a layout depends on besides the codes: the element type is instruction.a; ptx also takes its tile
/// shape and the selector.
struct MetadataForm {
  MetadataLayout layout;
  const isa::Instruction& instruction;
  int selector;
};

/// The array of those codes. ptx fills rows beyond the matrix with code 0x4, and lanes that the selector does
/// not name with 0. Throws Error if the sizes do not fit the layout, or the layout not the type.
IntegerArray encode_metadata(const MetadataCodes& codes, const MetadataForm& form);

/// The codes of an array. `rows` and `groups` are those of the matrix; 0 takes them from the array's shape
/// (ptx: groups must be given, rows may be). Throws Error if dtype, shape and sizes do not agree.
MetadataCodes decode_metadata(const IntegerArray& array, const MetadataForm& form, std::int64_t rows,
                              std::int64_t groups);

}  // namespace twofour::emu
