#pragma once
// The runtime's C functions, found by name in one of our libraries as the loader would find them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "twofour/runtime/cuda_abi.h"

namespace twofour::runtime {

/// The thread sanitizer's own memory lies at the device's addresses: then host and device share none.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool host_shares_memory = false;
#elif defined(__has_feature)
inline constexpr bool host_shares_memory = !__has_feature(thread_sanitizer);
#else
inline constexpr bool host_shares_memory = true;
#endif

class CudaLibrary {
 public:
  explicit CudaLibrary(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) ADD_FAILURE() << dlerror();
  }

  /// A function of type F under the library's version of the name; null with a failure where there is none.
  template <class F>
  F* find(const char* name, const char* version) const {
    void* found = dlvsym(handle_, name, version);
    if (!found) ADD_FAILURE() << name << "@" << version << " is missing";
    return reinterpret_cast<F*>(found);
  }

  template <class... Args>
  cudaError_t call(const char* name, Args... args) const {
    return find<cudaError_t(Args...)>(name, "libcudart.so.13")(args...);
  }

 private:
  void* handle_;
};

/// A program of tests/runtime/programs: its PTX in a fatbin, registered as nvcc's start-up code does.
class Program {
 public:
  Program(const CudaLibrary& cuda, const std::string& name);

  /// A kernel's or variable's host address: any address that is this program's own.
  const void* kernel(const char* mangled) { return register_name("__cudaRegisterFunction", mangled); }
  void* variable(const char* name, int constant);
  void** managed(const char* name);

  /// <<<grid, block, shared>>> with pointers to the arguments.
  cudaError_t launch(const void* kernel, dim3 grid, dim3 block, std::size_t shared, std::vector<void*> args);

 private:
  const void* register_name(const char* function, const char* mangled);

  const CudaLibrary& cuda_;
  std::string fatbin_;
  struct {
    std::uint32_t magic = 0x466243b1, version = 1;
    const void* data = nullptr;
    const void* unused = nullptr;
  } wrapper_;
  void** handle_ = nullptr;
  std::vector<std::unique_ptr<std::uint64_t>> addresses_;
};

}  // namespace twofour::runtime
