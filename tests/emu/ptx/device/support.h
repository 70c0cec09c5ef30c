#pragma once
// Small kernels for the tests of the executor.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "twofour/emu/ptx/device.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx::test {

/// A kernel `k` with parameter `out` (u64) and more. Its body finds: thread in %r0, address of out in %d0, of
/// element %r0 of out (4 bytes each) in %d1. Registers from %r1, %d2, %f0, %h0, %p0 on are free.
std::string kernel(const std::string& body, const std::string& more_parameters = "",
                   const std::string& before = "");

class TestDevice {
 public:
  explicit TestDevice(const std::string& text,
                      DeviceOptions options = {.threads = 1, .instruction_limit = {}, .print = {}},
                      std::string entry = "k");

  Device& device() { return device_; }
  const LoadedModule& module() const { return *module_; }

  template <class T>
  std::uint64_t upload(const std::vector<T>& values) {
    const std::uint64_t address = device_.allocate(values.size() * sizeof(T));
    if (!values.empty())
      std::memcpy(device_.bytes(address, values.size() * sizeof(T)).data(), values.data(),
                  values.size() * sizeof(T));
    return address;
  }
  template <class T>
  std::vector<T> download(std::uint64_t address, std::size_t count) {
    std::vector<T> values(count);
    std::memcpy(values.data(), device_.bytes(address, count * sizeof(T)).data(), count * sizeof(T));
    return values;
  }

  /// Each argument at its alignment.
  template <class... Args>
  LaunchReport run(Dim3 grid, Dim3 block, std::uint64_t dynamic_shared, Args... args) {
    std::vector<std::byte> parameters;
    (append(parameters, args), ...);
    return device_.launch(*module_, entry_, {grid, block, dynamic_shared, parameters});
  }

  /// What one block of threads leaves in out[0 .. count).
  template <class... Args>
  std::vector<std::uint32_t> results(std::uint32_t threads, std::size_t count, Args... args) {
    const std::uint64_t out = upload(std::vector<std::uint32_t>(count));
    run({1, 1, 1}, {threads, 1, 1}, 0, out, args...);
    return download<std::uint32_t>(out, count);
  }

 private:
  template <class T>
  static void append(std::vector<std::byte>& parameters, T value) {
    parameters.resize((parameters.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T) + sizeof(T));
    std::memcpy(parameters.data() + parameters.size() - sizeof(T), &value, sizeof(T));
  }

  Device device_;
  std::shared_ptr<LoadedModule> module_;
  std::string entry_;
};

/// The message of the Error that f throws; empty if none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

/// The message contains all of these.
inline void expect_words(const std::string& message, std::initializer_list<std::string> words) {
  for (const std::string& word : words)
    EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
}

}  // namespace twofour::emu::ptx::test
