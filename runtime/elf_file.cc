#include "twofour/runtime/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "twofour/isa/error.h"

namespace twofour::runtime {
namespace {

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  template <class T>
  T at(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, range(offset, sizeof value).data(), sizeof value);
    return value;
  }

  std::span<const std::byte> range(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset)
      fail("{}: a damaged program: offset {} + {} is outside its {} bytes", name_, offset, count,
           bytes_.size());
    return bytes_.subspan(offset, count);
  }

  /// Up to the zero or the end of the file.
  std::string text(std::uint64_t offset) const {
    const auto rest = range(offset, offset <= bytes_.size() ? bytes_.size() - offset : 0);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{});
    return {reinterpret_cast<const char*>(rest.data()), std::size_t(end - rest.begin())};
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
};

std::vector<Elf64_Shdr> sections(const Reader& file, const Elf64_Ehdr& head) {
  std::vector<Elf64_Shdr> all;
  const auto table = file.range(head.e_shoff, std::uint64_t{head.e_shnum} * sizeof(Elf64_Shdr));
  for (std::uint64_t i = 0; i < table.size(); i += sizeof(Elf64_Shdr))
    all.push_back(file.at<Elf64_Shdr>(head.e_shoff + i));
  return all;
}

std::vector<std::string> needed(const Reader& file, const Elf64_Shdr& dynamic, const Elf64_Shdr& strings) {
  std::vector<std::string> names;
  const auto table = file.range(dynamic.sh_offset, dynamic.sh_size);
  for (std::uint64_t i = 0; i + sizeof(Elf64_Dyn) <= table.size(); i += sizeof(Elf64_Dyn)) {
    const auto entry = file.at<Elf64_Dyn>(dynamic.sh_offset + i);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) names.push_back(file.text(strings.sh_offset + entry.d_un.d_val));
  }
  return names;
}

}  // namespace

ElfFile read_elf(std::span<const std::byte> bytes, const std::string& name) {
  const Reader file(bytes, name);
  if (bytes.size() < sizeof(Elf64_Ehdr) || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0 ||
      bytes[EI_CLASS] != std::byte{ELFCLASS64} || bytes[EI_DATA] != std::byte{ELFDATA2LSB})
    fail("{}: not a program of this machine (64-bit ELF)", name);
  const auto head = file.at<Elf64_Ehdr>(0);
  ElfFile found;
  const auto all = sections(file, head);
  for (const Elf64_Shdr& section : all) {
    if (section.sh_type == SHT_DYNAMIC && section.sh_link < all.size())
      found.needed = needed(file, section, all[section.sh_link]);
    if (head.e_shstrndx < all.size() &&
        file.text(all[head.e_shstrndx].sh_offset + section.sh_name) == ".nv_fatbin")
      found.device_code = true;
  }
  return found;
}

std::vector<std::string> needed_of_driver(const ElfFile& file) {
  constexpr std::array<std::string_view, 10> families{"libcuda.",   "libcublas",   "libcudnn",    "libcufft",
                                                      "libcurand.", "libcusolver", "libcusparse", "libnpp",
                                                      "libnvjpeg",  "libnccl"};
  std::vector<std::string> found;
  for (const std::string& name : file.needed)
    if (std::any_of(families.begin(), families.end(), [&](auto family) { return name.starts_with(family); }))
      found.push_back(name);
  return found;
}

}  // namespace twofour::runtime
