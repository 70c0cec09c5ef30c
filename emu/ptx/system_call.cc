#include "twofour/emu/ptx/system_call.h"

#include "twofour/emu/ptx/access.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/nested.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::size_t max_text = 1 << 16;      // bytes of a string
constexpr std::size_t max_arguments = 32 * 8;  // bytes, as CUDA's printf takes 32 arguments

std::byte* place_of(Warp& warp, const Slot& slot, int lane) {
  if (slot.reg) return warp.reg<std::byte>(slot.reg) + std::uint64_t(lane) * slot.bytes;
  return warp.local_data() + std::uint64_t(lane) * warp.local_stride() + warp.frame().local_base + slot.local;
}

std::string read_text(Warp& warp, const Op& op, std::uint64_t address, int lane) {
  std::string text;
  for (; text.size() < max_text; ++address) {
    const char c = char(*resolve(warp, op, Window::generic, address, 1, 1, lane, false));
    if (c == '\0') return text;
    text += c;
  }
  warp.fail(lane, "a string of more than {} bytes", max_text);
}

/// The bytes at an address that lie in the same piece of memory, at most max_arguments.
std::vector<std::byte> read_arguments(Warp& warp, const Op& op, std::uint64_t address, int lane) {
  std::vector<std::byte> buffer;
  if (address == 0) return buffer;
  const std::byte* p = resolve(warp, op, Window::generic, address, 1, 1, lane, false);
  std::uint64_t room = max_arguments;
  if (address >= local_window && address < local_window_end)
    room = std::min(room, local_window + warp.local_stride() - address);
  else if (address >= global_window)
    room = std::min(room, warp.cta().grid().memory->find(address).end - address);
  else
    warp.fail(lane, "arguments of printf at {:#x}, neither local nor global memory", address);
  buffer.assign(p, p + room);
  return buffer;
}

void print(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  for_lanes(lanes, [&](int lane) {
    const std::string format = read_text(warp, op, argument(warp, site, 0, lane), lane);
    const auto buffer = read_arguments(warp, op, argument(warp, site, 1, lane), lane);
    std::string text;
    try {
      text = format_printf(format, buffer, [&](std::uint64_t a) { return read_text(warp, op, a, lane); });
    } catch (const Error& e) {
      warp.fail(lane, "{}", e.what());
    }
    warp.cta().grid().print_text(text);
    give_result(warp, site, lane, std::uint32_t(text.size()));
  });
}

/// __assertfail(message, file, line, function, char size).
void assertion(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  const int lane = std::countr_zero(lanes);
  const auto text = [&](std::size_t k) { return read_text(warp, op, argument(warp, site, k, lane), lane); };
  warp.fail(Fault::assertion, lane, "{}:{}: {}: assertion `{}` failed", text(1),
            std::uint32_t(argument(warp, site, 2, lane)), text(3), text(0));
}

/// void* malloc(size_t)
void take_memory(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  for_lanes(lanes, [&](int lane) {
    give_result(warp, site, lane, warp.cta().grid().heap->allocate(argument(warp, site, 0, lane)));
  });
}

/// void free(void*)
void free_memory(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  for_lanes(lanes, [&](int lane) {
    const std::uint64_t address = argument(warp, site, 0, lane);
    if (address != 0 && !warp.cta().grid().heap->free(address))
      warp.fail(lane, "free of address {:#x}, which malloc did not give or which is free already", address);
  });
}

}  // namespace

void read_argument(Warp& warp, const CallSite& site, std::size_t k, int lane, void* to, std::size_t bytes) {
  if (k >= site.arguments.size()) warp.fail(lane, "a call of a system function lacks arguments");
  const Slot& slot = site.arguments[k];
  std::memcpy(to, place_of(warp, slot, lane), std::min<std::size_t>(slot.bytes, bytes));
}

std::uint64_t argument(Warp& warp, const CallSite& site, std::size_t k, int lane) {
  std::uint64_t value = 0;
  read_argument(warp, site, k, lane, &value, sizeof value);
  return value;
}

void give_result(Warp& warp, const CallSite& site, int lane, std::uint64_t value) {
  if (site.results.empty()) return;
  const Slot& slot = site.results.front();
  std::memcpy(place_of(warp, slot, lane), &value, std::min<std::size_t>(slot.bytes, sizeof value));
}

Handler find_system_call(std::string_view function) {
  if (function == "malloc") return take_memory;
  if (function == "free") return free_memory;
  if (const Handler nested = find_nested_call(function)) return nested;
  if (function == "vprintf") return print;
  if (function == "__assertfail") return assertion;
  return nullptr;
}

}  // namespace twofour::emu::ptx
