#pragma once
// Which sectors of global memory a launch touches.
#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace twofour::emu::profile {

inline constexpr int sector_bytes = 32;

/// A set of 32-byte sectors: a bit each, in pages of 1 MiB of memory.
class Footprint {
 public:
  /// Whether it is new.
  bool add(std::uint64_t sector);
  void add(const Footprint& other);
  void clear();
  std::uint64_t bytes() const { return sectors_ * sector_bytes; }

 private:
  static constexpr int page_bits = 15;  // sectors
  using Page = std::array<std::uint64_t, (1 << page_bits) / 64>;
  Page& page(std::uint64_t number);

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  std::uint64_t last_number_ = ~std::uint64_t{0};
  Page* last_ = nullptr;
  std::uint64_t sectors_ = 0;
};

}  // namespace twofour::emu::profile
