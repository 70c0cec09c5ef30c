// libFuzzer's entry point for one target: TWOFOUR_FUZZ_TARGET is its function.
#include <cstddef>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  twofour::fuzz::TWOFOUR_FUZZ_TARGET({data, size});
  return 0;
}
