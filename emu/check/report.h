#pragma once
// Findings as text for people.
#include <span>
#include <string>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// Lanes 0, 1, 2 and 5: "0-2 5".
std::string lanes_text(std::uint32_t lanes);

/// Three lines: what, where, who.
std::string text(const Finding& finding);

/// A block a finding and a line that counts them by tool; `ran`: the tools that looked.
std::string report(std::span<const Finding> findings, std::span<const Tool> ran);

}  // namespace twofour::emu::check
