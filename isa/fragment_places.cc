#include "twofour/isa/fragment_places.h"

#include <fmt/format.h>

namespace twofour::isa {

FragmentMap fragment_map(const Instruction& i, Operand o) {
  const Shape size = tile(i, o);
  FragmentMap map{size.m, size.n, {}};
  map.places.resize(std::size_t(size.m * size.n));
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < elements_per_lane(i, o); ++index) {
      const Coordinate at = coordinate(i, o, lane, index);
      map.places[std::size_t(at.row * map.cols + at.col)].push_back(
          fragment_place(element(i, o), lane, index));
    }
  return map;
}

std::string place_text(const FragmentPlace& p) {
  if (p.count > 1) return fmt::format("lane {} registers {} and {}", p.lane, p.reg, p.reg + 1);
  return fmt::format("lane {} register {} bits {}-{}", p.lane, p.reg, p.bit, p.bit + p.bits - 1);
}

}  // namespace twofour::isa
