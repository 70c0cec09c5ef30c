#pragma once
#include <string>

#include "twofour/isa/architecture.h"

namespace twofour::isa {

/// How sure the arithmetic of an instruction on an architecture is, with the evidence in words.
struct Evidence {
  Fidelity fidelity;
  std::string source;
};

/// Of a row of the table. Rows that only move data are `defined`. Throws Error where the architecture has no
/// rule for the row's types.
Evidence evidence(const Instruction& i, Architecture architecture = Architecture::ampere);

/// What --strict refuses; throws Error that names the instruction and what nobody has measured.
void require_measured(const Instruction& i, Architecture architecture);

}  // namespace twofour::isa
