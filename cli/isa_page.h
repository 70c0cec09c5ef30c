#pragma once
#include <string>

namespace twofour::cli {

/// docs/isa.md: every row of the instruction table, by family, as Markdown.
std::string isa_page();

}  // namespace twofour::cli
