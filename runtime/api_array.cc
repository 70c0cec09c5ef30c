// Arrays, boxes of memory, textures and surfaces.
#include <cstring>

#include "twofour/emu/ptx/texture.h"
#include "twofour/runtime/api.h"
#include "twofour/runtime/array.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;
using twofour::emu::ptx::Addressing;
using twofour::emu::ptx::Texture;

namespace {

std::set<cudaArray_t>& arrays() {
  static auto* const all = new std::set<cudaArray_t>;
  return *all;
}

enum ResourceType : int { resource_array = 0, resource_linear = 2, resource_rows = 3 };

struct cudaResourceDesc {
  int type;
  union {
    cudaArray_t array;
    struct {
      void* pointer;
      cudaChannelFormatDesc format;
      std::size_t bytes;
    } linear;
    struct {
      void* pointer;
      cudaChannelFormatDesc format;
      std::size_t width, height, pitch;
    } rows;
    int reserved[32];
  } res;
  unsigned flags;
};

/// The rest is about several levels, which nothing here has.
struct cudaTextureDesc {
  int addressing[3], filter, read_mode, srgb;
  float border[4];
  int normalized;
};

struct Described {
  cudaResourceDesc resource;
  cudaTextureDesc texture;
};
std::map<unsigned long long, Described>& objects() {
  static auto* const all = new std::map<unsigned long long, Described>;
  return *all;
}

void set_format(Texture& t, const cudaChannelFormatDesc& f) {
  require(f.x == 8 || f.x == 16 || f.x == 32, cudaErrorInvalidValue);
  require(f.kind >= 0 && f.kind <= 2 && (f.kind != 2 || f.x >= 16), cudaErrorNotSupported);
  t.bits = f.x;
  t.channels = 1 + (f.y != 0) + (f.z != 0) + (f.w != 0);
  for (const int bits : {f.y, f.z, f.w}) require(bits == 0 || bits == f.x, cudaErrorInvalidValue);
  constexpr Texture::Number numbers[] = {Texture::Number::integer, Texture::Number::natural,
                                         Texture::Number::real};
  t.number = numbers[f.kind];
}

void set_array(Texture& t, const CudaArray& a) {
  t.address = a.address;
  t.row_bytes = a.row_bytes();
  t.slice_bytes = a.rows() * a.row_bytes();
  t.width = std::int64_t(a.extent.width);
  t.height = std::int64_t(a.rows());
  (a.layered() || a.cube() ? t.layers : t.depth) = std::int64_t(a.slices());
}

void set_rows(Texture& t, void* pointer, std::size_t width, std::size_t height, std::size_t pitch) {
  t.address = reinterpret_cast<std::uint64_t>(pointer);
  t.width = std::int64_t(width);
  t.height = std::int64_t(height);
  t.row_bytes = t.slice_bytes = pitch;
  const std::size_t row = width * std::size_t(t.texel_bytes());
  require(width > 0 && width < (std::size_t{1} << 40) && height > 0 && height < (std::size_t{1} << 30) &&
              (height == 1 || pitch >= row) && pitch < (std::size_t{1} << 44),
          cudaErrorInvalidValue);
  Process::get().view(pointer, (height - 1) * pitch + row, true);
}

Texture texture_of(const cudaResourceDesc& r) {
  Texture t;
  switch (r.type) {
    case resource_array: {
      const CudaArray& a = array_of(r.res.array);
      set_format(t, a.format);
      set_array(t, a);
      return t;
    }
    case resource_linear:
      set_format(t, r.res.linear.format);
      set_rows(t, r.res.linear.pointer, r.res.linear.bytes / std::size_t(t.texel_bytes()), 1, 0);
      return t;
    case resource_rows:
      set_format(t, r.res.rows.format);
      set_rows(t, r.res.rows.pointer, r.res.rows.width, r.res.rows.height, r.res.rows.pitch);
      return t;
    default: refuse(cudaErrorNotSupported);
  }
}

cudaError_t create(const char* function, unsigned long long* object, const Described& described,
                   const Texture& texture) {
  return api(function, [&] {
    required(object) = Process::get().device().add_texture(texture);
    objects()[*object] = described;
  });
}

cudaError_t destroy(const char* function, unsigned long long object) {
  return api(function, [&] {
    if (object == 0) return;
    require(objects().erase(object) == 1, cudaErrorInvalidValue);
    Process::get().device().remove_texture(object);
  });
}

const Described& described(unsigned long long object) {
  const auto at = objects().find(object);
  require(at != objects().end(), cudaErrorInvalidValue);
  return at->second;
}

cudaError_t copy_rows(const char* function, const cudaMemcpy3DParms& copy, cudaStream_t stream) {
  return api(function, [&] { submit(stream, NodeType::copy, [copy] { copy_box(copy); }); });
}

/// Rows of `width` bytes to or from an array: its extents count texels, and so does `at` afterwards.
cudaMemcpy3DParms rows_of_array(cudaArray_t array, cudaPos& at, std::size_t width, std::size_t height,
                                cudaMemcpyKind kind) {
  cudaMemcpy3DParms c = {};
  const std::size_t texel = array_of(array).texel_bytes();
  require(at.x % texel == 0 && width % texel == 0, cudaErrorInvalidValue);
  at.x /= texel;
  c.extent = {width / texel, height, 1};
  c.kind = kind;
  return c;
}

}  // namespace

