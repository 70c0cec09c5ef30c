// Memory: allocations and pools.
#include <set>

#include "twofour/runtime/api.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;

/// The device's own pool, and those that programs make. All take from the same memory.
struct CudaMemPool {
  std::map<int, std::uint64_t> attributes;
};

namespace {

CudaMemPool the_pool;

std::set<cudaMemPool_t>& pools() {
  static auto* const all = new std::set<cudaMemPool_t>{&the_pool};
  return *all;
}

CudaMemPool& pool_of(cudaMemPool_t pool) {
  require(pools().contains(pool), cudaErrorInvalidValue);
  return *pool;
}

cudaError_t allocate(const char* function, void** pointer, std::size_t bytes, cudaMemoryType type) {
  return api(function, [&] { required(pointer) = Process::get().allocate(bytes, type); });
}

/// Memory of a graph has its address when the graph is made, and keeps it.
cudaError_t allocate_in_order(const char* function, void** pointer, std::size_t bytes, cudaStream_t stream) {
  return api(function, [&] {
    void* const made = Process::get().allocate(bytes, cudaMemoryTypeDevice);
    required(pointer) = made;
    if (capture_of(stream) == nullptr || made == nullptr) return;
    Process::get().keep(made);
    submit(stream, NodeType::mem_alloc, [] {});
  });
}

void check_device(int device) {
  require(device == 0, cudaErrorInvalidDevice);
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return allocate(__func__, pointer, bytes, cudaMemoryTypeDevice);
}

cudaError_t cudaMallocAsync(void** pointer, std::size_t bytes, cudaStream_t stream) {
  return allocate_in_order(__func__, pointer, bytes, stream);
}
TWOFOUR_SAME_AS(cudaMallocAsync, cudaMallocAsync_ptsz);

cudaError_t cudaMallocFromPoolAsync(void** pointer, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  const cudaError_t error = api(__func__, [&] { pool_of(pool); });
  return error == cudaSuccess ? allocate_in_order(__func__, pointer, bytes, stream) : error;
}
TWOFOUR_SAME_AS(cudaMallocFromPoolAsync, cudaMallocFromPoolAsync_ptsz);

cudaError_t cudaMallocManaged(void** pointer, std::size_t bytes, unsigned) {
  return api(__func__, [&] {
    require(bytes > 0, cudaErrorInvalidValue);
    required(pointer) = Process::get().allocate(bytes, cudaMemoryTypeManaged);
  });
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  return allocate(__func__, pointer, bytes, cudaMemoryTypeHost);
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  return allocate(__func__, pointer, bytes, cudaMemoryTypeHost);
}

cudaError_t cudaMallocPitch(void** pointer, std::size_t* pitch, std::size_t width, std::size_t height) {
  return api(__func__, [&] {
    const std::size_t row = (width + 511) / 512 * 512;
    require(row >= width && (height == 0 || row <= SIZE_MAX / height), cudaErrorMemoryAllocation);
    required(pointer) = Process::get().allocate(row * height, cudaMemoryTypeDevice);
    required(pitch) = row;
  });
}

cudaError_t cudaFree(void* pointer) {
  return api(__func__, [&] {
    Process::get().device();  // cudaFree(0) starts the runtime
    Process::get().free(pointer, {cudaMemoryTypeDevice, cudaMemoryTypeManaged});
  });
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return api(__func__, [&] {
    submit(stream, NodeType::mem_free, [pointer] { Process::get().free(pointer, {cudaMemoryTypeDevice}); });
  });
}
TWOFOUR_SAME_AS(cudaFreeAsync, cudaFreeAsync_ptsz);

cudaError_t cudaFreeHost(void* pointer) {
  return api(__func__, [&] { Process::get().free(pointer, {cudaMemoryTypeHost}); });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned) {
  return api(__func__, [&] { Process::get().register_host(pointer, bytes); });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return api(__func__, [&] { Process::get().unregister_host(pointer); });
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  return api(__func__, [&] {
    const Allocation* found = Process::get().find(host);
    require(found && found->type == cudaMemoryTypeHost, cudaErrorInvalidValue);
    required(device) = host;
  });
}

cudaError_t cudaHostGetFlags(unsigned* flags, void* host) {
  return api(__func__, [&] {
    const Allocation* found = Process::get().find(host);
    require(found && found->type == cudaMemoryTypeHost, cudaErrorInvalidValue);
    required(flags) = 2;  // mapped
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return api(__func__, [&] {
    Process& process = Process::get();
    required(total) = process.facts().memory_bytes;
    required(free) = process.device().free_bytes();
  });
}

cudaError_t cudaMemAdvise(const void*, std::size_t) {
  return api(__func__, [] {});
}
TWOFOUR_SAME_AS(cudaMemAdvise, cudaMemAdvise_v2);

cudaError_t cudaMemPrefetchAsync(const void*, std::size_t) {
  return api(__func__, [] {});
}
TWOFOUR_SAME_AS(cudaMemPrefetchAsync, cudaMemPrefetchAsync_ptsz);
TWOFOUR_SAME_AS(cudaMemPrefetchAsync, cudaMemPrefetchAsync_v2);
TWOFOUR_SAME_AS(cudaMemPrefetchAsync, cudaMemPrefetchAsync_v2_ptsz);

cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void*, std::size_t, unsigned) {
  return api(__func__, [&] { check_stream(stream); });
}
TWOFOUR_SAME_AS(cudaStreamAttachMemAsync, cudaStreamAttachMemAsync_ptsz);

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return api(__func__, [&] {
    check_device(device);
    required(pool) = &the_pool;
  });
}
TWOFOUR_SAME_AS(cudaDeviceGetDefaultMemPool, cudaDeviceGetMemPool);

cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  return api(__func__, [&] {
    check_device(device);
    pool_of(pool);
  });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const void* properties) {
  return api(__func__, [&] {
    require(properties != nullptr, cudaErrorInvalidValue);
    required(pool) = new CudaMemPool;
    pools().insert(*pool);
  });
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  return api(__func__, [&] {
    require(&pool_of(pool) != &the_pool, cudaErrorInvalidValue);
    pools().erase(pool);
    delete pool;
  });
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const void*, std::size_t) {
  return api(__func__, [&] { pool_of(pool); });
}

/// Flags: 3, read and write.
cudaError_t cudaMemPoolGetAccess(int* flags, cudaMemPool_t pool, const void*) {
  return api(__func__, [&] {
    pool_of(pool);
    required(flags) = 3;
  });
}

// Attributes 1 to 3 are ints, the others 64-bit counts.
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, int attribute, void* value) {
  return api(__func__, [&] {
    require(value != nullptr, cudaErrorInvalidValue);
    pool_of(pool).attributes[attribute] =
        attribute <= 3 ? std::uint64_t(*static_cast<int*>(value)) : *static_cast<std::uint64_t*>(value);
  });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, int attribute, void* value) {
  return api(__func__, [&] {
    require(value != nullptr, cudaErrorInvalidValue);
    const std::uint64_t kept = pool_of(pool).attributes[attribute];
    if (attribute <= 3)
      *static_cast<int*>(value) = int(kept);
    else
      *static_cast<std::uint64_t*>(value) = kept;
  });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t) {
  return api(__func__, [&] { pool_of(pool); });
}

}  // extern "C"
