#include "twofour/emu/matrix/metadata_survey.h"

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

std::int64_t first_column(const isa::Instruction& i, const CodePlace& place) {
  return place.group * isa::group_columns(i.sparsity);
}

std::string place_text(const MetadataCodes& codes, const isa::Instruction& i, const CodePlace& place) {
  return fmt::format("tile {},{} {} of word 0x{:08X}", place.tile_m, place.tile_k, isa::place_text(place.at),
                     metadata_word(codes, i, place));
}

/// Which stored elements a wrong code carries to another column: "; stored column 10 moves from 20 to 21,
/// ..."
std::string moved_text(const isa::Instruction& i, const CodePlace& place, std::uint8_t got,
                       std::uint8_t expected) {
  std::vector<std::string> moves;
  const int count = isa::stored_columns(i.sparsity);
  for (int stored = 0; stored < count; ++stored) {
    const int from = isa::logical_column(i.sparsity, expected, stored);
    const int to = isa::logical_column(i.sparsity, got, stored);
    if (from != to)
      moves.push_back(fmt::format("{} from {} to {}", place.group * count + stored,
                                  first_column(i, place) + from, first_column(i, place) + to));
  }
  return moves.empty() ? "" : fmt::format("; moves stored column {}", fmt::join(moves, ", "));
}

}  // namespace

CodePlace code_place(const isa::Instruction& i, int selector, std::int64_t row, std::int64_t group) {
  const int in_row = int(row % i.shape.m), in_group = int(group % i.groups());
  return {row,
          group,
          row / i.shape.m,
          group / i.groups(),
          selector,
          isa::metadata_place(i, in_row, in_group, selector)};
}

std::uint32_t metadata_word(const MetadataCodes& m, const isa::Instruction& i, const CodePlace& p) {
  return metadata_registers(m.codes, m.rows, m.groups, i, p.tile_m, p.tile_k,
                            p.selector)[std::size_t(p.at.lane)];
}

MetadataSurvey survey_metadata(const MetadataCodes& m, const isa::Instruction& i, int selector,
                               std::size_t limit) {
  MetadataSurvey out;
  for (std::int64_t row = 0; row < m.rows; ++row)
    for (std::int64_t group = 0; group < m.groups; ++group) {
      const isa::CodeKind kind = isa::code_kind(i.sparsity, m.code(row, group));
      ++out.count[std::size_t(kind)];
      if (kind != isa::CodeKind::ordered && out.findings.size() < limit)
        out.findings.push_back(code_place(i, selector, row, group));
    }
  return out;
}

MetadataDifference compare_metadata(const MetadataCodes& got, const MetadataCodes& expected,
                                    const isa::Instruction& i, int selector) {
  if (got.rows != expected.rows || got.groups != expected.groups)
    fail("{} x {} codes cannot be compared with {} x {}", got.rows, got.groups, expected.rows,
         expected.groups);
  MetadataDifference out;
  for (std::int64_t row = 0; row < got.rows; ++row)
    for (std::int64_t group = 0; group < got.groups; ++group)
      if (got.code(row, group) != expected.code(row, group) && out.count++ == 0)
        out.first = code_place(i, selector, row, group);
  return out;
}

std::string finding_text(const MetadataCodes& m, const isa::Instruction& i, const CodePlace& place) {
  const std::uint8_t code = m.code(place.row, place.group);
  return fmt::format("row {} group {}: {}; {}", place.row, place.group,
                     isa::code_text(i.sparsity, code, first_column(i, place)), place_text(m, i, place));
}

std::string difference_text(const MetadataCodes& got, const MetadataCodes& expected,
                            const isa::Instruction& i, const CodePlace& place) {
  const std::uint8_t wrong = got.code(place.row, place.group), right = expected.code(place.row, place.group);
  const std::int64_t first = first_column(i, place);
  return fmt::format("row {} group {}: code 0x{:X} keeps {}, expected 0x{:X}: {}; {}{}", place.row,
                     place.group, wrong, isa::kept_columns_text(i.sparsity, wrong, first), right,
                     isa::kept_columns_text(i.sparsity, right, first), place_text(got, i, place),
                     moved_text(i, place, wrong, right));
}

}  // namespace twofour::emu
