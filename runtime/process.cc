#include "twofour/runtime/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "twofour/isa/error.h"
#include "twofour/isa/machine.h"
#include "twofour/runtime/checkers.h"
#include "twofour/runtime/cycle_mode.h"
#include "twofour/runtime/error_names.h"
#include "twofour/runtime/observers.h"

namespace twofour::runtime {
namespace {

thread_local cudaError_t last = cudaSuccess;

void say(const char* function, const std::string& what) {
  std::fflush(stdout);  // what kernels printed comes first
  fmt::print(stderr, "twofour: {}: {}\n", function, what);
}

isa::Machine chosen_machine() {
  const char* name = std::getenv("TWOFOUR_MACHINE");
  return isa::load_machine(name && *name ? name : "a100-sxm4-80gb");
}

}  // namespace

Process::Process() {
  process_checkers();
}

Process& Process::get() {
  static Process* const process = new Process;
  return *process;
}

cudaError_t Process::guarded(const char* function, const std::function<void()>& body) {
  const std::scoped_lock lock(mutex_);
  if (sticky_ != cudaSuccess) return last = sticky_;
  try {
    body();
    return cudaSuccess;
  } catch (const Refusal& refusal) {
    last = refusal.code;
  } catch (const Error& e) {
    say(function, e.what());
    last = cudaErrorInvalidValue;
  } catch (const std::bad_alloc&) {
    last = cudaErrorMemoryAllocation;
  }
  return last;
}

cudaError_t Process::last_error(bool forget) {
  const std::scoped_lock lock(mutex_);
  const cudaError_t error = sticky_ != cudaSuccess ? sticky_ : last;
  if (forget) last = cudaSuccess;
  return error;
}

emu::ptx::Device& Process::device() {
  if (!device_) try {
      const isa::Machine machine = chosen_machine();
      facts_ = std::make_unique<DeviceFacts>(device_facts(machine));
      emu::ptx::DeviceOptions options;
      options.memory_bytes = facts_->memory_bytes;
      options.observers = process_observers();
      if (cycle_mode()) options.observers.push_back(&cycle_observer(machine));
      if (const auto* checkers = process_checkers()) checkers->watch(options);
      options.allow_stray = options.memory_gap == 0;  // memcheck leaves gaps
      device_ = std::make_unique<emu::ptx::Device>(machine, options);
    } catch (const Error& e) {
      say("the device", e.what());
      refuse(cudaErrorInitializationError);
    }
  return *device_;
}

const DeviceFacts& Process::facts() {
  device();
  return *facts_;
}

void Process::reset() {
  const std::scoped_lock lock(mutex_);
  for (auto& [key, module] : modules_) module->unload();
  if (sticky_ == cudaSuccess) found_leaks(allocations_);
  allocations_.clear();
  device_.reset();
  sticky_ = last = cudaSuccess;
}

ProgramModule& Process::add_module(const void* wrapper) {
  auto module = std::make_unique<ProgramModule>(wrapper, int(modules_.size()) + 1);
  ProgramModule& added = *module;
  modules_[&added] = std::move(module);
  return added;
}

CudaKernel& Process::kernel(const void* function) {
  if (const auto at = kernels_.find(function); at != kernels_.end()) return at->second;
  for (auto& [host, kernel] : kernels_)
    if (&kernel == function) return kernel;
  refuse(cudaErrorInvalidDeviceFunction);
}

const KernelInfo& Process::info(CudaKernel& kernel) {
  const ProgramModule::Loaded* loaded = nullptr;
  try {
    loaded = &kernel.module->loaded(device());
  } catch (const Error& e) {
    say(kernel.name.c_str(), e.what());
    refuse(cudaErrorNoKernelImageForDevice);
  }
  const auto at = loaded->kernels.find(kernel.name);
  if (at != loaded->kernels.end()) return at->second;
  say(kernel.name.c_str(), "the PTX of its file has no such kernel");
  refuse(cudaErrorInvalidDeviceFunction);
}

emu::ptx::Device::Symbol Process::symbol(const void* host) {
  const auto at = variables_.find(host);
  require(at != variables_.end(), cudaErrorInvalidSymbol);
  const auto& [module, name] = at->second;
  return device().symbol(*module->loaded(device()).code, name);
}

cudaError_t api(const char* function, const std::function<void()>& body) {
  return Process::get().guarded(function, body);
}

}  // namespace twofour::runtime
