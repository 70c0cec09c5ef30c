// Functions that CUDA 12 and CUDA 13 know by other layouts or names. Compiled once for each: CUDA_MAJOR.
#include <cstddef>
#include <cstring>

#include "twofour/runtime/api.h"
#include "twofour/runtime/device_prop.h"

using namespace twofour::runtime;

namespace {

constexpr int version = CUDA_MAJOR == 12 ? 12090 : 13000;

struct PointerAttributes {
  cudaPointerAttributes known;
#if CUDA_MAJOR >= 13
  long reserved[8];
#endif
};

}  // namespace

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* v) {
  return api(__func__, [&] { required(v) = version; });
}

/// There is no driver; the number is that of one that just suffices.
cudaError_t cudaDriverGetVersion(int* v) {
  return api(__func__, [&] { required(v) = version; });
}

cudaError_t cudaGraphAddNode_v2(void*, void*, const void*, const void*, std::size_t, void*);
cudaError_t cudaGraphAddDependencies_v2(void*, const void*, const void*, const void*, std::size_t);

#if CUDA_MAJOR == 12
cudaError_t cudaGraphAddNode(void* node, void* graph, const void* after, std::size_t count, void* params) {
  return cudaGraphAddNode_v2(node, graph, after, nullptr, count, params);
}

cudaError_t cudaGraphAddDependencies(void* graph, const void* from, const void* to, std::size_t count) {
  return cudaGraphAddDependencies_v2(graph, from, to, nullptr, count);
}

cudaError_t cudaGetDeviceProperties_v2(DeviceProp12* prop, int device) {
  return api(__func__, [&] {
    require(device == 0, cudaErrorInvalidDevice);
    required(prop) = device_prop_12(Process::get().facts());
  });
}

cudaError_t cudaThreadSynchronize() {
  return api(__func__, [] {});
}

cudaError_t cudaThreadExit() {
  Process::get().reset();
  return cudaSuccess;
}

/// The layout of CUDA 11, which is how that of CUDA 12 begins.
cudaError_t cudaGetDeviceProperties(void* prop, int device) {
  return api(__func__, [&] {
    require(prop != nullptr, cudaErrorInvalidValue);
    require(device == 0, cudaErrorInvalidDevice);
    const DeviceProp12 all = device_prop_12(Process::get().facts());
    std::memcpy(prop, &all, offsetof(DeviceProp12, host_register));
  });
}
#else
cudaError_t cudaGraphAddNode(void* node, void* graph, const void* after, const void* edges, std::size_t count,
                             void* params) {
  return cudaGraphAddNode_v2(node, graph, after, edges, count, params);
}

cudaError_t cudaGraphAddDependencies(void* graph, const void* from, const void* to, const void* edges,
                                     std::size_t count) {
  return cudaGraphAddDependencies_v2(graph, from, to, edges, count);
}

cudaError_t cudaGetDeviceProperties(DeviceProp13* prop, int device) {
  return api(__func__, [&] {
    require(device == 0, cudaErrorInvalidDevice);
    required(prop) = device_prop_13(Process::get().facts());
  });
}
#endif

cudaError_t cudaPointerGetAttributes(PointerAttributes* attributes, const void* pointer) {
  return api(__func__, [&] {
    PointerAttributes& a = required(attributes) = {};
    const Allocation* found = Process::get().find(pointer);
    a.known.type = found ? found->type : cudaMemoryTypeUnregistered;
    a.known.device = found ? 0 : -2;  // cudaInvalidDeviceId
    if (found) a.known.devicePointer = const_cast<void*>(pointer);
    if (!found || found->type != cudaMemoryTypeDevice) a.known.hostPointer = const_cast<void*>(pointer);
  });
}

}  // extern "C"
