#pragma once
// Which lane a shfl reads (PTX ISA 9.0, 9.7.9.6).
#include <cstdint>
#include <optional>
#include <utility>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx {

enum class Shuffle : std::uint8_t { up, down, bfly, idx };

inline std::optional<Shuffle> shuffle_mode(const Instruction& i) {
  if (i.has("up")) return Shuffle::up;
  if (i.has("down")) return Shuffle::down;
  if (i.has("bfly")) return Shuffle::bfly;
  if (i.has("idx")) return Shuffle::idx;
  return std::nullopt;
}

/// Source lane of PTX's definition, and whether it is in range; a lane whose source is not reads its own.
inline std::pair<int, bool> shuffle_source(Shuffle mode, int lane, std::uint32_t b, std::uint32_t c) {
  const int bval = int(b & 31), clamp = int(c & 31), segment = int(c >> 8 & 31);
  const int highest = (lane & segment) | (clamp & ~segment), lowest = lane & segment;
  switch (mode) {
    case Shuffle::up: return {lane - bval, lane - bval >= highest};
    case Shuffle::down: return {lane + bval, lane + bval <= highest};
    case Shuffle::bfly: return {lane ^ bval, (lane ^ bval) <= highest};
    case Shuffle::idx: break;
  }
  const int j = lowest | (bval & ~segment);
  return {j, j <= highest};
}

}  // namespace twofour::emu::ptx
