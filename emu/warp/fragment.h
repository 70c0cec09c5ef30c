#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace twofour::emu {

inline constexpr int warp_lanes = 32;
inline constexpr int max_operand_registers = 8;

/// One 32-bit register of the 32 lanes of a warp.
using LaneRegister = std::array<std::uint32_t, warp_lanes>;

/// 32-bit registers of one operand across a warp: word[register][lane]. Element `index` of a lane sits at bit
/// index * width of its registers, low end first; an f64 element is two registers, low word first.
struct Fragment {
  std::array<LaneRegister, max_operand_registers> word{};
  bool operator==(const Fragment&) const = default;
};

/// Raw word of element `index` of a lane, elements being `width` bits wide.
constexpr std::uint64_t element_word(const Fragment& f, int lane, int index, int width) {
  const int bit = index * width;
  const auto r = std::size_t(bit / 32), l = std::size_t(lane);
  if (width == 64) return f.word[r][l] | std::uint64_t(f.word[r + 1][l]) << 32;
  const std::uint32_t word = f.word[r][l] >> (bit % 32);
  return width == 32 ? word : word & ((1u << width) - 1);
}

/// Puts a raw word where the fragment still holds zeros.
constexpr void put_element(Fragment& f, int lane, int index, int width, std::uint64_t value) {
  const int bit = index * width;
  const auto r = std::size_t(bit / 32), l = std::size_t(lane);
  f.word[r][l] |= std::uint32_t(value << (bit % 32));
  if (width == 64) f.word[r + 1][l] = std::uint32_t(value >> 32);
}

/// Replaces an element of at most 32 bits.
constexpr void replace_element(Fragment& f, int lane, int index, int width, std::uint64_t value) {
  const int bit = index * width;
  std::uint32_t& word = f.word[std::size_t(bit / 32)][std::size_t(lane)];
  const std::uint32_t mask = (width == 32 ? ~0u : (1u << width) - 1) << (bit % 32);
  word = (word & ~mask) | std::uint32_t(value << (bit % 32));
}

}  // namespace twofour::emu
