#include "twofour/runtime/array.h"

#include <cstring>

namespace twofour::runtime {
namespace {

/// One side of a copy: its first byte, and how far rows and slices are apart.
struct Side {
  std::byte* first = nullptr;
  std::size_t row = 0, slice = 0;
};

/// a * b + c, or Refusal where that overflows.
std::size_t product(std::size_t a, std::size_t b, std::size_t c) {
  std::size_t out = 0;
  require(!__builtin_mul_overflow(a, b, &out) && !__builtin_add_overflow(out, c, &out),
          cudaErrorInvalidValue);
  return out;
}

/// `width` in bytes.
Side side(cudaArray_t handle, cudaPos at, cudaPitchedPtr pointer, cudaExtent extent, std::size_t width,
          bool on_device) {
  Process& process = Process::get();
  if (handle != nullptr) {
    const CudaArray& a = array_of(handle);
    const std::size_t x = product(at.x, a.texel_bytes(), 0);
    require(product(x, 1, width) <= a.row_bytes() && product(at.y, 1, extent.height) <= a.rows() &&
                product(at.z, 1, extent.depth) <= a.slices(),
            cudaErrorInvalidValue);
    const std::size_t offset = (at.z * a.rows() + at.y) * a.row_bytes() + x;
    auto* const first = reinterpret_cast<void*>(a.address + offset);
    return {process.view(first, 1, true), a.row_bytes(), a.rows() * a.row_bytes()};
  }
  require(pointer.pitch >= product(at.x, 1, width) || (extent.height == 1 && extent.depth == 1),
          cudaErrorInvalidPitchValue);
  const std::size_t rows = std::max(pointer.ysize, extent.depth == 1 ? std::size_t{0} : extent.height);
  const std::size_t slice = product(rows, pointer.pitch, 0);
  const std::size_t begin = product(at.z, slice, product(at.y, pointer.pitch, at.x));
  const std::size_t bytes =
      product(extent.depth - 1, slice, product(extent.height - 1, pointer.pitch, width));
  return {process.view(static_cast<std::byte*>(pointer.ptr) + begin, bytes, on_device), pointer.pitch, slice};
}

}  // namespace

void copy_box(const cudaMemcpy3DParms& c) {
  require(c.kind >= cudaMemcpyHostToHost && c.kind <= cudaMemcpyDefault, cudaErrorInvalidMemcpyDirection);
  require((c.srcArray == nullptr) != (c.srcPtr.ptr == nullptr) &&
              (c.dstArray == nullptr) != (c.dstPtr.ptr == nullptr),
          cudaErrorInvalidValue);
  const cudaExtent& e = c.extent;
  if (e.width == 0 || e.height == 0 || e.depth == 0) return;
  std::size_t texel = 1;
  if (c.srcArray != nullptr) texel = array_of(c.srcArray).texel_bytes();
  if (c.dstArray != nullptr) {
    require(c.srcArray == nullptr || array_of(c.dstArray).texel_bytes() == texel, cudaErrorInvalidValue);
    texel = array_of(c.dstArray).texel_bytes();
  }
  const std::size_t width = product(e.width, texel, 0);
  const bool to = c.kind == cudaMemcpyHostToDevice || c.kind == cudaMemcpyDeviceToDevice;
  const bool from = c.kind == cudaMemcpyDeviceToHost || c.kind == cudaMemcpyDeviceToDevice;
  const Side source = side(c.srcArray, c.srcPos, c.srcPtr, e, width, from);
  const Side target = side(c.dstArray, c.dstPos, c.dstPtr, e, width, to);
  for (std::size_t z = 0; z < e.depth; ++z)
    for (std::size_t y = 0; y < e.height; ++y)
      std::memmove(target.first + z * target.slice + y * target.row,
                   source.first + z * source.slice + y * source.row, width);
}

void fill_rows(const cudaMemsetParams& f) {
  if (f.width == 0 || f.height == 0) return;
  const std::size_t width = product(f.width, f.elementSize, 0);
  require(f.height == 1 || f.pitch >= width, cudaErrorInvalidPitchValue);
  std::byte* const first = Process::get().view(f.dst, product(f.height - 1, f.pitch, width), true);
  for (std::size_t y = 0; y < f.height; ++y)
    for (std::size_t x = 0; x < f.width; ++x)
      std::memcpy(first + y * f.pitch + x * f.elementSize, &f.value, f.elementSize);
}

}  // namespace twofour::runtime
