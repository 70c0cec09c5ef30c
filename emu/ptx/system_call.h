#pragma once
// Functions that kernels call and the system provides. Private to emu/ptx.
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "twofour/emu/ptx/warp.h"

namespace twofour::emu::ptx {

/// vprintf, __assertfail, malloc, free and the device runtime's (nested.h); null for any other. op.data is
/// the CallSite.
Handler find_system_call(std::string_view function);

/// The first bytes of argument k of a call, of one lane.
void read_argument(Warp& warp, const CallSite& site, std::size_t k, int lane, void* to, std::size_t bytes);
/// An argument of up to eight bytes.
std::uint64_t argument(Warp& warp, const CallSite& site, std::size_t k, int lane);
void give_result(Warp& warp, const CallSite& site, int lane, std::uint64_t value);

/// printf's text: `format` with arguments from a buffer in which each stands at a multiple of its size (4 or
/// 8 bytes). `text` reads the string at an address. Throws Error for a conversion that is not printf's and
/// for arguments that lie outside the buffer. Source: CUDA C++ Programming Guide, "Formatted Output".
std::string format_printf(std::string_view format, std::span<const std::byte> buffer,
                          const std::function<std::string(std::uint64_t)>& text);

}  // namespace twofour::emu::ptx
