#include "twofour/cli/input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "twofour/isa/error.h"

namespace twofour::cli {

Input::Input(const std::string& path) : name_(path == "-" ? "standard input" : path), in_(&std::cin) {
  if (path == "-") return;
  if (std::filesystem::is_directory(path)) fail("{}: is a directory, a file is needed", path);
  file_ = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file_) fail("{}: cannot be read: {}", path, std::strerror(errno));
  in_ = file_.get();
}

}  // namespace twofour::cli