namespace twofour::runtime {

CudaArray& array_of(cudaArray_t array) {
  require(arrays().contains(array), cudaErrorInvalidResourceHandle);
  return *array;
}

}  // namespace twofour::runtime

extern "C" {

cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w, int kind) {
  return {x, y, z, w, kind};
}

cudaError_t cudaMalloc3DArray(cudaArray_t* array, const cudaChannelFormatDesc* format, cudaExtent extent,
                              unsigned flags) {
  return api(__func__, [&] {
    Texture checked;
    set_format(checked, required(format));
    constexpr std::size_t most = 1 << 28;  // so that a slice has less than 2^64 bytes
    require(extent.width > 0 && extent.width <= most && extent.height <= most && extent.depth <= most,
            cudaErrorInvalidValue);
    CudaArray made{.format = *format, .extent = extent, .flags = flags};
    std::uint64_t bytes = 0;
    require(!__builtin_mul_overflow(made.row_bytes() * made.rows(), made.slices(), &bytes),
            cudaErrorMemoryAllocation);
    made.address = reinterpret_cast<std::uint64_t>(Process::get().allocate(bytes, cudaMemoryTypeDevice));
    required(array) = new CudaArray(made);
    arrays().insert(*array);
  });
}

cudaError_t cudaMallocArray(cudaArray_t* array, const cudaChannelFormatDesc* format, std::size_t width,
                            std::size_t height, unsigned flags) {
  return cudaMalloc3DArray(array, format, {width, height, 0}, flags);
}

cudaError_t cudaFreeArray(cudaArray_t array) {
  return api(__func__, [&] {
    if (array == nullptr) return;
    const CudaArray& a = array_of(array);
    Process::get().free(reinterpret_cast<void*>(a.address), {cudaMemoryTypeDevice});
    arrays().erase(array);
    delete array;
  });
}

cudaError_t cudaArrayGetInfo(cudaChannelFormatDesc* format, cudaExtent* extent, unsigned* flags,
                             cudaArray_t array) {
  return api(__func__, [&] {
    const CudaArray& a = array_of(array);
    if (format) *format = a.format;
    if (extent) *extent = a.extent;
    if (flags) *flags = a.flags;
  });
}

cudaError_t cudaGetChannelDesc(cudaChannelFormatDesc* format, cudaArray_t array) {
  return api(__func__, [&] { required(format) = array_of(array).format; });
}

cudaError_t cudaMalloc3D(cudaPitchedPtr* pointer, cudaExtent extent) {
  return api(__func__, [&] {
    const std::size_t row = (extent.width + 511) / 512 * 512;
    std::size_t bytes = 0;
    require(row >= extent.width && !__builtin_mul_overflow(row, extent.height, &bytes) &&
                !__builtin_mul_overflow(bytes, extent.depth, &bytes),
            cudaErrorMemoryAllocation);
    required(pointer) = {Process::get().allocate(bytes, cudaMemoryTypeDevice), row, extent.width,
                         extent.height};
  });
}

cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* copy, cudaStream_t stream) {
  return api(__func__, [&] {
    const cudaMemcpy3DParms c = required(copy);
    if (capture_of(stream) != nullptr)
      set_copy(captured_node(stream, NodeType::copy), c);
    else
      copy_box(c);
  });
}
TWOFOUR_SAME_AS(cudaMemcpy3DAsync, cudaMemcpy3DAsync_ptsz);

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* copy) {
  return api(__func__, [&] { copy_box(required(copy)); });
}
TWOFOUR_SAME_AS(cudaMemcpy3D, cudaMemcpy3D_ptds);

cudaError_t cudaMemset3DAsync(cudaPitchedPtr pointer, int value, cudaExtent extent, cudaStream_t stream) {
  return api(__func__, [&] {
    submit(stream, NodeType::fill, [pointer, value, extent] {
      const std::size_t slice = pointer.pitch * pointer.ysize;
      for (std::size_t z = 0; z < extent.depth; ++z)
        fill_rows({static_cast<std::byte*>(pointer.ptr) + z * slice, pointer.pitch, unsigned(value) & 0xff, 1,
                   extent.width, extent.height});
    });
  });
}
TWOFOUR_SAME_AS(cudaMemset3DAsync, cudaMemset3DAsync_ptsz);

cudaError_t cudaMemset3D(cudaPitchedPtr pointer, int value, cudaExtent extent) {
  return cudaMemset3DAsync(pointer, value, extent, nullptr);
}
TWOFOUR_SAME_AS(cudaMemset3D, cudaMemset3D_ptds);

cudaError_t cudaMemcpy2DToArrayAsync(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                                     std::size_t pitch, std::size_t width, std::size_t height,
                                     cudaMemcpyKind kind, cudaStream_t stream) {
  cudaMemcpy3DParms c = {};
  const cudaError_t error = api(__func__, [&] {
    cudaPos at{x, y, 0};
    c = rows_of_array(to, at, width, height, kind);
    c.dstPos = at;
  });
  if (error != cudaSuccess) return error;
  c.dstArray = to;
  c.srcPtr = {const_cast<void*>(from), pitch, width, height};
  return copy_rows(__func__, c, stream);
}
TWOFOUR_SAME_AS(cudaMemcpy2DToArrayAsync, cudaMemcpy2DToArrayAsync_ptsz);

cudaError_t cudaMemcpy2DToArray(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                                std::size_t pitch, std::size_t width, std::size_t height,
                                cudaMemcpyKind kind) {
  return cudaMemcpy2DToArrayAsync(to, x, y, from, pitch, width, height, kind, nullptr);
}
TWOFOUR_SAME_AS(cudaMemcpy2DToArray, cudaMemcpy2DToArray_ptds);

cudaError_t cudaMemcpy2DFromArrayAsync(void* to, std::size_t pitch, cudaArray_t from, std::size_t x,
                                       std::size_t y, std::size_t width, std::size_t height,
                                       cudaMemcpyKind kind, cudaStream_t stream) {
  cudaMemcpy3DParms c = {};
  const cudaError_t error = api(__func__, [&] {
    cudaPos at{x, y, 0};
    c = rows_of_array(from, at, width, height, kind);
    c.srcPos = at;
  });
  if (error != cudaSuccess) return error;
  c.srcArray = from;
  c.dstPtr = {to, pitch, width, height};
  return copy_rows(__func__, c, stream);
}
TWOFOUR_SAME_AS(cudaMemcpy2DFromArrayAsync, cudaMemcpy2DFromArrayAsync_ptsz);

cudaError_t cudaMemcpy2DFromArray(void* to, std::size_t pitch, cudaArray_t from, std::size_t x, std::size_t y,
                                  std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  return cudaMemcpy2DFromArrayAsync(to, pitch, from, x, y, width, height, kind, nullptr);
}
TWOFOUR_SAME_AS(cudaMemcpy2DFromArray, cudaMemcpy2DFromArray_ptds);

