#pragma once
#include "twofour/emu/vectors/themes.h"

namespace twofour::emu {

std::span<const Theme> float_boundary_themes();
std::span<const Theme> tf32_boundary_themes();  ///< these and the words' low bits
std::span<const Theme> float_random_themes();

}  // namespace twofour::emu
