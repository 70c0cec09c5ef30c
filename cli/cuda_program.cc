#include "twofour/cli/cuda_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/isa/machine.h"
#include "twofour/runtime/elf_file.h"

namespace twofour::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view cudart = "libcudart.so.";
constexpr std::array<std::string_view, 2> provided{"libcudart.so.12", "libcudart.so.13"};

/// As a shell does: a name without a slash is looked for in PATH.
fs::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  for (std::string_view rest = path ? path : ""; !rest.empty();) {
    const std::size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / name;
    std::error_code none;
    if (fs::is_regular_file(candidate, none) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  fail("run: {} is not in PATH; write ./{} for a program in this folder", name, name);
}

void check_executable(const fs::path& program) {
  std::error_code none;
  if (!fs::exists(program, none)) fail("run: {} is not there", program.string());
  if (!fs::is_regular_file(program, none)) fail("run: {} is not a program", program.string());
  if (::access(program.c_str(), X_OK) != 0) fail("run: {} is not executable (chmod +x)", program.string());
}

/// Libraries that come with compiler and system: whatever else a program needs may call CUDA.
bool is_system_library(std::string_view name) {
  constexpr std::array<std::string_view, 9> system{
      "libc.", "libm.", "libstdc++.", "libgcc_s.", "libpthread.", "libdl.", "librt.", "ld-linux", "libgomp."};
  return std::any_of(system.begin(), system.end(), [&](auto s) { return name.starts_with(s); });
}

/// The library of ours that the program asks for; empty if only its libraries may ask. Throws Error.
std::string wanted_library(const fs::path& program) {
  const std::string bytes = isa::read_file(program.string());
  const auto elf = runtime::read_elf(std::as_bytes(std::span(bytes)), program.string());
  for (const std::string& name : runtime::needed_of_driver(elf))
    fmt::print(stderr, "twofour: run: {} needs {}, which asks NVIDIA's driver: its calls fail here\n",
               program.string(), name);
  for (const std::string& name : elf.needed) {
    if (std::find(provided.begin(), provided.end(), name) != provided.end()) return name;
    if (name.starts_with(cudart))
      fail("run: {} needs {}: CUDA 12 and 13 are supported; build it again with one of these",
           program.string(), name);
  }
  if (elf.device_code)
    fail(
        "run: {} has CUDA's runtime library linked into it: build it again with -cudart shared among nvcc's "
        "options (CMake: CUDA_RUNTIME_LIBRARY Shared)",
        program.string());
  if (std::all_of(elf.needed.begin(), elf.needed.end(), is_system_library))
    fail("run: {} is not a CUDA program: it holds no device code and needs no libcudart.so.12 or .13",
         program.string());
  return "";
}

/// lib/twofour beside the folder of this program.
fs::path library_folder() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib" / "twofour";
  for (const auto name : provided)
    if (!fs::exists(folder / name))
      fail("run: {} is not there: install twofour again", (folder / name).string());
  return folder;
}

/// Puts a word in front of a list in the environment.
void prepend(const char* variable, const std::string& word) {
  const char* old = std::getenv(variable);
  ::setenv(variable, old && *old ? (word + ":" + old).c_str() : word.c_str(), 1);
}

/// The name, or the path made absolute, so that the program may change its folder.
std::string checked_machine(const std::string& machine) {
  isa::load_machine(machine);
  const auto names = isa::machine_names();
  return std::find(names.begin(), names.end(), machine) != names.end() ? machine
                                                                       : fs::absolute(machine).string();
}

}  // namespace

void run_cuda_program(const std::string& machine, const std::string& statistics,
                      std::span<const std::string> words) {
  const fs::path program = find_program(words[0]);
  check_executable(program);
  const std::string library = wanted_library(program);
  const fs::path folder = library_folder();
  ::setenv("TWOFOUR_MACHINE", checked_machine(machine).c_str(), 1);
  if (!statistics.empty()) ::setenv("TWOFOUR_STATISTICS", fs::absolute(statistics).c_str(), 1);
  prepend("LD_LIBRARY_PATH", folder.string());
  if (!library.empty()) prepend("LD_PRELOAD", (folder / library).string());  // before any RPATH
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  fail("run: {} cannot be started: {}", program.string(), std::strerror(errno));
}

}  // namespace twofour::cli
