// Launches and what is known of kernels.
#include <algorithm>
#include <vector>

#include "twofour/runtime/api.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;

namespace {

struct Configuration {
  dim3 grid, block;
  std::size_t shared;
  cudaStream_t stream;
};
/// <<<...>>> pushes, the kernel's stub pops.
thread_local std::vector<Configuration> configurations;

cudaError_t launch(const char* function, const void* kernel, dim3 grid, dim3 block, void** arguments,
                   std::size_t shared, cudaStream_t stream, bool cooperative = false) {
  return api(function, [&] {
    check_stream(stream);
    Process& process = Process::get();
    submit(stream, process.prepare(process.kernel(kernel), grid, block, arguments, shared, cooperative));
  });
}

/// Whether the launch is cooperative. Throws Refusal for attributes that change what a kernel may do and that
/// are not there.
bool read_attributes(const cudaLaunchConfig_t& config) {
  bool cooperative = false;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const auto& [id, pad, value] = config.attrs[i];
    if (id == cudaLaunchAttributeCooperative) cooperative = value.cooperative != 0;
    require(id != cudaLaunchAttributeClusterDimension ||
                (value.cluster.x <= 1 && value.cluster.y <= 1 && value.cluster.z <= 1),
            cudaErrorNotSupported);
  }
  return cooperative;
}

}  // namespace

extern "C" {

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream) {
  configurations.push_back({grid, block, shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* shared, void* stream) {
  return api(__func__, [&] {
    require(!configurations.empty(), cudaErrorMissingConfiguration);
    const Configuration c = configurations.back();
    configurations.pop_back();
    *grid = c.grid;
    *block = c.block;
    *shared = c.shared;
    *static_cast<cudaStream_t*>(stream) = c.stream;
  });
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return api(__func__, [&] { required(kernel) = &Process::get().kernel(function); });
}

cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return __cudaGetKernel(kernel, function);
}

cudaError_t cudaGetFuncBySymbol(cudaKernel_t* kernel, const void* function) {
  return __cudaGetKernel(kernel, function);
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                             std::size_t shared, cudaStream_t stream) {
  return launch(__func__, function, grid, block, arguments, shared, stream);
}
TWOFOUR_SAME_AS(cudaLaunchKernel, cudaLaunchKernel_ptsz);

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               std::size_t shared, cudaStream_t stream) {
  return launch("cudaLaunchKernel", kernel, grid, block, arguments, shared, stream);
}
TWOFOUR_SAME_AS(__cudaLaunchKernel, __cudaLaunchKernel_ptsz);

cudaError_t cudaLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                        std::size_t shared, cudaStream_t stream) {
  return launch(__func__, function, grid, block, arguments, shared, stream, true);
}
TWOFOUR_SAME_AS(cudaLaunchCooperativeKernel, cudaLaunchCooperativeKernel_ptsz);

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function, void** arguments) {
  bool cooperative = false;
  const cudaError_t error = api(__func__, [&] { cooperative = read_attributes(required(config)); });
  if (error != cudaSuccess) return error;
  return launch(__func__, function, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                static_cast<cudaStream_t>(config->stream), cooperative);
}
TWOFOUR_SAME_AS(cudaLaunchKernelExC, cudaLaunchKernelExC_ptsz);

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  return api(__func__, [&] {
    Process& process = Process::get();
    CudaKernel& kernel = process.kernel(function);
    const KernelInfo& info = process.info(kernel);
    cudaFuncAttributes& a = required(attributes) = {};
    a.sharedSizeBytes = std::size_t(info.shared_bytes);
    a.constSizeBytes = std::size_t(info.constant_bytes);
    a.localSizeBytes = std::size_t(info.local_bytes);
    a.maxThreadsPerBlock = info.max_threads;
    a.numRegs = info.max_registers > 0 ? info.max_registers : 32;  // PTX does not say
    a.ptxVersion = info.ptx_version;
    a.binaryVersion = process.facts().major * 10 + process.facts().minor;
    a.maxDynamicSharedSizeBytes = process.dynamic_shared_limit(kernel);
    a.preferredShmemCarveout = -1;
  });
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return api(__func__, [&] {
    Process& process = Process::get();
    CudaKernel& kernel = process.kernel(function);
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return;
    require(attribute == cudaFuncAttributeMaxDynamicSharedMemorySize, cudaErrorInvalidValue);
    require(value >= 0 && value + process.info(kernel).shared_bytes <= process.facts().shared_optin,
            cudaErrorInvalidValue);
    kernel.dynamic_shared = value;
  });
}

cudaError_t cudaFuncSetCacheConfig(const void* function, int) {
  return api(__func__, [&] { Process::get().kernel(function); });
}

cudaError_t cudaFuncSetSharedMemConfig(const void* function, int) {
  return api(__func__, [&] { Process::get().kernel(function); });
}

cudaError_t cudaFuncGetName(const char** name, const void* function) {
  return api(__func__, [&] { required(name) = Process::get().kernel(function).name.c_str(); });
}

cudaError_t cudaFuncGetParamInfo(const void* function, std::size_t index, std::size_t* offset,
                                 std::size_t* size) {
  return api(__func__, [&] {
    Process& process = Process::get();
    const KernelInfo& info = process.info(process.kernel(function));
    require(index < info.parameters.size(), cudaErrorInvalidValue);
    required(offset) = std::size_t(info.parameters[index].offset);
    if (size) *size = std::size_t(info.parameters[index].bytes);
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* function,
                                                                   int threads, std::size_t shared,
                                                                   unsigned) {
  return api(__func__, [&] {
    Process& process = Process::get();
    const KernelInfo& info = process.info(process.kernel(function));
    require(threads > 0, cudaErrorInvalidValue);
    required(blocks) = threads > info.max_threads
                           ? 0
                           : active_ctas(process.facts(), threads, info.shared_bytes + std::int64_t(shared));
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function, int threads,
                                                          std::size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, shared, 0);
}

cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, const void* function, int blocks,
                                                      int threads) {
  return api(__func__, [&] {
    Process& process = Process::get();
    const KernelInfo& info = process.info(process.kernel(function));
    const DeviceFacts& facts = process.facts();
    require(blocks > 0 && active_ctas(facts, threads, info.shared_bytes) >= blocks, cudaErrorInvalidValue);
    const std::int64_t each = facts.shared_per_sm / blocks / 128 * 128 - facts.shared_reserved;
    required(bytes) = std::size_t(
        std::max<std::int64_t>(0, std::min<std::int64_t>(each, facts.shared_optin) - info.shared_bytes));
  });
}

}  // extern "C"
