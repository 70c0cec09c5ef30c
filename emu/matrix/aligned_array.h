#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace twofour::emu {

/// `count` elements of T that start a cache line, not initialised.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(std::int64_t count)
      : lines_(std::make_unique_for_overwrite<Line[]>(std::size_t(count) * sizeof(T) / sizeof(Line) + 1)) {}
  T* data() { return reinterpret_cast<T*>(lines_.get()); }
  const T* data() const { return reinterpret_cast<const T*>(lines_.get()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::unique_ptr<Line[]> lines_;
};

}  // namespace twofour::emu
