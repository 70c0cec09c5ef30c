#pragma once
// The CUDA state of a process: one device, what the program registered, what it allocated, its errors. All
// work is done when it is asked for, so that streams and events are in order by themselves.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "twofour/emu/ptx/device.h"
#include "twofour/runtime/cuda_abi.h"
#include "twofour/runtime/device_facts.h"
#include "twofour/runtime/program_module.h"

/// What handles point to.
struct CudaGraphNode;
struct CudaGraph;
struct CudaStream {
  unsigned flags = 0;
  int priority = 0;
  std::uint64_t id = 0;
  CudaGraph* capture = nullptr;           ///< where its work goes instead of being done
  std::vector<CudaGraphNode*> last = {};  ///< what the next captured work waits for
};
struct CudaEvent {
  unsigned flags = 0;
  bool recorded = false;
  std::chrono::steady_clock::time_point at = {};
  double modelled_us = 0;        ///< the same in cycle mode (cycle_mode.h)
  CudaGraph* capture = nullptr;  ///< recorded in a stream that was captured, after these
  std::vector<CudaGraphNode*> last = {};
};
struct CudaKernel {
  twofour::runtime::ProgramModule* module = nullptr;
  std::string name;         ///< mangled, as in the PTX
  int dynamic_shared = -1;  ///< set by cudaFuncSetAttribute; -1: what 48 KiB leave
};

namespace twofour::runtime {

/// Ends an API function with this code.
struct Refusal {
  cudaError_t code;
};
[[noreturn]] inline void refuse(cudaError_t code) {
  throw Refusal{code};
}
inline void require(bool kept, cudaError_t code) {
  if (!kept) refuse(code);
}

/// A __device__, __constant__ or __managed__ variable.
struct ProgramVariable {
  ProgramModule* module = nullptr;
  std::string name;
};

struct Allocation {
  std::uint64_t bytes = 0;
  cudaMemoryType type = cudaMemoryTypeDevice;
  bool registered = false;  ///< memory of the host by cudaHostRegister
  bool of_graph = false;    ///< stays until the process ends, for the graph may run again
};

/// A launch that is allowed, with its own copy of the arguments.
struct KernelWork {
  CudaKernel* kernel = nullptr;
  dim3 grid, block;
  std::size_t shared = 0;
  bool cooperative = false;
  std::vector<std::byte> parameters;
};

class Process {
 public:
  /// Lives until the process ends: programs call the runtime from their own exit handlers.
  static Process& get();

  /// Runs the body of an API function, one thread at a time; gives its error, and keeps it for
  /// cudaGetLastError. A sticky error is returned without running the body. Text of an Error goes to stderr.
  cudaError_t guarded(const char* function, const std::function<void()>& body);
  /// Last error of this thread; `forget` resets it, unless it is sticky.
  cudaError_t last_error(bool forget);

  /// Made at first use, of the machine that TWOFOUR_MACHINE names. Throws Error.
  emu::ptx::Device& device();
  const DeviceFacts& facts();
  /// cudaDeviceReset: memory, modules and sticky errors are gone.
  void reset();

  ProgramModule& add_module(const void* wrapper);
  void add_kernel(const void* host, CudaKernel kernel) { kernels_[host] = std::move(kernel); }
  void add_variable(const void* host, ProgramVariable variable) { variables_[host] = std::move(variable); }
  /// By the host function's address or by handle. Throws Refusal.
  CudaKernel& kernel(const void* function);
  const KernelInfo& info(CudaKernel& kernel);
  emu::ptx::Device::Symbol symbol(const void* host);

  /// Throws Refusal: cudaErrorMemoryAllocation.
  void* allocate(std::uint64_t bytes, cudaMemoryType type);
  /// Of a graph that is being made: never freed.
  void keep(void* pointer);
  /// Memory of the host; kernels reach it where its addresses let them. Throws Refusal.
  void register_host(void* pointer, std::uint64_t bytes);
  void unregister_host(void* pointer);
  /// Throws Refusal unless it is such an allocation.
  void free(void* pointer, std::initializer_list<cudaMemoryType> types);
  /// What is allocated now is a leak.
  void check_leaks();
  /// The allocation that holds the address; null if none does.
  const Allocation* find(const void* pointer) const;
  /// Bytes behind a pointer of the program. A device pointer must have them all in one allocation; anything
  /// else is taken for memory of the host unless `device`.
  std::byte* view(const void* pointer, std::uint64_t bytes, bool device);

  /// Throws Refusal for what CUDA refuses at a launch.
  KernelWork prepare(CudaKernel& kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                     bool cooperative = false);
  /// Launches and waits. Errors of the kernel are sticky.
  void launch(const KernelWork& work);
  /// Dynamic shared memory that a launch of the kernel may ask for.
  int dynamic_shared_limit(CudaKernel& kernel);

  std::set<CudaStream*> streams;
  std::set<CudaEvent*> events;
  std::uint64_t next_stream = 3;  ///< 0 to 2 are the default streams
  unsigned flags = 0;             ///< cudaSetDeviceFlags

 private:
  Process();
  void check_launch(CudaKernel& kernel, dim3 grid, dim3 block, std::size_t shared, bool cooperative);

  std::recursive_mutex mutex_;  ///< host functions of graphs call the runtime
  cudaError_t sticky_ = cudaSuccess;
  std::unique_ptr<emu::ptx::Device> device_;
  std::unique_ptr<DeviceFacts> facts_;
  std::map<ProgramModule*, std::unique_ptr<ProgramModule>> modules_;
  std::map<const void*, CudaKernel> kernels_;
  std::map<const void*, ProgramVariable> variables_;
  std::map<std::uint64_t, Allocation> allocations_;
};

/// Process::guarded of the one process.
cudaError_t api(const char* function, const std::function<void()>& body);

}  // namespace twofour::runtime
