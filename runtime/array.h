#pragma once
// Arrays, and copies and fills of boxes of memory.
#include "twofour/runtime/process.h"

/// Its texels lie in rows, without gaps. A layered array has its layers, a cube map its faces, as slices.
struct CudaArray {
  cudaChannelFormatDesc format = {};
  cudaExtent extent = {};  ///< as the program gave it: height and depth may be 0
  unsigned flags = 0;
  std::uint64_t address = 0;

  std::size_t texel_bytes() const { return std::size_t(format.x + format.y + format.z + format.w) / 8; }
  std::size_t row_bytes() const { return extent.width * texel_bytes(); }
  std::size_t rows() const { return extent.height > 0 ? extent.height : 1; }
  std::size_t slices() const { return extent.depth > 0 ? extent.depth : 1; }
  bool layered() const { return (flags & 1) != 0; }
  bool cube() const { return (flags & 4) != 0; }
};

namespace twofour::runtime {

/// Throws Refusal unless the process has it.
CudaArray& array_of(cudaArray_t array);

void copy_box(const cudaMemcpy3DParms& copy);
void fill_rows(const cudaMemsetParams& fill);

}  // namespace twofour::runtime
