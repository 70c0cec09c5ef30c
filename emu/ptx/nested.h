#pragma once
// Kernels that launch kernels: the device runtime's calls as nvcc compiles them (__cudaCDP2...). What a
// kernel launches, copies and fills is done in order after its grid has ended; CUDA lets it begin earlier,
// but a grid cannot wait for what it launched. Source: CUDA C++ Programming Guide, "CUDA Dynamic
// Parallelism".
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "twofour/emu/ptx/device.h"
#include "twofour/emu/ptx/heap.h"
#include "twofour/emu/ptx/program.h"

namespace twofour::emu::ptx {

/// One thing to do.
struct Nested {
  enum class Kind : std::uint8_t { kernel, copy, fill };
  Kind kind = Kind::kernel;
  std::uint64_t function = 0;                 ///< kernel: its address
  Dim3 grid, block;                           ///< kernel
  std::uint64_t shared = 0;                   ///< kernel: dynamic, bytes
  std::uint64_t to = 0, from = 0, bytes = 0;  ///< kernel: its parameters are at `from`
  int value = 0;                              ///< fill
};

class NestedLaunches {
 public:
  explicit NestedLaunches(DeviceHeap& buffers) : buffers_(buffers) {}
  ~NestedLaunches();
  NestedLaunches(const NestedLaunches&) = delete;
  NestedLaunches& operator=(const NestedLaunches&) = delete;
  /// A buffer for the parameters of a launch; 0: no room.
  std::uint64_t prepare(const Nested& launch);
  /// Queues the launch of a buffer; false: there is no such buffer.
  bool launch(std::uint64_t buffer);
  void add(const Nested& nested);
  std::optional<Nested> next();

 private:
  DeviceHeap& buffers_;
  std::mutex mutex_;
  std::map<std::uint64_t, Nested> prepared_;
  std::deque<Nested> queue_;
};

/// Bytes of an entry's parameters, each at its alignment.
std::uint64_t parameter_bytes(const Function& entry);

/// A function of the device runtime; null: none of its names. `name`: __cudaCDP2...
Handler find_nested_call(std::string_view name);

}  // namespace twofour::emu::ptx
