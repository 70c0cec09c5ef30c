#pragma once
// Ops that call the observers, for decode.cc. Private to emu/ptx.
#include "twofour/emu/ptx/decode.h"

namespace twofour::emu::ptx {

struct Site;

/// Registers and addresses of the current instruction, as its operands say.
const Site* describe(FunctionDecoder& d);
/// Calls BlockObserver::before, and after, with the Site at op.data.
void observe_before(Warp& warp, const Op& op, std::uint32_t lanes);
void observe_after(Warp& warp, const Op& op, std::uint32_t lanes);
/// Whether the next op runs when the instruction is done, for the lanes that executed it.
bool goes_on(const Instruction& instruction);

}  // namespace twofour::emu::ptx
