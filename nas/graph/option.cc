#include "twofour/nas/graph/option.h"

#include "twofour/isa/error.h"

namespace twofour::nas {

Option parse_option(std::string_view name) {
  std::string known;
  for (const OptionInfo& o : option_table) {
    if (o.name == name) return o.option;
    known += known.empty() ? "" : ", ";
    known += o.name;
  }
  fail("'{}' is not an option of a layer; use one of: {}", name, known);
}

}  // namespace twofour::nas
