#pragma once
// Names and texts of CUDA's error codes, as cudaGetErrorName and cudaGetErrorString give them. Only codes
// that this library returns or that programs name often; the rest is "unrecognized error code", as in CUDA
// for codes that do not exist.
#include "twofour/runtime/cuda_abi.h"

namespace twofour::runtime {

const char* error_name(int code);
const char* error_text(int code);

}  // namespace twofour::runtime
