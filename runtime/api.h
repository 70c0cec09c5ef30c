#pragma once
// For the files api_*.cc, which define the runtime's C functions. A function that has a form for the
// per-thread default stream (suffix _ptsz or _ptds) is that function: everything is done in order.
#include "twofour/runtime/process.h"

#define TWOFOUR_SAME_AS(function, alias_name) \
  extern "C" decltype(function) alias_name __attribute__((alias(#function)))

namespace twofour::runtime {

/// Prints "not implemented: cudaXyz" once a function.
cudaError_t not_implemented(const char* function, bool& said);

/// A stream of this process or one of the default streams (null, 1 legacy, 2 per thread). Throws Refusal.
void check_stream(cudaStream_t stream);

template <class T>
T& required(T* pointer) {
  require(pointer != nullptr, cudaErrorInvalidValue);
  return *pointer;
}

}  // namespace twofour::runtime
