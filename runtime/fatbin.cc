#include "twofour/runtime/fatbin.h"

#include <link.h>
#include <lz4.h>
#include <zstd.h>

#include <cstring>
#include <optional>

#include "twofour/isa/error.h"

namespace twofour::runtime {
namespace {

constexpr std::uint32_t wrapper_magic = 0x466243b1, header_magic = 0xBA55ED50;
constexpr std::uint64_t header_bytes = 16, entry_bytes = 64, most_text_bytes = 64 << 20;
constexpr std::uint64_t flag_lz4 = 0x2000, flag_zstd = 0x8000;
enum Kind : std::uint16_t { kind_ptx = 1 };

/// A number of type T at an offset; the caller has checked that it lies inside.
template <class T>
T number(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// One entry at the start of `rest`, and how many bytes it takes.
struct Parsed {
  FatbinEntry entry;
  std::uint64_t bytes = 0;
};

Parsed parse_entry(std::span<const std::byte> rest, std::uint64_t offset, const std::string& name) {
  if (rest.size() < entry_bytes)
    fail("{}: offset {}: an entry of device code is cut off: the file is damaged", name, offset);
  const std::uint64_t head = number<std::uint32_t>(rest, 4), padded = number<std::uint64_t>(rest, 8);
  const std::uint64_t compressed = number<std::uint32_t>(rest, 16);
  if (head < entry_bytes || head > rest.size() || padded > rest.size() - head || compressed > padded)
    fail("{}: offset {}: an entry of {} + {} bytes ({} compressed) does not fit into {}: the file is damaged",
         name, offset, head, padded, compressed, rest.size());
  Parsed out{.entry = {.ptx = number<std::uint16_t>(rest, 0) == kind_ptx,
                       .sm = int(number<std::uint32_t>(rest, 28)),
                       .flags = number<std::uint64_t>(rest, 40),
                       .text_bytes = number<std::uint64_t>(rest, 56),
                       .payload = {}},
             .bytes = head + padded};
  const bool packed = (out.entry.flags & (flag_lz4 | flag_zstd)) != 0;
  out.entry.payload = rest.subspan(head, packed ? compressed : padded);
  if (!packed) out.entry.text_bytes = padded;
  return out;
}

void decompress(const FatbinEntry& entry, std::string& text, const std::string& name) {
  const auto* from = reinterpret_cast<const char*>(entry.payload.data());
  if (entry.flags & flag_zstd) {
    const std::size_t got = ZSTD_decompress(text.data(), text.size(), from, entry.payload.size());
    if (ZSTD_isError(got) || got != text.size())
      fail("{}: its PTX does not decompress (zstd): the file is damaged", name);
    return;
  }
  // At most 64 MiB and a 32-bit size: both are ints, or LZ4 refuses them.
  if (entry.payload.size() > std::size_t(LZ4_MAX_INPUT_SIZE) ||
      LZ4_decompress_safe(from, text.data(), int(entry.payload.size()), int(text.size())) != int(text.size()))
    fail("{}: its PTX does not decompress (LZ4): the file is damaged", name);
}

/// Neither format packs more than this many bytes into one, except zstd's long runs: refuse a stated size
/// before memory is taken for it.
void check_stated_size(const FatbinEntry& entry, const std::string& name) {
  if (entry.text_bytes > most_text_bytes)
    fail("{}: PTX of {} bytes; at most {} are read", name, entry.text_bytes, most_text_bytes);
  if (entry.flags & flag_zstd) {
    const auto stated = ZSTD_getFrameContentSize(entry.payload.data(), entry.payload.size());
    if (stated != ZSTD_CONTENTSIZE_UNKNOWN && stated != entry.text_bytes)
      fail("{}: its PTX does not decompress (zstd): the file is damaged", name);
  } else if (entry.flags & flag_lz4) {
    if (entry.text_bytes / 255 > entry.payload.size())
      fail("{}: its PTX does not decompress (LZ4): the file is damaged", name);
  }
}

std::span<const std::byte> words_of_wrapper(const void* wrapper) {
  const std::span<const std::byte> words(static_cast<const std::byte*>(wrapper), 8 + 2 * sizeof(void*));
  if (number<std::uint32_t>(words, 0) != wrapper_magic)
    fail("device code in a wrapper that is not known here (magic {:#x})", number<std::uint32_t>(words, 0));
  return words;
}

/// Bytes from an address to the end of the segment of a loaded file that holds it.
std::optional<std::uint64_t> rest_of_segment(const std::byte* data) {
  struct Search {
    std::uintptr_t address;
    std::optional<std::uint64_t> rest;
  } search{reinterpret_cast<std::uintptr_t>(data), {}};
  const auto look = [](dl_phdr_info* file, std::size_t, void* to) {
    auto& s = *static_cast<Search*>(to);
    for (int i = 0; i < file->dlpi_phnum && !s.rest; ++i) {
      const auto& segment = file->dlpi_phdr[i];
      const std::uintptr_t offset = s.address - (file->dlpi_addr + segment.p_vaddr);
      if (segment.p_type == PT_LOAD && offset < segment.p_memsz) s.rest = segment.p_memsz - offset;
    }
    return int(s.rest.has_value());
  };
  ::dl_iterate_phdr(look, &search);
  return search.rest;
}

std::span<const std::byte> fatbin_at(const std::byte* data) {
  const std::span<const std::byte> header(data, header_bytes);
  if (number<std::uint32_t>(header, 0) != header_magic)
    fail("device code in a form that is not known here (magic {:#x})", number<std::uint32_t>(header, 0));
  const std::uint64_t head = number<std::uint16_t>(header, 6), size = number<std::uint64_t>(header, 8);
  const auto room = rest_of_segment(data);
  if (room && (head > *room || size > *room - head))
    fail(
        "device code of {} + {} bytes does not fit into the {} that the program has there: the file is "
        "damaged",
        head, size, *room);
  return {data, head + size};
}

}  // namespace

std::vector<FatbinEntry> read_fatbin(std::span<const std::byte> fatbin, const std::string& name) {
  if (fatbin.size() < header_bytes || number<std::uint32_t>(fatbin, 0) != header_magic)
    fail("{}: no device code in a form that is known here (magic {:#x} is missing)", name, header_magic);
  const std::uint64_t head = number<std::uint16_t>(fatbin, 6), size = number<std::uint64_t>(fatbin, 8);
  if (head < header_bytes || head > fatbin.size() || size > fatbin.size() - head)
    fail("{}: device code of {} + {} bytes does not fit into {}: the file is damaged", name, head, size,
         fatbin.size());
  std::vector<FatbinEntry> entries;
  for (std::uint64_t at = head; at < head + size;) {
    const Parsed parsed = parse_entry(fatbin.subspan(at, head + size - at), at, name);
    entries.push_back(parsed.entry);
    at += parsed.bytes;
  }
  return entries;
}

std::span<const std::byte> fatbin_of_wrapper(const void* wrapper) {
  const auto words = words_of_wrapper(wrapper);
  return fatbin_at(number<const std::byte*>(words, 8));
}

std::vector<std::span<const std::byte>> linked_fatbins(const void* wrapper) {
  const auto words = words_of_wrapper(wrapper);
  std::vector<std::span<const std::byte>> all;
  const auto* const* list = number<const std::byte* const*>(words, 8 + sizeof(void*));
  if (number<std::uint32_t>(words, 4) < 2 || list == nullptr) return all;
  for (; *list != nullptr; ++list) all.push_back(fatbin_at(*list));
  return all;
}

std::string ptx_text(const FatbinEntry& entry, const std::string& name) {
  check_stated_size(entry, name);
  std::string text(entry.text_bytes, '\0');
  if (entry.flags & (flag_lz4 | flag_zstd))
    decompress(entry, text, name);
  else if (!text.empty())
    std::memcpy(text.data(), entry.payload.data(), text.size());
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

ChosenEntry choose_entry(std::span<const FatbinEntry> entries, int machine_sm, const std::string& name) {
  const FatbinEntry *best = nullptr, *lowest = nullptr;
  for (const auto& e : entries) {
    if (!e.ptx) continue;
    if (e.sm <= machine_sm && (!best || e.sm > best->sm)) best = &e;
    if (!lowest || e.sm < lowest->sm) lowest = &e;
  }
  if (!lowest)
    fail(
        "{}: only machine code, no PTX: build the program again with "
        "-gencode arch=compute_80,code=compute_80 among nvcc's options",
        name);
  return best ? ChosenEntry{best, false} : ChosenEntry{lowest, true};
}

}  // namespace twofour::runtime
