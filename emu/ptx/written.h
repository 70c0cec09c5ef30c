#pragma once
// Which bytes of global memory were written since they were allocated.
#include <cstdint>

namespace twofour::emu::ptx {

/// A bit for each byte of one range of addresses; only what is touched takes memory of the host. Blocks may
/// call set() and read at once from many threads; the host calls the others while nothing runs.
class WrittenBytes {
 public:
  /// `begin` is a multiple of 64. Throws Error if the host cannot reserve that much.
  WrittenBytes(std::uint64_t begin, std::uint64_t bytes);
  ~WrittenBytes();
  WrittenBytes(const WrittenBytes&) = delete;
  WrittenBytes& operator=(const WrittenBytes&) = delete;

  void set(std::uint64_t address, std::uint64_t bytes);
  void clear(std::uint64_t address, std::uint64_t bytes);
  /// Whether any of the bytes was written. True for bytes outside the range.
  bool any(std::uint64_t address, std::uint64_t bytes) const;
  bool all(std::uint64_t address, std::uint64_t bytes) const;

 private:
  bool outside(std::uint64_t address, std::uint64_t bytes) const;

  std::uint64_t begin_, bytes_;
  std::uint64_t* words_ = nullptr;
};

}  // namespace twofour::emu::ptx
