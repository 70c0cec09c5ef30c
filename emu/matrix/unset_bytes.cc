#include "twofour/emu/matrix/unset_bytes.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <new>

namespace twofour::emu {
namespace {

constexpr std::size_t huge_page = std::size_t(2) << 20;
constexpr std::size_t many = std::size_t(32) << 20;  // below, malloc keeps freed memory and its pages

}  // namespace

std::byte* UnsetBytes::allocate(std::size_t count) {
  const std::size_t alignment = count < many ? 64 : huge_page;
  const std::size_t rounded = (count + alignment - 1) / alignment * alignment;
  void* at = rounded < count ? nullptr : std::aligned_alloc(alignment, rounded);
  if (at == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (count >= many) madvise(at, rounded, MADV_HUGEPAGE);  // a wish: without it all works
#endif
  return static_cast<std::byte*>(at);
}

void UnsetBytes::deallocate(std::byte* at, std::size_t) noexcept {
  std::free(at);
}

}  // namespace twofour::emu
