#include "twofour/emu/ptx/access.h"

#include <algorithm>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/ptx/cta.h"

namespace twofour::emu::ptx {
namespace {

struct Scan {
  std::uint64_t any = 0;      // all bits of all addresses
  std::uint64_t unequal = 0;  // zero: all are the same
  std::uint64_t uneven = 0;   // zero: in line
};

TWOFOUR_ALWAYS_INLINE void scan_body(std::uint64_t* at, std::uint32_t lanes, std::uint64_t size, Scan& out) {
  const std::uint64_t first = at[std::countr_zero(lanes)];
  if (lanes != all_lanes)
    for (int l = 0; l < lanes_of_warp; ++l) {
      const std::uint64_t keep = -std::uint64_t(lanes >> l & 1);
      at[l] = (at[l] & keep) | (first & ~keep);
    }
  std::uint64_t any = 0, unequal = 0, uneven = 0;
  for (int l = 0; l < lanes_of_warp; ++l) {
    any |= at[l];
    unequal |= at[l] ^ first;
    uneven |= (at[l] - first) ^ (std::uint64_t(l) * size);
  }
  out = {any, unequal, uneven};
}
TWOFOUR_ALWAYS_INLINE void add_offset(const std::uint64_t* r, std::uint64_t offset, std::uint64_t* at) {
  for (int l = 0; l < lanes_of_warp; ++l) at[l] = r[l] + offset;
}
TWOFOUR_ALWAYS_INLINE void add_offset(const std::uint32_t* r, std::uint64_t offset, std::uint64_t* at) {
  for (int l = 0; l < lanes_of_warp; ++l) at[l] = std::uint32_t(r[l] + std::uint32_t(offset));
}
/// The addresses in registers plus an offset, and what there is to say of those of `lanes`.
#define TWOFOUR_SCAN(name, Word)                                                                      \
  TWOFOUR_SIMD_VARIANTS(name,                                                                         \
                        (const Word* r, std::uint64_t offset, std::uint64_t* at, std::uint32_t lanes, \
                         std::uint64_t size, Scan& out),                                              \
                        add_offset(r, offset, at);                                                    \
                        scan_body(at, lanes, size, out))
TWOFOUR_SCAN(scan64, std::uint64_t)
TWOFOUR_SCAN(scan32, std::uint32_t)
#undef TWOFOUR_SCAN

/// The top bit of `out` is set if an address is not in low .. low + room. Addresses and room are below 2^62.
TWOFOUR_ALWAYS_INLINE void outside_body(const std::uint64_t* at, std::uint64_t low, std::uint64_t room,
                                        std::uint64_t& out) {
  std::uint64_t bad = 0;
  for (int l = 0; l < lanes_of_warp; ++l) bad |= (at[l] - low) | (room - (at[l] - low));
  out = bad;
}
TWOFOUR_SIMD_VARIANTS(outside,
                      (const std::uint64_t* at, std::uint64_t low, std::uint64_t room, std::uint64_t& out),
                      outside_body(at, low, room, out))

/// Lanes of `lanes` whose `size` bytes lie in begin .. end.
std::uint32_t inside(const Addresses& a, std::uint32_t lanes, std::uint64_t begin, std::uint64_t end,
                     std::uint64_t size) {
  if (end - begin < size) return 0;
  const std::uint64_t room = end - begin - size;
  if (a.same) return a.at[0] - begin <= room ? lanes : 0;
  std::uint64_t bad = 0;
  outside(a.at, begin, room, bad);
  if (std::int64_t(bad) >= 0) return lanes;
  std::uint32_t in = 0;
  for_lanes(lanes, [&](int l) { in |= std::uint32_t(a.at[l] - begin <= room) << l; });
  return in;
}

View shared_view(Warp& warp, const Addresses& a, std::uint32_t lanes, std::uint64_t size) {
  const auto memory = warp.cta().shared();
  return {inside(a, lanes, shared_window, shared_window + memory.size(), size),
          reinterpret_cast<std::uintptr_t>(memory.data()) - shared_window, 0, true};
}
View local_view(Warp& warp, const Addresses& a, std::uint32_t lanes, std::uint64_t size) {
  return {inside(a, lanes, local_window, local_window + warp.local_stride(), size),
          reinterpret_cast<std::uintptr_t>(warp.local_data()) - local_window, warp.local_stride(), false};
}
View param_view(Warp& warp, const Addresses& a, std::uint32_t lanes, std::uint64_t size) {
  const auto memory = warp.cta().grid().parameters;
  return {inside(a, lanes, param_window, param_window + memory.size(), size),
          reinterpret_cast<std::uintptr_t>(memory.data()) - param_window, 0, false};
}
View global_view(Warp& warp, const Op& op, const Addresses& a, std::uint32_t lanes, std::uint64_t size) {
  const GlobalMemory& memory = *warp.cta().grid().memory;
  Warp::Cached& cached = warp.cached(op);
  const std::uint64_t first = a.at[std::countr_zero(lanes)];
  if (first < cached.begin || first >= cached.end) {
    const GlobalMemory::Range range = memory.find(first);
    cached = {range.begin, range.end};
  }
  return {inside(a, lanes, cached.begin, cached.end, size), memory.host_bias(), 0, false};
}

[[noreturn]] void fail_outside(Warp& warp, Window window, std::uint64_t address, std::uint64_t size,
                               int lane) {
  const auto outside_of = [&](std::uint64_t begin, std::uint64_t bytes) {
    warp.fail(Fault::address, lane,
              "{} memory access out of bounds: address {:#x}, {} bytes; there are {} bytes at {:#x}",
              name(window), address, size, bytes, begin);
  };
  if (window == Window::shared) outside_of(shared_window, warp.cta().shared().size());
  if (window == Window::local) outside_of(local_window, warp.local_stride());
  if (window == Window::param) outside_of(param_window, warp.cta().grid().parameters.size());
  warp.fail(Fault::address, lane, "global memory access out of bounds: address {:#x}, {} bytes, {}", address,
            size, warp.cta().grid().memory->describe(address));
}

}  // namespace

/// What a GPU would have mapped around a read that is in no allocation.
View stray_view(Warp& warp, const Addresses& a, std::uint32_t lanes, std::uint64_t size) {
  Grid& grid = warp.cta().grid();
  const GlobalMemory::Range range = grid.memory->mapped(a.at[std::countr_zero(lanes)]);
  const View v{inside(a, lanes, range.begin, range.end, size), grid.memory->host_bias(), 0, false};
  if (v.lanes != 0) ++grid.stray_reads;
  return v;
}

std::string_view name(Window w) {
  switch (w) {
    case Window::shared: return "shared";
    case Window::local: return "local";
    case Window::param: return "parameter";
    default: return "global";
  }
}

Window window_at(std::uint64_t address) {
  if (address >= shared_window && address < shared_window_end) return Window::shared;
  if (address >= local_window && address < local_window_end) return Window::local;
  if (address >= param_window && address < param_window_end) return Window::param;
  return Window::global;
}

namespace {

/// Of an address without a register.
std::uint64_t uniform_base(const Warp& warp, const Address& address) {
  return (address.base == Address::Base::frame ? local_window + warp.frame().local_base : 0) +
         std::uint64_t(address.offset);
}

}  // namespace

void read_base(Warp& warp, const Address& address, std::uint64_t* at) {
  const auto offset = std::uint64_t(address.offset);
  if (address.base == Address::Base::reg64)
    add_offset(warp.reg<std::uint64_t>(address.reg), offset, at);
  else if (address.base == Address::Base::reg32)
    add_offset(warp.reg<std::uint32_t>(address.reg), offset, at);
  else
    std::fill(at, at + lanes_of_warp, uniform_base(warp, address));
}

void gather(Warp& warp, const Address& address, std::uint32_t lanes, std::uint64_t size,
            std::uint64_t alignment, Addresses& out) {
  const auto offset = std::uint64_t(address.offset);
  Scan s;
  if (address.base == Address::Base::reg64) {
    scan64(warp.reg<std::uint64_t>(address.reg), offset, out.at, lanes, size, s);
  } else if (address.base == Address::Base::reg32) {
    scan32(warp.reg<std::uint32_t>(address.reg), offset, out.at, lanes, size, s);
  } else {
    s.any = uniform_base(warp, address);
    s.uneven = 1;
    std::fill(out.at, out.at + lanes_of_warp, s.any);
  }
  out.same = s.unequal == 0;
  out.in_line = s.uneven == 0;
  if ((s.any & (alignment - 1)) == 0) return;
  for_lanes(lanes, [&](int l) {
    if ((out.at[l] & (alignment - 1)) != 0)
      warp.fail(Fault::alignment, l, "misaligned address {:#x}: the access needs a multiple of {}", out.at[l],
                alignment);
  });
}

Piece shared_piece(Warp& warp, std::uint64_t size) {
  const auto memory = warp.cta().shared();
  if (memory.size() < size) return {};
  return {true, shared_window, memory.size() - size,
          reinterpret_cast<std::uintptr_t>(memory.data()) - shared_window};
}

Piece global_piece(Warp& warp, const Op& op, std::uint64_t size) {
  const Warp::Cached& cached = warp.cached(op);
  if (cached.end - cached.begin < size) return {};
  return {true, cached.begin, cached.end - cached.begin - size, warp.cta().grid().memory->host_bias()};
}

View view(Warp& warp, const Op& op, Window window, const Addresses& a, std::uint32_t lanes,
          std::uint64_t size, bool write) {
  const int first = std::countr_zero(lanes);
  if (window == Window::generic || window == Window::param || window == Window::local)
    window = window_at(a.at[first]);
  View v;
  switch (window) {
    case Window::shared: v = shared_view(warp, a, lanes, size); break;
    case Window::local: v = local_view(warp, a, lanes, size); break;
    case Window::param: v = param_view(warp, a, lanes, size); break;
    default: v = global_view(warp, op, a, lanes, size); break;
  }
  if ((v.lanes >> first & 1) == 0 && window == Window::global && !write && warp.cta().grid().allow_stray)
    v = stray_view(warp, a, lanes, size);
  if ((v.lanes >> first & 1) == 0) fail_outside(warp, window, a.at[first], size, first);
  if (write && window == Window::param)
    warp.fail(Fault::address, first, "write to address {:#x}: kernel parameters are read-only", a.at[first]);
  return v;
}

std::byte* resolve(Warp& warp, const Op& op, Window window, std::uint64_t address, std::uint64_t size,
                   std::uint64_t alignment, int lane, bool write) {
  if (address % alignment != 0)
    warp.fail(Fault::alignment, lane, "misaligned address {:#x}: the access needs a multiple of {}", address,
              alignment);
  Addresses a;
  std::fill(a.at, a.at + lanes_of_warp, address);
  a.same = true;
  return view(warp, op, window, a, 1u << lane, size, write).host(a, lane);
}

}  // namespace twofour::emu::ptx
