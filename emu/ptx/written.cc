#include "twofour/emu/ptx/written.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::uint64_t word_bytes = 64;  // bytes of memory that a word stands for
constexpr std::uint64_t page = 4096;

/// Calls f(word index, mask) for the words that stand for offset .. offset + bytes, until one says false.
template <class F>
bool every_word(std::uint64_t offset, std::uint64_t bytes, F&& f) {
  while (bytes != 0) {
    const std::uint64_t first = offset % word_bytes, count = std::min(word_bytes - first, bytes);
    const std::uint64_t mask = (count == word_bytes ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1)
                               << first;
    if (!f(offset / word_bytes, mask)) return false;
    offset += count;
    bytes -= count;
  }
  return true;
}

std::uint64_t load(std::uint64_t& word) {
  return std::atomic_ref(word).load(std::memory_order_relaxed);
}

}  // namespace

WrittenBytes::WrittenBytes(std::uint64_t begin, std::uint64_t bytes)
    : begin_(begin), bytes_((bytes + word_bytes - 1) / word_bytes * word_bytes) {
  void* const p =
      mmap(nullptr, bytes_ / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    fail("cannot reserve {} bytes of address space to remember what was written: raise the limit (ulimit -v)",
         bytes_ / 8);
  words_ = static_cast<std::uint64_t*>(p);
}

WrittenBytes::~WrittenBytes() {
  munmap(words_, bytes_ / 8);
}

bool WrittenBytes::outside(std::uint64_t address, std::uint64_t bytes) const {
  return address < begin_ || address - begin_ >= bytes_ || bytes > bytes_ - (address - begin_);
}

void WrittenBytes::set(std::uint64_t address, std::uint64_t bytes) {
  if (outside(address, bytes)) return;
  every_word(address - begin_, bytes, [&](std::uint64_t w, std::uint64_t mask) {
    if ((load(words_[w]) & mask) != mask)
      std::atomic_ref(words_[w]).fetch_or(mask, std::memory_order_relaxed);
    return true;
  });
}

void WrittenBytes::clear(std::uint64_t address, std::uint64_t bytes) {
  if (outside(address, bytes)) return;
  // Whole pages go back to the host.
  const std::uint64_t unit = page * 8, from = address - begin_, to = from + bytes;
  const std::uint64_t first = std::min((from + unit - 1) / unit * unit, to),
                      last = std::max(first, to / unit * unit);
  if (last > first) madvise(words_ + first / word_bytes, (last - first) / 8, MADV_DONTNEED);
  const auto erase = [&](std::uint64_t w, std::uint64_t mask) {
    words_[w] &= ~mask;
    return true;
  };
  every_word(from, first - from, erase);
  every_word(last, to - last, erase);
}

bool WrittenBytes::any(std::uint64_t address, std::uint64_t bytes) const {
  return outside(address, bytes) ||
         !every_word(address - begin_, bytes,
                     [&](std::uint64_t w, std::uint64_t mask) { return (load(words_[w]) & mask) == 0; });
}

bool WrittenBytes::all(std::uint64_t address, std::uint64_t bytes) const {
  return outside(address, bytes) ||
         every_word(address - begin_, bytes,
                    [&](std::uint64_t w, std::uint64_t mask) { return (load(words_[w]) & mask) == mask; });
}

}  // namespace twofour::emu::ptx
