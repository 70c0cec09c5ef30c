#include "twofour/isa/file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "twofour/isa/error.h"

namespace twofour::isa {

std::string read_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) fail("{}: is a directory, a file is needed", path);
  if (std::filesystem::is_character_file(path)) fail("{}: is a device, a file is needed", path);
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("{}: cannot be read: {}", path, std::strerror(errno));
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (in.bad()) fail("{}: cannot be read: {}", path, std::strerror(errno));
  return bytes.str();
}

void write_file(const std::string& path, std::string_view bytes) {
  write_file(path, {}, bytes);
}

void write_file(const std::string& path, std::string_view head, std::string_view bytes) {
  const std::string temporary = fmt::format("{}.{}.part", path, ::getpid());
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(head.data(), static_cast<std::streamsize>(head.size()));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) {
      const int reason = errno;
      out.close();
      std::remove(temporary.c_str());
      fail("{}: cannot be written: {}", path, std::strerror(reason));
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    std::remove(temporary.c_str());
    fail("{}: cannot be written: {}", path, std::strerror(reason));
  }
}

}  // namespace twofour::isa
