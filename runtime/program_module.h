#pragma once
// Device code that a program registers when it starts: parsed and loaded when something of it is first used,
// because a program with many kernels usually runs few.
#include <map>
#include <memory>
#include <string>

#include "twofour/emu/ptx/device.h"
#include "twofour/runtime/kernel_info.h"

namespace twofour::runtime {

class ProgramModule {
 public:
  /// `number` is for messages. The wrapper is read when something is first used.
  ProgramModule(const void* wrapper, int number);

  struct Loaded {
    std::shared_ptr<emu::ptx::LoadedModule> code;
    std::map<std::string, KernelInfo, std::less<>> kernels;
  };
  /// Loads at the first call. Throws Error for what read_fatbin, parse and Device::load refuse, and does so
  /// again on every call.
  const Loaded& loaded(emu::ptx::Device& device);
  /// The device is gone: the next use loads again.
  void unload() { loaded_.reset(); }

 private:
  const void* wrapper_;
  std::string name_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace twofour::runtime
