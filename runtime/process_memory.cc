// Memory of a process: what it allocated, and the bytes behind its pointers.
#include <fmt/format.h>

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/runtime/checkers.h"
#include "twofour/runtime/process.h"

namespace twofour::runtime {
namespace {

std::uint64_t number(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

}  // namespace

void* Process::allocate(std::uint64_t bytes, cudaMemoryType type) {
  if (bytes == 0) return nullptr;
  std::uint64_t address = 0;
  try {
    address = device().allocate(bytes);
  } catch (const Error&) {
    refuse(cudaErrorMemoryAllocation);
  }
  if (type != cudaMemoryTypeDevice && number(device().bytes(address, bytes).data()) != address) {
    device().free(address);
    fail(
        "memory that host and device share cannot be had here: the range of the device's addresses is taken "
        "in this process; use cudaMalloc and cudaMemcpy");
  }
  allocations_[address] = {.bytes = bytes, .type = type};
  return reinterpret_cast<void*>(address);
}

void Process::free(void* pointer, std::initializer_list<cudaMemoryType> types) {
  if (!pointer) return;
  const auto at = allocations_.find(number(pointer));
  const bool is_one =
      at != allocations_.end() && std::find(types.begin(), types.end(), at->second.type) != types.end();
  if (!is_one) found_bad_free(number(pointer), device().describe(number(pointer)));
  require(is_one, cudaErrorInvalidValue);
  if (at->second.of_graph) return;
  require(!at->second.registered, cudaErrorInvalidValue);
  allocations_.erase(at);
  device().free(number(pointer));
}

void Process::keep(void* pointer) {
  allocations_.at(number(pointer)).of_graph = true;
}

void Process::register_host(void* pointer, std::uint64_t bytes) {
  require(pointer != nullptr && bytes > 0, cudaErrorInvalidValue);
  const auto next = allocations_.lower_bound(number(pointer));
  const bool taken =
      find(pointer) != nullptr || (next != allocations_.end() && next->first - number(pointer) < bytes);
  require(!taken, cudaErrorHostMemoryAlreadyRegistered);
  if (!device().adopt(number(pointer), bytes)) return;
  allocations_[number(pointer)] = {.bytes = bytes, .type = cudaMemoryTypeHost, .registered = true};
}

void Process::unregister_host(void* pointer) {
  require(pointer != nullptr, cudaErrorInvalidValue);
  const auto at = allocations_.find(number(pointer));
  if (at == allocations_.end()) return;  // it could not be had
  require(at->second.registered, cudaErrorHostMemoryNotRegistered);
  allocations_.erase(at);
  device().disown(number(pointer));
}

void Process::check_leaks() {
  const std::scoped_lock lock(mutex_);
  if (sticky_ == cudaSuccess) found_leaks(allocations_);  // else the program could not free
}

const Allocation* Process::find(const void* pointer) const {
  auto at = allocations_.upper_bound(number(pointer));
  if (at == allocations_.begin()) return nullptr;
  --at;
  return number(pointer) - at->first < at->second.bytes ? &at->second : nullptr;
}

std::byte* Process::view(const void* pointer, std::uint64_t bytes, bool on_device) {
  if (bytes == 0) return nullptr;
  require(pointer != nullptr, cudaErrorInvalidValue);
  if (on_device || find(pointer)) return device().bytes(number(pointer), bytes).data();
  try {
    return device().bytes(number(pointer), bytes).data();  // a variable
  } catch (const Error&) {
    return const_cast<std::byte*>(static_cast<const std::byte*>(pointer));
  }
}

}  // namespace twofour::runtime
