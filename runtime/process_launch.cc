// Launches of a process: what CUDA refuses before a kernel starts, its arguments, its errors.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "twofour/emu/ptx/kernel_error.h"
#include "twofour/runtime/checkers.h"
#include "twofour/runtime/process.h"

namespace twofour::runtime {
namespace {

bool fits(dim3 size, const int (&most)[3]) {
  return size.x >= 1 && size.y >= 1 && size.z >= 1 && size.x <= unsigned(most[0]) &&
         size.y <= unsigned(most[1]) && size.z <= unsigned(most[2]);
}

std::vector<std::byte> parameter_bytes(const KernelInfo& info, void** arguments) {
  std::vector<std::byte> bytes(std::size_t(info.parameter_bytes));
  for (std::size_t i = 0; i < info.parameters.size(); ++i) {
    require(arguments && arguments[i], cudaErrorInvalidValue);
    std::memcpy(bytes.data() + info.parameters[i].offset, arguments[i],
                std::size_t(info.parameters[i].bytes));
  }
  return bytes;
}

/// CUDA's code for what stopped a kernel.
cudaError_t sticky_code(emu::ptx::Fault fault) {
  switch (fault) {
    case emu::ptx::Fault::address: return cudaErrorIllegalAddress;
    case emu::ptx::Fault::alignment: return cudaErrorMisalignedAddress;
    case emu::ptx::Fault::assertion: return cudaErrorAssert;
    default: return cudaErrorLaunchFailure;
  }
}

}  // namespace

void Process::warn_of(const emu::ptx::LaunchReport& report, const CudaKernel& kernel) {
  if (report.stray_reads == 0 || std::exchange(warned_, true)) return;
  std::fflush(stdout);
  fmt::print(stderr,
             "twofour: kernel {} reads outside its allocations, in memory that a GPU has mapped around them; "
             "`twofour run --tool memcheck -- PROGRAM` says where\n",
             kernel.name);
}

int Process::dynamic_shared_limit(CudaKernel& kernel) {
  if (kernel.dynamic_shared >= 0) return kernel.dynamic_shared;
  return std::max(0, facts().shared_per_cta - int(info(kernel).shared_bytes));
}

void Process::check_launch(CudaKernel& kernel, dim3 grid, dim3 block, std::size_t shared, bool cooperative) {
  require(fits(grid, max_grid) && fits(block, max_block), cudaErrorInvalidConfiguration);
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  require(threads <= max_threads_per_cta, cudaErrorInvalidConfiguration);
  require(threads <= std::uint64_t(info(kernel).max_threads), cudaErrorInvalidValue);
  require(shared <= std::size_t(dynamic_shared_limit(kernel)), cudaErrorInvalidValue);
  require(info(kernel).shared_bytes + std::int64_t(shared) <= facts().shared_optin, cudaErrorInvalidValue);
  const int resident =
      active_ctas(facts(), std::int64_t(threads), info(kernel).shared_bytes + std::int64_t(shared));
  require(!cooperative || std::uint64_t{grid.x} * grid.y * grid.z <= std::uint64_t(resident) * facts().sms,
          cudaErrorCooperativeLaunchTooLarge);
}

KernelWork Process::prepare(CudaKernel& kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                            bool cooperative) {
  const KernelInfo& kernel_info = info(kernel);
  check_launch(kernel, grid, block, shared, cooperative);
  return {.kernel = &kernel,
          .grid = grid,
          .block = block,
          .shared = shared,
          .cooperative = cooperative,
          .parameters = parameter_bytes(kernel_info, arguments)};
}

void Process::launch(const KernelWork& work) {
  const emu::ptx::Launch launch{.grid = {work.grid.x, work.grid.y, work.grid.z},
                                .block = {work.block.x, work.block.y, work.block.z},
                                .dynamic_shared = work.shared,
                                .parameters = work.parameters,
                                .cooperative = work.cooperative};
  const auto stop = [&](cudaError_t code, const Error& e) {
    std::fflush(stdout);
    if (!is_found(e.what())) fmt::print(stderr, "twofour: {}\n", e.what());
    sticky_ = code;
    refuse(code);
  };
  try {
    const auto report =
        device().launch(*work.kernel->module->loaded(device()).code, work.kernel->name, launch);
    warn_of(report, *work.kernel);
  } catch (const emu::ptx::KernelError& e) {
    stop(sticky_code(e.fault), e);
  } catch (const Error& e) {
    stop(cudaErrorLaunchFailure, e);
  }
}

}  // namespace twofour::runtime