/// `bytes` over whole rows, from the place x, y on.
cudaError_t cudaMemcpyToArray(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                              std::size_t bytes, cudaMemcpyKind kind) {
  return api(__func__, [&] {
    const CudaArray& a = array_of(to);
    const std::size_t begin = y * a.row_bytes() + x, all = a.rows() * a.row_bytes();
    require(x <= a.row_bytes() && y <= a.rows() && begin <= all && bytes <= all - begin,
            cudaErrorInvalidValue);
    Process& process = Process::get();
    const std::byte* const source = process.view(from, bytes, kind == cudaMemcpyDeviceToDevice);
    if (bytes > 0)
      std::memmove(process.view(reinterpret_cast<void*>(a.address + begin), bytes, true), source, bytes);
  });
}
TWOFOUR_SAME_AS(cudaMemcpyToArray, cudaMemcpyToArray_ptds);

cudaError_t cudaMemcpyFromArray(void* to, cudaArray_t from, std::size_t x, std::size_t y, std::size_t bytes,
                                cudaMemcpyKind kind) {
  return api(__func__, [&] {
    const CudaArray& a = array_of(from);
    const std::size_t begin = y * a.row_bytes() + x, all = a.rows() * a.row_bytes();
    require(x <= a.row_bytes() && y <= a.rows() && begin <= all && bytes <= all - begin,
            cudaErrorInvalidValue);
    Process& process = Process::get();
    std::byte* const target = process.view(to, bytes, kind == cudaMemcpyDeviceToDevice);
    if (bytes > 0)
      std::memmove(target, process.view(reinterpret_cast<void*>(a.address + begin), bytes, true), bytes);
  });
}
TWOFOUR_SAME_AS(cudaMemcpyFromArray, cudaMemcpyFromArray_ptds);

cudaError_t cudaCreateTextureObject(unsigned long long* object, const cudaResourceDesc* resource,
                                    const cudaTextureDesc* texture, const void* view) {
  Texture t;
  Described d = {};
  const cudaError_t error = api(__func__, [&] {
    require(view == nullptr, cudaErrorNotSupported);
    d = {required(resource), required(texture)};
    t = texture_of(*resource);
    for (std::size_t k = 0; k < 3; ++k) {
      require(texture->addressing[k] >= 0 && texture->addressing[k] <= 3, cudaErrorInvalidValue);
      t.addressing[k] = Addressing(texture->addressing[k]);
    }
    require(texture->srgb == 0, cudaErrorNotSupported);
    t.linear = texture->filter == 1;
    t.normalized = texture->normalized != 0;
    t.to_real = texture->read_mode == 1 && t.number != Texture::Number::real;
    require(!t.to_real || t.bits <= 16, cudaErrorInvalidValue);
    std::memcpy(t.border.data(), texture->border, sizeof texture->border);
  });
  return error == cudaSuccess ? create(__func__, object, d, t) : error;
}

cudaError_t cudaDestroyTextureObject(unsigned long long object) {
  return destroy(__func__, object);
}

cudaError_t cudaGetTextureObjectResourceDesc(cudaResourceDesc* resource, unsigned long long object) {
  return api(__func__, [&] { required(resource) = described(object).resource; });
}

cudaError_t cudaCreateSurfaceObject(unsigned long long* object, const cudaResourceDesc* resource) {
  Texture t;
  Described d = {};
  const cudaError_t error = api(__func__, [&] {
    d.resource = required(resource);
    require(resource->type == resource_array, cudaErrorInvalidValue);
    t = texture_of(*resource);
  });
  return error == cudaSuccess ? create(__func__, object, d, t) : error;
}

cudaError_t cudaDestroySurfaceObject(unsigned long long object) {
  return destroy(__func__, object);
}

cudaError_t cudaGetSurfaceObjectResourceDesc(cudaResourceDesc* resource, unsigned long long object) {
  return api(__func__, [&] { required(resource) = described(object).resource; });
}

/// Limits of compute capability 8.0 that hold for all later ones.
cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(std::size_t* width, const cudaChannelFormatDesc* format,
                                                 int device) {
  return api(__func__, [&] {
    require(device == 0, cudaErrorInvalidDevice);
    required(format);
    required(width) = std::size_t{1} << 28;
  });
}

}  // extern "C"
