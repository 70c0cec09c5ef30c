#pragma once
// From the addresses of a warp's lanes to host memory.
#include "twofour/emu/ptx/warp.h"

namespace twofour::emu::ptx {

/// The state space that an instruction names; generic: each lane's address says.
enum class Window : std::uint8_t { generic, shared, global, local, param };

/// An address operand.
struct Address {
  enum class Base : std::uint8_t {
    none,   ///< `offset` alone
    frame,  ///< a .local or .param variable of the frame, `offset` bytes from its first
    reg32,
    reg64
  };
  Window window = Window::generic;
  Base base = Base::none;
  Ref reg;
  std::int64_t offset = 0;
};

/// The window that a generic address lies in; all that is no other's is global.
Window window_at(std::uint64_t address);
std::string_view name(Window window);

/// The addresses that a warp's registers give, active or not.
void read_base(Warp& warp, const Address& address, std::uint64_t* at);

/// A piece of memory in which addresses from `begin` to `begin + room` may be accessed; host address = bias +
/// address.
struct Piece {
  bool exists = false;
  std::uint64_t begin = 0, room = 0;
  std::uintptr_t bias = 0;
};
/// Pieces for accesses of `size` bytes: shared memory, and the allocation that `op` accessed last.
Piece shared_piece(Warp& warp, std::uint64_t size);
Piece global_piece(Warp& warp, const Op& op, std::uint64_t size);

/// Addresses of 32 lanes; inactive lanes have that of an active one.
struct Addresses {
  alignas(64) std::uint64_t at[lanes_of_warp];
  bool same = false;     ///< all are equal
  bool in_line = false;  ///< lane l's is the first lane's + l * size
};

/// The addresses of `lanes`, which must be multiples of `alignment`; `size`: bytes that each lane accesses.
void gather(Warp& warp, const Address& address, std::uint32_t lanes, std::uint64_t size,
            std::uint64_t alignment, Addresses& out);

/// Lanes whose bytes lie in one piece of memory: host address = bias + at[lane] + lane * stride.
struct View {
  std::uint32_t lanes = 0;
  std::uintptr_t bias = 0;
  std::uint64_t stride = 0;
  bool shared = false;  ///< shared memory

  std::byte* host(const Addresses& a, int lane) const {
    return reinterpret_cast<std::byte*>(bias + a.at[lane] + std::uint64_t(lane) * stride);
  }
};
/// The piece that the lowest of `lanes` accesses, and who else does. Throws Error if it is none, or read-only
/// for a write.
View view(Warp& warp, const Op& op, Window window, const Addresses& a, std::uint32_t lanes,
          std::uint64_t size, bool write);

/// Calls f(view) until every lane was in one.
template <class F>
void visit(Warp& warp, const Op& op, Window window, const Addresses& a, std::uint32_t lanes,
           std::uint64_t size, bool write, F&& f) {
  while (lanes != 0) {
    const View v = view(warp, op, window, a, lanes, size, write);
    f(v);
    lanes &= ~v.lanes;
  }
}

/// Host bytes of one lane's address, for what is not done by lanes. Throws Error.
std::byte* resolve(Warp& warp, const Op& op, Window window, std::uint64_t address, std::uint64_t size,
                   std::uint64_t alignment, int lane, bool write);

}  // namespace twofour::emu::ptx
