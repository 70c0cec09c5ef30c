#pragma once
#include <string>

#include "twofour/isa/machine.h"

namespace twofour::cli {

/// docs/isa.md: every row of the instruction table, by family, as Markdown.
std::string isa_page();

/// The machine whose issue timing the listings show.
const isa::Machine& a100();

}  // namespace twofour::cli
