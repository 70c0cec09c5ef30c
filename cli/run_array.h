#pragma once
// Arrays of `twofour run KERNEL.ptx`: from .npy files to device memory and back.
#include <optional>
#include <string>
#include <vector>

#include "twofour/cli/run_argument.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/ptx/device.h"

namespace twofour::cli {

/// Where an argument's elements lie in device memory, and what they are in a file.
struct DeviceArray {
  std::uint64_t address = 0, bytes = 0;
  std::string dtype;  ///< of the file
  std::vector<std::int64_t> shape;
  std::optional<isa::ElementType> element;  ///< elements are laid out as in emu::PackedMatrix
  std::string output;                       ///< file to write, or empty
};

/// Reads the argument's file, or makes zeros. Throws Error.
DeviceArray place_array(emu::ptx::Device& device, const RunArgument& argument);

/// Writes it to its file. Throws Error.
void write_array(emu::ptx::Device& device, const DeviceArray& array);

/// "s4", or the dtype of the file: "<f4".
std::string element_name(const DeviceArray& array);
/// "<f4 16 x 8"
std::string shape_text(const DeviceArray& array);

}  // namespace twofour::cli
