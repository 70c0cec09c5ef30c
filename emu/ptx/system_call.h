#pragma once
// Functions that kernels call and the system provides. Private to emu/ptx.
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "twofour/emu/ptx/program.h"

namespace twofour::emu::ptx {

/// vprintf and __assertfail; null for any other. op.data is the CallSite.
Handler find_system_call(std::string_view function);

/// printf's text: `format` with arguments from a buffer in which each stands at a multiple of its size (4 or
/// 8 bytes). `text` reads the string at an address. Throws Error for a conversion that is not printf's and
/// for arguments that lie outside the buffer. Source: CUDA C++ Programming Guide, "Formatted Output".
std::string format_printf(std::string_view format, std::span<const std::byte> buffer,
                          const std::function<std::string(std::uint64_t)>& text);

}  // namespace twofour::emu::ptx
