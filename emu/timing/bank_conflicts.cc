#include "twofour/emu/timing/bank_conflicts.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr int banks = 32, word_bytes = 4, widest_lane = 16;

/// The words that lanes [first, last) touch, by bank: the most different ones in a bank are its wavefronts.
int phase_wavefronts(std::span<const std::uint32_t, 32> addresses, int first, int last, int bytes,
                     std::uint32_t active) {
  std::array<std::uint32_t, 32 * widest_lane / word_bytes> words;
  std::size_t count = 0;
  for (int lane = first; lane < last; ++lane) {
    if (!(active >> lane & 1)) continue;
    const std::uint32_t word = addresses[static_cast<std::size_t>(lane)] / word_bytes;
    for (int w = 0; w < std::max(bytes / word_bytes, 1); ++w)
      words[count++] = word + static_cast<std::uint32_t>(w);
  }
  std::sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  const auto end = std::unique(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  std::array<int, banks> in_bank{};
  for (auto w = words.begin(); w != end; ++w) ++in_bank[*w % banks];
  return *std::max_element(in_bank.begin(), in_bank.end());
}

void check_aligned(std::span<const std::uint32_t, 32> addresses, int lanes, int bytes, std::uint32_t active) {
  for (int lane = 0; lane < lanes; ++lane)
    if ((active >> lane & 1) &&
        addresses[static_cast<std::size_t>(lane)] % static_cast<std::uint32_t>(bytes) != 0)
      fail("shared memory: address {} of lane {} is not a multiple of {} bytes",
           addresses[static_cast<std::size_t>(lane)], lane, bytes);
}

int phases(std::span<const std::uint32_t, 32> addresses, int lanes, int lanes_a_phase, int bytes,
           std::uint32_t active) {
  check_aligned(addresses, lanes, bytes, active);
  int sum = 0;
  for (int lane = 0; lane < lanes; lane += lanes_a_phase)
    sum += phase_wavefronts(addresses, lane, lane + lanes_a_phase, bytes, active);
  return sum;
}

}  // namespace

int shared_wavefronts(std::span<const std::uint32_t, 32> addresses, int bytes_per_lane,
                      std::uint32_t active) {
  switch (bytes_per_lane) {
    case 1:
    case 2:
    case 4: return phases(addresses, 32, 32, bytes_per_lane, active);
    case 8: return phases(addresses, 32, 16, bytes_per_lane, active);
    case 16: return phases(addresses, 32, 8, bytes_per_lane, active);
    default: fail("shared memory: a lane accesses 1, 2, 4, 8 or 16 bytes, not {}", bytes_per_lane);
  }
}

int ldmatrix_wavefronts(std::span<const std::uint32_t, 32> addresses, int matrices) {
  if (matrices != 1 && matrices != 2 && matrices != 4)
    fail("ldmatrix loads 1, 2 or 4 matrices, not {}", matrices);
  return phases(addresses, 8 * matrices, 8, 16, ~0u);
}

}  // namespace twofour::emu
