#include "twofour/nas/graph/option.h"

#include "twofour/emu/matrix/gemm.h"
#include "twofour/isa/error.h"

namespace twofour::nas {

const isa::Instruction& instruction_of(Option o) {
  const OptionInfo& i = info(o);
  return emu::choose_instruction(i.weight, i.activation, i.accumulator, i.sparse, i.op);
}

Option parse_option(std::string_view name) {
  std::string known;
  for (const OptionInfo& o : option_table) {
    if (o.name == name) return o.option;
    if (is_bit_serial(o.option) && o.option != Option::int1) continue;
    known += known.empty() ? "" : ", ";
    known += o.name;
  }
  fail("'{}' is not an option of a layer; use one of: {}, or w1a2 to w8a8", name, known);
}

}  // namespace twofour::nas
