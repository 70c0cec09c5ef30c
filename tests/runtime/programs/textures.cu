// Textures that filter and repeat, layers, cube maps, surfaces.
#include <cmath>
#include <vector>

#include "check.h"

constexpr int size = 16;

__global__ void shifted(float* out, cudaTextureObject_t texture, float dx, float dy) {
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  out[y * size + x] = tex2D<float>(texture, (x + 0.5f + dx) / size, (y + 0.5f + dy) / size);
}
__global__ void layer(float* out, cudaTextureObject_t texture, int which) {
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  out[y * size + x] = tex2DLayered<float>(texture, (x + 0.5f) / size, (y + 0.5f) / size, which);
}
__global__ void top(float* out, cudaTextureObject_t texture) {
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  out[y * size + x] = texCubemap<float>(texture, (x + 0.5f) * 2 / size - 1, 1, (y + 0.5f) * 2 / size - 1);
}
__global__ void draw(cudaSurfaceObject_t surface) {
  surf2Dwrite(float(100 * threadIdx.y + threadIdx.x), surface, int(threadIdx.x * sizeof(float)),
              int(threadIdx.y));
}

std::vector<float> fetched(float* device) {
  std::vector<float> out(size * size);
  CHECK(cudaMemcpy(out.data(), device, size * size * sizeof(float), cudaMemcpyDeviceToHost));
  return out;
}

cudaTextureObject_t texture_of(cudaArray_t array, cudaTextureFilterMode filter) {
  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc description = {};
  description.normalizedCoords = 1;
  description.filterMode = filter;
  for (auto& mode : description.addressMode) mode = cudaAddressModeWrap;
  cudaTextureObject_t texture;
  CHECK(cudaCreateTextureObject(&texture, &resource, &description, nullptr));
  return texture;
}

cudaArray_t array_of(std::vector<float>& texels, int slices, unsigned flags) {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  cudaArray_t array;
  CHECK(cudaMalloc3DArray(&array, &format, make_cudaExtent(size, size, slices), flags));
  cudaMemcpy3DParms copy = {};
  copy.srcPtr = make_cudaPitchedPtr(texels.data(), size * sizeof(float), size, size);
  copy.dstArray = array;
  copy.extent = make_cudaExtent(size, size, slices);
  copy.kind = cudaMemcpyHostToDevice;
  CHECK(cudaMemcpy3D(&copy));
  return array;
}

int main() {
  const dim3 threads(size, size);
  float* device;
  CHECK(cudaMalloc(&device, size * size * sizeof(float)));
  std::vector<float> texels(size * size * 6);
  for (size_t i = 0; i < texels.size(); ++i) texels[i] = float(i);

  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  cudaArray_t flat;
  CHECK(cudaMallocArray(&flat, &format, size, size, cudaArraySurfaceLoadStore));
  CHECK(cudaMemcpy2DToArray(flat, 0, 0, texels.data(), size * 4, size * 4, size, cudaMemcpyHostToDevice));
  shifted<<<1, threads>>>(device, texture_of(flat, cudaFilterModeLinear), 0.5f, 3);
  auto got = fetched(device);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const float *row = texels.data() + (y + 3) % size * size, half = (row[x] + row[(x + 1) % size]) / 2;
      EXPECT(got[size_t(y * size + x)] == half);
    }

  const cudaArray_t layers = array_of(texels, 6, cudaArrayLayered),
                    cube = array_of(texels, 6, cudaArrayCubemap);
  layer<<<1, threads>>>(device, texture_of(layers, cudaFilterModePoint), 4);
  got = fetched(device);
  for (int i = 0; i < size * size; ++i) EXPECT(got[size_t(i)] == float(4 * size * size + i));
  top<<<1, threads>>>(device, texture_of(cube, cudaFilterModePoint));
  got = fetched(device);
  for (int i = 0; i < size * size; ++i) EXPECT(got[size_t(i)] == float(2 * size * size + i));

  cudaResourceDesc resource = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = flat;
  cudaSurfaceObject_t surface;
  CHECK(cudaCreateSurfaceObject(&surface, &resource));
  draw<<<1, threads>>>(surface);
  CHECK(cudaMemcpy2DFromArray(got.data(), size * 4, flat, 0, 0, size * 4, size, cudaMemcpyDeviceToHost));
  for (int i = 0; i < size * size; ++i) EXPECT(got[size_t(i)] == float(100 * (i / size) + i % size));
  CHECK(cudaDestroySurfaceObject(surface));
  CHECK(cudaFreeArray(flat));
  std::puts("passed");
}
