#pragma once
#include <string>
#include <vector>

#include "twofour/isa/layout.h"

namespace twofour::isa {

/// One element of a fragment as a lane holds it: registers first .. first+count-1 of 32 bits (f64: two), the
/// element's number within the register, and its bits there.
struct FragmentPlace {
  int lane, index;
  int reg, count;
  int element, bit, bits;
  bool operator==(const FragmentPlace&) const = default;
};

/// Elements of a type that share a 32-bit register (f64: 1).
constexpr int elements_per_register(ElementType type) {
  return bits(type) >= 32 ? 1 : 32 / bits(type);
}

/// Where element `index` of a lane lies: bit index * bits(type) of its registers, little end first.
constexpr FragmentPlace fragment_place(ElementType type, int lane, int index) {
  const int width = bits(type), per_register = elements_per_register(type);
  const int count = width > 32 ? width / 32 : 1, element = index % per_register;
  return {lane, index, index / per_register * count, count, element, element * width, width / count};
}

/// Everything that one operand's fragment holds: places[row * columns + col], by lane, then index; more than
/// one place where the instruction keeps copies (wmma), none where no lane holds the element.
struct FragmentMap {
  int rows, cols;
  std::vector<std::vector<FragmentPlace>> places;

  const std::vector<FragmentPlace>& at(int row, int col) const {
    return places[std::size_t(row * cols + col)];
  }
};
FragmentMap fragment_map(const Instruction& i, Operand o);

/// "lane 13 register 2 bits 16-31"; f64: "lane 13 registers 2 and 3".
std::string place_text(const FragmentPlace& place);

}  // namespace twofour::isa
