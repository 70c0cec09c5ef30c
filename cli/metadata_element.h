#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "twofour/emu/matrix/metadata_survey.h"
#include "twofour/isa/fragment_places.h"

namespace twofour::cli {

/// One way in which an element of the dense A may be kept: as which stored column, by which codes, and where
/// that column lies in A's fragment.
struct StoredAs {
  std::int64_t stored_column;
  std::vector<std::uint8_t> codes;
  std::vector<isa::FragmentPlace> places;
};

/// Where an element of the dense A goes: its code's place, and the stored columns that may hold it. With the
/// code known, only those that do (none: the element is dropped; two: a duplicate code).
struct ElementReport {
  std::int64_t row, col;
  emu::CodePlace code_at;
  std::optional<std::uint8_t> code;
  std::vector<StoredAs> stored;
};
ElementReport element_report(const isa::Instruction& i, int selector, std::int64_t row, std::int64_t col,
                             std::optional<std::uint8_t> code);

void print_element(const isa::Instruction& i, const ElementReport& e);
nlohmann::ordered_json element_json(const isa::Instruction& i, const ElementReport& e);

}  // namespace twofour::cli
