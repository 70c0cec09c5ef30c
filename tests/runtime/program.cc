// What `twofour run -- PROGRAM` starts in run_test.sh: prints its device and its arguments, exits with 7.
#include <cstdio>

#include "twofour/runtime/device_prop.h"

extern "C" int cudaGetDeviceProperties(twofour::runtime::DeviceProp13* prop, int device);

int main(int argc, char** argv) {
  twofour::runtime::DeviceProp13 prop{};
  if (cudaGetDeviceProperties(&prop, 0) != 0) return 1;
  std::printf("%s, %d SMs\n", prop.head.name, prop.sms);
  for (int i = 1; i < argc; ++i) std::printf("argument: %s\n", argv[i]);
  return 7;
}
