#include "twofour/emu/profile/footprint.h"

#include <bit>

namespace twofour::emu::profile {

Footprint::Page& Footprint::page(std::uint64_t number) {
  if (number == last_number_) return *last_;
  auto& page = pages_[number];
  if (!page) page = std::make_unique<Page>();
  last_number_ = number;
  last_ = page.get();
  return *last_;
}

bool Footprint::add(std::uint64_t sector) {
  const std::uint64_t bit = sector & ((1 << page_bits) - 1);
  std::uint64_t& word = page(sector >> page_bits)[bit / 64];
  const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
  if ((word & mask) != 0) return false;
  word |= mask;
  ++sectors_;
  return true;
}

void Footprint::add(const Footprint& other) {
  for (const auto& [number, from] : other.pages_) {
    Page& to = page(number);
    for (std::size_t w = 0; w < to.size(); ++w) {
      sectors_ += std::uint64_t(std::popcount((*from)[w] & ~to[w]));
      to[w] |= (*from)[w];
    }
  }
}

void Footprint::clear() {
  pages_.clear();
  last_number_ = ~std::uint64_t{0};
  sectors_ = 0;
}

}  // namespace twofour::emu::profile
