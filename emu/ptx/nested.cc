#include "twofour/emu/ptx/nested.h"

#include <algorithm>

#include "twofour/emu/ptx/access.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/system_call.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::uint32_t success = 0, invalid_value = 1, out_of_memory = 2, invalid_function = 98,
                        too_many_pending = 69;  // cudaError_t

/// Calls f(lane, site) and gives its result to the caller.
template <class F>
void answer(Warp& warp, const Op& op, std::uint32_t lanes, F&& f) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  for_lanes(lanes, [&](int lane) { give_result(warp, site, lane, f(lane, site)); });
}

Dim3 dim3_argument(Warp& warp, const CallSite& site, std::size_t k, int lane) {
  std::uint32_t words[3] = {1, 1, 1};
  read_argument(warp, site, k, lane, words, sizeof words);
  return {words[0], words[1], words[2]};
}

template <class T>
void store(Warp& warp, const Op& op, std::uint64_t address, int lane, T value) {
  std::memcpy(resolve(warp, op, Window::generic, address, sizeof value, alignof(T), lane, true), &value,
              sizeof value);
}

const Function* entry_at(const Kernel& kernel, std::uint64_t address) {
  for (const auto& [name, at] : kernel.symbols->functions)
    if (at == address) {
      const Function* f = kernel.functions.find(name);
      return f != nullptr && f->entry ? f : nullptr;
    }
  return nullptr;
}

NestedLaunches& launches(Warp& warp) {
  return *warp.cta().grid().nested;
}

/// void* (void* function, dim3 grid, dim3 block, unsigned shared)
void get_buffer(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    Nested n;
    n.function = argument(warp, site, 0, lane);
    n.grid = dim3_argument(warp, site, 1, lane);
    n.block = dim3_argument(warp, site, 2, lane);
    n.shared = std::uint32_t(argument(warp, site, 3, lane));
    const Function* f = entry_at(*warp.cta().grid().kernel, n.function);
    if (f == nullptr) warp.fail(lane, "launch of address {:#x}, where no kernel is", n.function);
    n.bytes = parameter_bytes(*f);
    return launches(warp).prepare(n);
  });
}

/// cudaError_t (void* buffer, cudaStream_t)
void launch_buffer(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    const std::uint64_t buffer = argument(warp, site, 0, lane);
    if (buffer == 0) return too_many_pending;
    return launches(warp).launch(buffer) ? success : invalid_function;
  });
}

/// cudaError_t (void* to, const void* from, size_t, kind, stream)
void copy(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    Nested n;
    n.kind = Nested::Kind::copy;
    n.to = argument(warp, site, 0, lane);
    n.from = argument(warp, site, 1, lane);
    n.bytes = argument(warp, site, 2, lane);
    launches(warp).add(n);
    return success;
  });
}

/// cudaError_t (void* to, int value, size_t, stream)
void fill(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    Nested n;
    n.kind = Nested::Kind::fill;
    n.to = argument(warp, site, 0, lane);
    n.value = int(argument(warp, site, 1, lane));
    n.bytes = argument(warp, site, 2, lane);
    launches(warp).add(n);
    return success;
  });
}

/// cudaError_t (void** pointer, size_t)
void take_memory(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    const std::uint64_t address = warp.cta().grid().heap->allocate(argument(warp, site, 1, lane));
    store(warp, op, argument(warp, site, 0, lane), lane, address);
    return address != 0 ? success : out_of_memory;
  });
}
void free_memory(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    const std::uint64_t address = argument(warp, site, 0, lane);
    return address == 0 || warp.cta().grid().heap->free(address) ? success : invalid_value;
  });
}

void nothing(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [](int, const CallSite&) { return std::uint64_t{success}; });
}
/// A stream or event: everything is in order, so one handle does for all.
void handle(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    store(warp, op, argument(warp, site, 0, lane), lane, std::uint64_t{1});
    return success;
  });
}
template <int Value>
void number(Warp& warp, const Op& op, std::uint32_t lanes) {
  answer(warp, op, lanes, [&](int lane, const CallSite& site) -> std::uint64_t {
    store(warp, op, argument(warp, site, 0, lane), lane, Value);
    return success;
  });
}

/// void cudaGraphSetConditional(handle, unsigned value): the handle is the address of the value.
void set_condition(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  for_lanes(lanes, [&](int lane) {
    store(warp, op, argument(warp, site, 0, lane), lane, std::uint32_t(argument(warp, site, 1, lane)));
  });
}

struct Row {
  std::string_view name;
  Handler run;
};
constexpr Row rows[] = {{"GetParameterBufferV2", get_buffer},
                        {"LaunchDeviceV2", launch_buffer},
                        {"MemcpyAsync", copy},
                        {"MemsetAsync", fill},
                        {"Malloc", take_memory},
                        {"Free", free_memory},
                        {"GetLastError", nothing},
                        {"PeekAtLastError", nothing},
                        {"StreamCreateWithFlags", handle},
                        {"StreamDestroy", nothing},
                        {"StreamWaitEvent", nothing},
                        {"EventCreateWithFlags", handle},
                        {"EventRecord", nothing},
                        {"EventRecordWithFlags", nothing},
                        {"EventDestroy", nothing},
                        {"GetDevice", number<0>},
                        {"GetDeviceCount", number<1>}};

}  // namespace

/// Buffers that were never launched, or not reached.
NestedLaunches::~NestedLaunches() {
  for (const auto& [buffer, launch] : prepared_) buffers_.free(buffer);
  for (const Nested& n : queue_)
    if (n.kind == Nested::Kind::kernel) buffers_.free(n.from);
}

std::uint64_t NestedLaunches::prepare(const Nested& launch) {
  const std::uint64_t buffer = buffers_.allocate(launch.bytes);
  if (buffer == 0) return 0;
  const std::lock_guard lock(mutex_);
  Nested& kept = prepared_[buffer] = launch;
  kept.from = buffer;
  return buffer;
}

bool NestedLaunches::launch(std::uint64_t buffer) {
  const std::lock_guard lock(mutex_);
  const auto at = prepared_.find(buffer);
  if (at == prepared_.end()) return false;
  queue_.push_back(at->second);
  prepared_.erase(at);
  return true;
}

void NestedLaunches::add(const Nested& nested) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(nested);
}

std::optional<Nested> NestedLaunches::next() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  const Nested first = queue_.front();
  queue_.pop_front();
  return first;
}

std::uint64_t parameter_bytes(const Function& entry) {
  std::uint64_t at = 0;
  for (const Variable& v : entry.parameters) {
    const auto align = std::uint64_t(std::max(v.align, 1));
    at = (at + align - 1) / align * align + std::uint64_t(v.bytes);
  }
  return at;
}

Handler find_nested_call(std::string_view name) {
  if (name == "cudaGraphSetConditional") return set_condition;
  constexpr std::string_view prefix = "__cudaCDP2", per_thread = "_ptsz";
  if (!name.starts_with(prefix)) return nullptr;
  name.remove_prefix(prefix.size());
  if (name.ends_with(per_thread)) name.remove_suffix(per_thread.size());
  for (const Row& row : rows)
    if (row.name == name) return row.run;
  return nullptr;
}

}  // namespace twofour::emu::ptx
