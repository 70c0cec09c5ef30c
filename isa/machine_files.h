#pragma once
#include <span>
#include <string_view>

namespace twofour::isa {

/// A file of machines/, embedded when the library is built (cmake/EmbedMachines.cmake).
struct MachineFile {
  std::string_view name;  ///< without folder and suffix
  std::string_view text;
};

std::span<const MachineFile> machine_files();

}  // namespace twofour::isa
