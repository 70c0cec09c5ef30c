#pragma once
// What the runtime has to know of a kernel before it launches it.
#include <cstdint>
#include <vector>

#include "twofour/emu/ptx/module.h"

namespace twofour::runtime {

struct KernelInfo {
  struct Parameter {
    std::int64_t offset = 0, bytes = 0;
  };
  std::vector<Parameter> parameters;  ///< each at its alignment, in the order declared
  std::int64_t parameter_bytes = 0;
  std::int64_t shared_bytes = 0;  ///< static, of the kernel and of what it calls
  std::int64_t local_bytes = 0;   ///< of the kernel's own variables
  std::int64_t constant_bytes = 0;
  int max_threads = 1024;  ///< of a CTA: .maxntid or .reqntid, at most 1024
  int max_registers = 0;   ///< .maxnreg; 0: not given
  int ptx_version = 0;     ///< 90: PTX for sm_90
};

KernelInfo kernel_info(const emu::ptx::Module& module, const emu::ptx::Function& entry);

}  // namespace twofour::runtime
