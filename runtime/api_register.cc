// What a program calls before main: its device code, kernels and variables. A fatbin's handle is its module.
#include <cstdlib>
#include <vector>

#include "twofour/runtime/api.h"

using namespace twofour::runtime;

namespace {

struct Managed {
  ProgramModule* module;
  void** pointer;
  std::string name;
};
std::vector<Managed>& managed_variables() {
  static auto* const all = new std::vector<Managed>;
  return *all;
}

ProgramModule* module_of(void** handle) {
  return reinterpret_cast<ProgramModule*>(handle);
}

void register_variable(void** handle, const void* host, const char* name) {
  api("__cudaRegisterVar",
      [&] { Process::get().add_variable(host, {.module = module_of(handle), .name = name}); });
}

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  void** handle = nullptr;
  api(__func__, [&] { handle = reinterpret_cast<void**>(&Process::get().add_module(wrapper)); });
  return handle;
}

void __cudaRegisterFatBinaryEnd(void**) {}

// Kernels may still be asked for by later exit handlers: nothing is given up before the process ends.
void __cudaUnregisterFatBinary(void**) {}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, void*, void*,
                            void*, void*, int*) {
  api(__func__, [&] { Process::get().add_kernel(host, {.module = module_of(handle), .name = name}); });
}

void __cudaRegisterVar(void** handle, char* host, char*, const char* name, int, std::size_t, int, int) {
  register_variable(handle, host, name);
}

void __cudaRegisterManagedVar(void** handle, void** host, char*, const char* name, int, std::size_t, int,
                              int) {
  register_variable(handle, host, name);
  managed_variables().push_back({module_of(handle), host, name});
}

void __cudaRegisterHostVar(void** handle, const char* name, char* host, std::size_t) {
  register_variable(handle, host, name);
}

/// The host reads managed variables through pointers, which are set here.
char __cudaInitModule(void** handle) {
  const cudaError_t error = api(__func__, [&] {
    Process& process = Process::get();
    for (auto& variable : managed_variables()) {
      if (variable.module != module_of(handle) || !variable.pointer) continue;
      const auto symbol = process.symbol(variable.pointer);
      *variable.pointer = process.view(reinterpret_cast<void*>(symbol.address), symbol.bytes, true);
    }
  });
  return error == cudaSuccess ? 1 : 0;
}

cudaError_t cudaGetSymbolAddress(void** address, const void* symbol) {
  return api(__func__,
             [&] { required(address) = reinterpret_cast<void*>(Process::get().symbol(symbol).address); });
}

cudaError_t cudaGetSymbolSize(std::size_t* size, const void* symbol) {
  return api(__func__, [&] { required(size) = Process::get().symbol(symbol).bytes; });
}

}  // extern "C"
