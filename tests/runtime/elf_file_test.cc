#include "twofour/runtime/elf_file.h"

#include <gmock/gmock.h>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::runtime {
namespace {

ElfFile read(const std::string& bytes) {
  return read_elf(std::as_bytes(std::span(bytes)), "f");
}

std::string seed(const char* name) {
  return isa::read_file(fmt::format("{}/tests/fuzz/seeds/elf_file/{}", TWOFOUR_SOURCE_DIR, name));
}

// Linked by ld from one section .nv_fatbin against a library of that name; `readelf -d -S` says the same.
TEST(ElfFile, NeededLibrariesAndDeviceCode) {
  const ElfFile with = read(seed("device_code"));
  EXPECT_THAT(with.needed, testing::ElementsAre("libcudart.so.13"));
  EXPECT_TRUE(with.device_code);
  const ElfFile without = read(seed("plain"));
  EXPECT_THAT(without.needed, testing::IsEmpty());
  EXPECT_FALSE(without.device_code);
}

TEST(ElfFile, LibrariesThatAskTheDriver) {
  ElfFile file;
  file.needed = {"libcudart.so.13", "libcublas.so.13", "libcudnn_ops.so.9", "libm.so.6", "libcuda.so.1"};
  EXPECT_THAT(needed_of_driver(file),
              testing::ElementsAre("libcublas.so.13", "libcudnn_ops.so.9", "libcuda.so.1"));
}

TEST(ElfFile, EveryCutIsRefused) {
  const std::string whole = seed("device_code");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read(whole.substr(0, size)), Error) << size;
}

}  // namespace
}  // namespace twofour::runtime
