// Copies and fills. The direction says which side must be the device's; the other side may be either, as
// unified addresses allow.
#include <cstring>

#include "twofour/runtime/api.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;

namespace {

struct Sides {
  bool to_device, from_device;
};

Sides sides(cudaMemcpyKind kind) {
  require(kind >= cudaMemcpyHostToHost && kind <= cudaMemcpyDefault, cudaErrorInvalidMemcpyDirection);
  return {kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice,
          kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice};
}

/// Bytes from the first to the last of `height` rows. Throws Refusal where that overflows.
std::size_t extent(std::size_t pitch, std::size_t width, std::size_t height) {
  if (width == 0 || height == 0) return 0;
  require(pitch >= width, cudaErrorInvalidPitchValue);
  require(height - 1 <= (SIZE_MAX - width) / pitch, cudaErrorInvalidValue);
  return (height - 1) * pitch + width;
}

void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const Sides s = sides(kind);
  Process& process = Process::get();
  std::byte* const target = process.view(to, bytes, s.to_device);
  const std::byte* const source = process.view(from, bytes, s.from_device);
  if (bytes > 0) std::memmove(target, source, bytes);
}

void copy_rows(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
               std::size_t height, cudaMemcpyKind kind) {
  const Sides s = sides(kind);
  Process& process = Process::get();
  std::byte* const target = process.view(to, extent(to_pitch, width, height), s.to_device);
  const std::byte* const source = process.view(from, extent(from_pitch, width, height), s.from_device);
  for (std::size_t row = 0; row < height && width > 0; ++row)
    std::memmove(target + row * to_pitch, source + row * from_pitch, width);
}

void* symbol_bytes(const void* symbol, std::size_t offset, std::size_t count) {
  const auto found = Process::get().symbol(symbol);
  require(offset <= found.bytes && count <= found.bytes - offset, cudaErrorInvalidValue);
  return reinterpret_cast<void*>(found.address + offset);
}

}  // namespace

extern "C" {

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return api(__func__, [&] { copy(to, from, bytes, kind); });
}
TWOFOUR_SAME_AS(cudaMemcpy, cudaMemcpy_ptds);

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return api(__func__, [&] { submit(stream, NodeType::copy, [=] { copy(to, from, bytes, kind); }); });
}
TWOFOUR_SAME_AS(cudaMemcpyAsync, cudaMemcpyAsync_ptsz);

cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, std::size_t bytes) {
  return api(__func__, [&] {
    require(to_device == 0 && from_device == 0, cudaErrorInvalidDevice);
    copy(to, from, bytes, cudaMemcpyDeviceToDevice);
  });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                cudaStream_t) {
  return cudaMemcpyPeer(to, to_device, from, from_device, bytes);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  return api(__func__, [&] {
    submit(stream, NodeType::copy, [=] { copy_rows(to, to_pitch, from, from_pitch, width, height, kind); });
  });
}
TWOFOUR_SAME_AS(cudaMemcpy2DAsync, cudaMemcpy2DAsync_ptsz);

cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  return cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height, kind, nullptr);
}
TWOFOUR_SAME_AS(cudaMemcpy2D, cudaMemcpy2D_ptds);

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, std::size_t bytes,
                                    std::size_t offset, cudaMemcpyKind kind, cudaStream_t stream) {
  return api(__func__, [&] {
    require(kind != cudaMemcpyDeviceToHost && kind != cudaMemcpyHostToHost, cudaErrorInvalidMemcpyDirection);
    void* const to = symbol_bytes(symbol, offset, bytes);
    submit(stream, NodeType::copy, [=] { copy(to, from, bytes, kind); });
  });
}
TWOFOUR_SAME_AS(cudaMemcpyToSymbolAsync, cudaMemcpyToSymbolAsync_ptsz);

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, std::size_t bytes, std::size_t offset,
                               cudaMemcpyKind kind) {
  return cudaMemcpyToSymbolAsync(symbol, from, bytes, offset, kind, nullptr);
}
TWOFOUR_SAME_AS(cudaMemcpyToSymbol, cudaMemcpyToSymbol_ptds);

cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, std::size_t bytes, std::size_t offset,
                                      cudaMemcpyKind kind, cudaStream_t stream) {
  return api(__func__, [&] {
    require(kind != cudaMemcpyHostToDevice && kind != cudaMemcpyHostToHost, cudaErrorInvalidMemcpyDirection);
    const void* const from = symbol_bytes(symbol, offset, bytes);
    submit(stream, NodeType::copy, [=] { copy(to, from, bytes, kind); });
  });
}
TWOFOUR_SAME_AS(cudaMemcpyFromSymbolAsync, cudaMemcpyFromSymbolAsync_ptsz);

cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, std::size_t bytes, std::size_t offset,
                                 cudaMemcpyKind kind) {
  return cudaMemcpyFromSymbolAsync(to, symbol, bytes, offset, kind, nullptr);
}
TWOFOUR_SAME_AS(cudaMemcpyFromSymbol, cudaMemcpyFromSymbol_ptds);

cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
  return api(__func__, [&] {
    submit(stream, NodeType::fill, [=] {
      std::byte* const target = Process::get().view(pointer, bytes, true);
      if (bytes > 0) std::memset(target, value, bytes);
    });
  });
}
TWOFOUR_SAME_AS(cudaMemsetAsync, cudaMemsetAsync_ptsz);

cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
  return cudaMemsetAsync(pointer, value, bytes, nullptr);
}
TWOFOUR_SAME_AS(cudaMemset, cudaMemset_ptds);

cudaError_t cudaMemset2DAsync(void* pointer, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t stream) {
  return api(__func__, [&] {
    submit(stream, NodeType::fill, [=] {
      std::byte* const target = Process::get().view(pointer, extent(pitch, width, height), true);
      for (std::size_t row = 0; row < height && width > 0; ++row)
        std::memset(target + row * pitch, value, width);
    });
  });
}
TWOFOUR_SAME_AS(cudaMemset2DAsync, cudaMemset2DAsync_ptsz);

cudaError_t cudaMemset2D(void* pointer, std::size_t pitch, int value, std::size_t width, std::size_t height) {
  return cudaMemset2DAsync(pointer, pitch, value, width, height, nullptr);
}
TWOFOUR_SAME_AS(cudaMemset2D, cudaMemset2D_ptds);

}  // extern "C"
