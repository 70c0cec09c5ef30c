#pragma once
#include <array>
#include <cstdint>

#include "twofour/isa/instruction.h"

namespace twofour::isa {

/// The 4-bit metadata code of one group: idx0 | idx1 << 2. The first kept unit lies at idx0, the second at
/// idx1, where a unit is one column (2:4), a pair of columns (4:8 of 4-bit types), or a 16-bit half of the
/// one kept tf32 element (1:2). Source: PTX ISA 9.1, 9.7.14.5 (sparse mma), and the figures of PTX ISA 7.5.
constexpr int code_index(std::uint8_t code, int which) {
  return (code >> (2 * which)) & 3;
}
constexpr std::uint8_t make_code(int idx0, int idx1) {
  return static_cast<std::uint8_t>(idx0 | idx1 << 2);
}

/// Stored elements of one group, and the units they come in.
constexpr int stored_columns(Sparsity s) {
  return group_columns(s) / 2;
}

/// Logical column, within the group, of stored element `stored` (0 .. stored_columns-1) under a code. Each
/// index selects on its own, so a duplicate or descending code has a meaning too. tf32: codes 0x4 and 0xE
/// keep columns 0 and 1.
constexpr int logical_column(Sparsity s, std::uint8_t code, int stored) {
  switch (s) {
    case Sparsity::two_of_four: return code_index(code, stored);
    case Sparsity::pairs_of_eight: return 2 * code_index(code, stored >> 1) + (stored & 1);
    case Sparsity::one_of_two: return code_index(code, 0) >> 1;
    case Sparsity::dense: break;
  }
  return stored;
}

/// Codes that `mma.sp::ordered_metadata` allows: idx0 < idx1; tf32 only 0x4 and 0xE.
constexpr bool is_ordered_code(Sparsity s, std::uint8_t code) {
  if (s == Sparsity::one_of_two) return code == 0x4 || code == 0xE;
  return code <= 0xF && code_index(code, 0) < code_index(code, 1);
}
/// Codes that plain `mma.sp` allows: also descending ones.
constexpr bool is_legal_code(Sparsity s, std::uint8_t code) {
  if (s == Sparsity::one_of_two) return is_ordered_code(s, code);
  return code <= 0xF && code_index(code, 0) != code_index(code, 1);
}

/// Which lane's metadata register holds the code of (row, group), and at which bit, for a selector.
struct MetadataPlace {
  int lane, shift;
  constexpr bool operator==(const MetadataPlace&) const = default;
};

/// 16- and 32-bit types put rows g and g + 8 in one word (low and high half); 8- and 4-bit types give each
/// row a word of its own. The selector names the lane (4 or 2 choices) of each quad, or lane pair, that is
/// read.
constexpr MetadataPlace metadata_place(const Instruction& i, int row, int group, int selector) {
  const int g = row & 7, high = row >> 3;
  const int lanes_per_quad = 4 / i.selectors();
  if (bits(i.a) >= 16) {
    const int lane = 4 * g + lanes_per_quad * selector + (group >> 2);
    return {lane, 16 * high + 4 * (group & 3)};
  }
  const int lane = 4 * g + lanes_per_quad * selector + 2 * (group >> 3) + high;
  return {lane, 4 * (group & 7)};
}

}  // namespace twofour::isa
