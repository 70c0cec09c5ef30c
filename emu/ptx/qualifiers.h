#pragma once
// Modifiers that every instruction on memory may have. Private to emu/ptx.
#include <initializer_list>

#include "twofour/emu/ptx/decode.h"

namespace twofour::emu::ptx {

/// The state space that the current instruction names.
Window window_of(const FunctionDecoder& d);
/// Refuses modifiers that are no space, order, scope, cache hint or type, and not in `own`.
void check_qualifiers(const FunctionDecoder& d, std::initializer_list<std::string_view> own);

}  // namespace twofour::emu::ptx
