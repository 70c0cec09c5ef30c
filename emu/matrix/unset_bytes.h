#pragma once
#include <cstddef>

namespace twofour::emu {

/// An allocator of bytes for std::vector that leaves new bytes as they are, and asks for huge pages where
/// there are many: mapping a fresh 64 MiB result in pages of 4 KiB takes as long as multiplying 4096^3 single
/// bits.
struct UnsetBytes {
  using value_type = std::byte;
  template <class Other>
  struct rebind {
    using other = UnsetBytes;
  };

  std::byte* allocate(std::size_t count);
  void deallocate(std::byte* at, std::size_t count) noexcept;
  template <class... Value>
  void construct(std::byte* at, Value... value) const {
    if constexpr (sizeof...(value) > 0) *at = std::byte(value...);
  }
  bool operator==(const UnsetBytes&) const = default;
};

}  // namespace twofour::emu
