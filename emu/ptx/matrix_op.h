#pragma once
// A matrix instruction as decoded, and the handler of those that multiply. Private to emu/ptx.
#include <array>

#include "twofour/emu/ptx/access.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu::ptx {

/// Registers of an operand, each 4 bytes a lane, or 8 (f64).
struct Registers {
  std::array<Ref, max_operand_registers> refs = {};
  int count = 0;
  bool wide = false;
};

struct MatrixOp {
  isa::Spelling spelling;
  Registers a, b, c, d;
  Ref metadata, stride;
  int selector = 0;
  /// By architecture; no instruction: the architecture refuses it.
  std::array<PreparedMma, std::size_t(isa::Architecture::blackwell) + 1> prepared = {};
  Address address;
};

/// Fails unless all 32 lanes are here.
void need_all_lanes(Warp& warp, std::uint32_t lanes);
void read_fragment(Warp& warp, const Registers& r, Fragment& f);
void write_fragment(Warp& warp, const Registers& r, const Fragment& f);
/// Runs f and gives its Errors their place and kind.
template <class F>
void with_place(Warp& warp, std::uint32_t lanes, Fault fault, F&& f) {
  need_all_lanes(warp, lanes);
  std::string problem;
  try {
    return f();
  } catch (const Error& e) {
    problem = e.what();
  }
  warp.fail(fault, -1, "{}", problem);
}

/// Prepares it once for all launches.
void prepare_multiply(MatrixOp& m);
/// The handler of mma, mma.sp and wmma.mma; op.data is the MatrixOp.
void multiply(Warp& warp, const Op& op, std::uint32_t lanes);

}  // namespace twofour::emu::ptx
