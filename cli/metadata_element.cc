#include "twofour/cli/metadata_element.h"

#include <fmt/format.h>

namespace twofour::cli {
namespace {

/// The stored positions that may hold an element; with its code known, those that do.
std::vector<StoredAs> stored_as(const isa::Instruction& i, const ElementReport& e) {
  const int columns = isa::group_columns(i.sparsity), count = isa::stored_columns(i.sparsity);
  const isa::FragmentMap a = isa::fragment_map(i, isa::Operand::a);
  std::vector<StoredAs> out;
  for (int stored = 0; stored < count; ++stored) {
    StoredAs slot{e.code_at.group * count + stored, {}, {}};
    for (int c = 0; c < 16; ++c) {
      const auto code = std::uint8_t(c);
      const bool wanted = e.code ? code == *e.code : isa::is_ordered_code(i.sparsity, code);
      if (wanted && isa::logical_column(i.sparsity, code, stored) == e.col % columns)
        slot.codes.push_back(code);
    }
    if (slot.codes.empty()) continue;
    slot.places = a.at(int(e.row % i.shape.m), int(slot.stored_column % i.stored_k()));
    out.push_back(slot);
  }
  return out;
}

std::string places_text(const std::vector<isa::FragmentPlace>& places) {
  std::string text;
  for (const auto& p : places) text += (text.empty() ? "" : "; ") + isa::place_text(p);
  return text;
}

}  // namespace

ElementReport element_report(const isa::Instruction& i, int selector, std::int64_t row, std::int64_t col,
                             std::optional<std::uint8_t> code) {
  const std::int64_t group = col / isa::group_columns(i.sparsity);
  ElementReport e{row, col, emu::code_place(i, selector, row, group), code, {}};
  e.stored = stored_as(i, e);
  return e;
}

void print_element(const isa::Instruction& i, const ElementReport& e) {
  const std::int64_t first = e.code_at.group * isa::group_columns(i.sparsity);
  fmt::print("A[{}][{}] lies in group {}, columns {} to {}\n", e.row, e.col, e.code_at.group, first,
             first + isa::group_columns(i.sparsity) - 1);
  fmt::print("  its code: {} of `e` for selector {}, tile {},{} of {}\n", isa::place_text(e.code_at.at),
             e.code_at.selector, e.code_at.tile_m, e.code_at.tile_k, isa::short_name(i));
  if (e.code) fmt::print("  {}\n", isa::code_text(i.sparsity, *e.code, first));
  for (const StoredAs& slot : e.stored) {
    std::string codes;
    for (const auto code : slot.codes) codes += fmt::format("{}0x{:X}", codes.empty() ? "" : " or ", code);
    fmt::print("  {} {}: stored column {}, in A's {}\n", e.code ? "kept by code" : "if kept by code", codes,
               slot.stored_column, places_text(slot.places));
  }
  if (e.stored.empty()) fmt::print("  not kept: the element counts as zero\n");
}

nlohmann::ordered_json element_json(const isa::Instruction& i, const ElementReport& e) {
  nlohmann::ordered_json slots = nlohmann::ordered_json::array();
  for (const StoredAs& slot : e.stored) {
    nlohmann::ordered_json places = nlohmann::ordered_json::array();
    for (const auto& p : slot.places)
      places.push_back({{"lane", p.lane}, {"register", p.reg}, {"bit", p.bit}, {"bits", p.bits}});
    slots.push_back({{"stored_column", slot.stored_column}, {"codes", slot.codes}, {"places", places}});
  }
  nlohmann::ordered_json out{{"row", e.row},
                             {"col", e.col},
                             {"group", e.code_at.group},
                             {"tile_m", e.code_at.tile_m},
                             {"tile_k", e.code_at.tile_k},
                             {"lane", e.code_at.at.lane},
                             {"bit", e.code_at.at.shift},
                             {"stored_as", slots}};
  if (e.code) out["code"] = *e.code, out["kind"] = isa::name(isa::code_kind(i.sparsity, *e.code));
  return out;
}

}  // namespace twofour::cli
