#pragma once
// The container in which nvcc puts device code into a program: a wrapper in the program's data points to a
// header, entries follow it. Only PTX entries are of use here; machine code (ELF) is skipped. All numbers are
// little endian.
//   wrapper  u32 magic 0x466243b1, u32 version, pointer to the header
//   header   u32 magic 0xBA55ED50, u16 version, u16 header size, u64 size of all entries
//   entry    u16 kind (1 PTX, 2 ELF), u16 version, u32 header size, u64 payload size (padded), u32 compressed
//            size, u32 options, u16 minor, u16 major, u32 sm, u32 name offset, u32 name length, u64 flags,
//            u64 reserved, u64 size when decompressed
// Flags of an entry: 0x2000 LZ4 block, 0x8000 zstd, neither: raw.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace twofour::runtime {

struct FatbinEntry {
  bool ptx = false;
  int sm = 0;               ///< 80: compute_80
  std::uint64_t flags = 0;  ///< as stored
  std::uint64_t text_bytes = 0;
  std::span<const std::byte> payload;  ///< as stored, in the fatbin's bytes; the padding is left out
};

/// Entries of a header and what follows it. Throws Error naming `name` and the offset for anything that does
/// not lie inside `fatbin`; an empty list of entries is allowed.
std::vector<FatbinEntry> read_fatbin(std::span<const std::byte> fatbin, const std::string& name);

/// The bytes of the fatbin that a wrapper in this process points to. Throws Error for wrong magic numbers;
/// the sizes are the program's own.
std::span<const std::byte> fatbin_of_wrapper(const void* wrapper);
/// The fatbins of the files that nvcc -rdc=true joined: version 2 of the wrapper has a list of them behind
/// the pointer to the header, up to a null. Empty for others.
std::vector<std::span<const std::byte>> linked_fatbins(const void* wrapper);

/// The PTX of an entry, without the zeros at its end. Throws Error for what does not decompress to the
/// stated size, and for more than 64 MiB.
std::string ptx_text(const FatbinEntry& entry, const std::string& name);

/// The PTX entry for a machine: the highest sm that is not above the machine's; where there are only newer
/// ones the lowest of these (`newer` is then set). Throws Error that says how to rebuild when there is no
/// PTX.
struct ChosenEntry {
  const FatbinEntry* entry = nullptr;
  bool newer = false;
};
ChosenEntry choose_entry(std::span<const FatbinEntry> entries, int machine_sm, const std::string& name);

}  // namespace twofour::runtime
