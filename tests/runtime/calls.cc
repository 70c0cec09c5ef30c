#include "calls.h"

#include <fmt/format.h>

#include "fatbin_builder.h"
#include "twofour/isa/file.h"

namespace twofour::runtime {
namespace {

constexpr const char* version = "libcudart.so.13";

}  // namespace

Program::Program(const CudaLibrary& cuda, const std::string& name) : cuda_(cuda) {
  const std::string path = fmt::format("{}/tests/runtime/programs/{}.ptx", TWOFOUR_SOURCE_DIR, name);
  fatbin_ = FatbinBuilder({{.text = isa::read_file(path), .packing = Packing::zstd}}).bytes();
  wrapper_.data = fatbin_.data();
  handle_ = cuda_.find<void**(void*)>("__cudaRegisterFatBinary", version)(&wrapper_);
  cuda_.find<void(void**)>("__cudaRegisterFatBinaryEnd", version)(handle_);
}

const void* Program::register_name(const char* function, const char* mangled) {
  addresses_.push_back(std::make_unique<std::uint64_t>());
  const auto* host = reinterpret_cast<const char*>(addresses_.back().get());
  using Register = void(void**, const char*, char*, const char*, int, void*, void*, void*, void*, int*);
  cuda_.find<Register>(function, version)(handle_, host, const_cast<char*>(mangled), mangled, -1, nullptr,
                                          nullptr, nullptr, nullptr, nullptr);
  return host;
}

void* Program::variable(const char* name, int constant) {
  addresses_.push_back(std::make_unique<std::uint64_t>());
  auto* host = reinterpret_cast<char*>(addresses_.back().get());
  using Register = void(void**, char*, char*, const char*, int, std::size_t, int, int);
  cuda_.find<Register>("__cudaRegisterVar", version)(handle_, host, const_cast<char*>(name), name, 0, 4,
                                                     constant, 0);
  return host;
}

void** Program::managed(const char* name) {
  addresses_.push_back(std::make_unique<std::uint64_t>());
  auto** host = reinterpret_cast<void**>(addresses_.back().get());
  using Register = void(void**, void**, char*, const char*, int, std::size_t, int, int);
  cuda_.find<Register>("__cudaRegisterManagedVar", version)(handle_, host, const_cast<char*>(name), name, 0,
                                                            4, 0, 0);
  cuda_.find<char(void**)>("__cudaInitModule", version)(handle_);
  return host;
}

cudaError_t Program::launch(const void* kernel, dim3 grid, dim3 block, std::size_t shared,
                            std::vector<void*> args) {
  cudaKernel_t handle = nullptr;
  if (const auto e = cuda_.call("__cudaGetKernel", &handle, kernel); e != cudaSuccess) return e;
  cuda_.find<unsigned(dim3, dim3, std::size_t, cudaStream_t)>("__cudaPushCallConfiguration", version)(
      grid, block, shared, nullptr);
  dim3 g{}, b{};
  std::size_t s = 0;
  cudaStream_t stream = nullptr;
  if (const auto e = cuda_.call("__cudaPopCallConfiguration", &g, &b, &s, static_cast<void*>(&stream));
      e != cudaSuccess)
    return e;
  return cuda_.call("__cudaLaunchKernel", handle, g, b, args.data(), s, stream);
}

}  // namespace twofour::runtime
