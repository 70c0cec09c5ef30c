#pragma once
// What a program's file says of CUDA before it runs: the libraries that it asks for, and whether it holds
// device code. ELF, 64 bits, little endian (System V ABI, chapters 4 and 5).
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace twofour::runtime {

struct ElfFile {
  std::vector<std::string> needed;  ///< DT_NEEDED, as written
  bool device_code = false;         ///< has a section .nv_fatbin
};

/// Those of `needed` that are NVIDIA's driver or ask it: their calls fail where it is not.
std::vector<std::string> needed_of_driver(const ElfFile& file);

/// Throws Error naming `name` for what is not such a file or reaches out of it.
ElfFile read_elf(std::span<const std::byte> bytes, const std::string& name);

}  // namespace twofour::runtime
