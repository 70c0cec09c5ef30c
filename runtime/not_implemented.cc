// Every other name that CUDA's runtime library exports: a program that has them links, and hears at the first
// call which one is missing.
#include <fmt/format.h>

#include <cstdio>

#include "twofour/runtime/api.h"

namespace twofour::runtime {

cudaError_t not_implemented(const char* function, bool& said) {
  return api(function, [&] {
    if (!said) fmt::print(stderr, "twofour: not implemented: {}\n", function);
    said = true;
    refuse(cudaErrorNotSupported);
  });
}

}  // namespace twofour::runtime

// The arguments are not looked at, whatever they are.
#define TWOFOUR_NOT_IMPLEMENTED(name)                      \
  extern "C" cudaError_t name() {                          \
    static bool said = false;                              \
    return twofour::runtime::not_implemented(#name, said); \
  }
#include "twofour/runtime/not_implemented.inc"
