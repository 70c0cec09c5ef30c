#include "twofour/isa/element.h"

#include "twofour/isa/error.h"

namespace twofour::isa {

std::optional<ElementType> find_element(std::string_view wanted) {
  for (std::size_t i = 0; i < element_table.size(); ++i)
    if (element_table[i].name == wanted) return static_cast<ElementType>(i);
  return std::nullopt;
}

ElementType parse_element(std::string_view wanted) {
  if (const auto found = find_element(wanted)) return *found;
  std::string known;
  for (const auto& row : element_table) known += (known.empty() ? "" : ", ") + std::string(row.name);
  fail("unknown element type '{}'; known: {}", wanted, known);
}

}  // namespace twofour::isa
