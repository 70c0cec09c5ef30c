#pragma once
#include "twofour/emu/vectors/case_file.h"

namespace twofour::emu {

/// D of a case on an architecture.
inline Fragment computed(const Case& c, isa::Architecture architecture) {
  NumericOptions options = c.options;
  options.architecture = architecture;
  return execute(c.instruction, c.operands, options);
}

}  // namespace twofour::emu
