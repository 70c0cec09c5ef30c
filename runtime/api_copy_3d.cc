// Boxes of bytes in pitched memory: allocation, copies and fills. Arrays (textures' memory) are not there.
#include <cstring>

#include "twofour/runtime/api.h"

using namespace twofour::runtime;

namespace {

std::size_t product(std::size_t a, std::size_t b) {
  require(b == 0 || a <= SIZE_MAX / b, cudaErrorInvalidValue);
  return a * b;
}
std::size_t sum(std::size_t a, std::size_t b) {
  require(a <= SIZE_MAX - b, cudaErrorInvalidValue);
  return a + b;
}

bool empty(const cudaExtent& e) {
  return e.width == 0 || e.height == 0 || e.depth == 0;
}

/// A box that is not empty: where its first byte lies, and the distances of its rows and slices.
struct Box {
  std::byte* first;
  std::size_t pitch, slice;

  std::byte* row(std::size_t z, std::size_t y) const { return first + z * slice + y * pitch; }
};

/// Throws Refusal for a box that does not fit in its rows, or whose bytes are not there.
Box box(const cudaPitchedPtr& memory, const cudaPos& at, const cudaExtent& e, bool on_device) {
  require(memory.ptr != nullptr, cudaErrorInvalidValue);
  const bool one_row = e.height == 1 && e.depth == 1;
  require(one_row || sum(at.x, e.width) <= memory.pitch, cudaErrorInvalidPitchValue);
  require(e.depth == 1 || sum(at.y, e.height) <= memory.ysize, cudaErrorInvalidValue);
  const std::size_t slice = product(memory.pitch, memory.ysize);
  const std::size_t offset = sum(sum(product(at.z, slice), product(at.y, memory.pitch)), at.x);
  const std::size_t last = sum(product(e.depth - 1, slice), product(e.height - 1, memory.pitch));
  std::byte* const p = static_cast<std::byte*>(memory.ptr) + offset;
  return {Process::get().view(p, sum(last, e.width), on_device), memory.pitch, slice};
}

void copy(const cudaMemcpy3DParms& p) {
  require(p.srcArray == nullptr && p.dstArray == nullptr, cudaErrorNotSupported);
  const Sides s = sides(p.kind);
  if (empty(p.extent)) return;
  const Box to = box(p.dstPtr, p.dstPos, p.extent, s.to_device);
  const Box from = box(p.srcPtr, p.srcPos, p.extent, s.from_device);
  for (std::size_t z = 0; z < p.extent.depth; ++z)
    for (std::size_t y = 0; y < p.extent.height; ++y)
      std::memmove(to.row(z, y), from.row(z, y), p.extent.width);
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc3D(cudaPitchedPtr* memory, cudaExtent e) {
  return api(__func__, [&] {
    required(memory);
    require(e.width <= SIZE_MAX - 511, cudaErrorMemoryAllocation);
    const std::size_t pitch = (e.width + 511) / 512 * 512;
    void* const p = Process::get().allocate(product(pitch, product(e.height, e.depth)), cudaMemoryTypeDevice);
    *memory = {p, pitch, e.width, e.height};
  });
}

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* p) {
  return api(__func__, [&] { copy(required(p)); });
}
TWOFOUR_SAME_AS(cudaMemcpy3D, cudaMemcpy3D_ptds);

cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t stream) {
  return api(__func__, [&] {
    check_stream(stream);
    copy(required(p));
  });
}
TWOFOUR_SAME_AS(cudaMemcpy3DAsync, cudaMemcpy3DAsync_ptsz);

cudaError_t cudaMemset3D(cudaPitchedPtr memory, int value, cudaExtent e) {
  return api(__func__, [&] {
    if (empty(e)) return;
    const Box to = box(memory, {0, 0, 0}, e, true);
    for (std::size_t z = 0; z < e.depth; ++z)
      for (std::size_t y = 0; y < e.height; ++y) std::memset(to.row(z, y), value, e.width);
  });
}
TWOFOUR_SAME_AS(cudaMemset3D, cudaMemset3D_ptds);

cudaError_t cudaMemset3DAsync(cudaPitchedPtr memory, int value, cudaExtent e, cudaStream_t stream) {
  const cudaError_t error = api(__func__, [&] { check_stream(stream); });
  return error != cudaSuccess ? error : cudaMemset3D(memory, value, e);
}
TWOFOUR_SAME_AS(cudaMemset3DAsync, cudaMemset3DAsync_ptsz);

}  // extern "C"
