#include "twofour/emu/ptx/texture.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "twofour/emu/numerics/half.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace {

/// A whole number near x that no later step can overflow; 0 for NaN.
std::int64_t floor_of(float x) {
  if (!(x > -1e9f)) return x <= -1e9f ? -1000000000 : 0;
  if (x >= 1e9f) return 1000000000;
  const auto whole = std::int64_t(x);
  return whole - (float(whole) > x);
}

/// The texel that a coordinate means; -1: the border.
std::int64_t place(std::int64_t i, std::int64_t n, Addressing addressing, bool normalized) {
  if (i >= 0 && i < n) return i;
  if (addressing == Addressing::border) return -1;
  if (normalized && addressing == Addressing::wrap) return (i % n + n) % n;
  if (normalized && addressing == Addressing::mirror) {
    const std::int64_t m = (i % (2 * n) + 2 * n) % (2 * n);
    return m < n ? m : 2 * n - 1 - m;
  }
  return std::clamp<std::int64_t>(i, 0, n - 1);
}

const std::byte* texel_at(const Texture& t, std::uintptr_t bias, std::array<std::int64_t, 3> at,
                          std::int64_t layer) {
  const std::uint64_t offset = std::uint64_t(at[2] + layer) * t.slice_bytes +
                               std::uint64_t(at[1]) * t.row_bytes + std::uint64_t(at[0] * t.texel_bytes());
  return reinterpret_cast<const std::byte*>(bias + t.address + offset);
}

std::uint32_t as_real(const Texture& t, std::int64_t value) {
  const bool natural = t.number == Texture::Number::natural;
  const double largest = double((std::int64_t{1} << (t.bits - (natural ? 0 : 1))) - 1);
  return std::bit_cast<std::uint32_t>(float(std::max(-1.0, double(value) / largest)));
}

std::uint32_t channel(const Texture& t, const std::byte* p) {
  std::uint32_t raw = 0;
  std::memcpy(&raw, p, std::size_t(t.bits / 8));
  if (t.number == Texture::Number::real)
    return t.bits == 16 ? std::bit_cast<std::uint32_t>(half_to_float(std::uint16_t(raw))) : raw;
  std::int64_t value = raw;
  if (t.number == Texture::Number::integer) {
    const int unused = 32 - t.bits;
    value = std::int32_t(raw << unused) >> unused;
  }
  return t.to_real ? as_real(t, value) : std::uint32_t(value);
}

Texel read(const Texture& t, const std::byte* p) {
  Texel texel = {};
  if (t.number == Texture::Number::real && t.bits == 32) {
    for (int c = 0; c < t.channels; ++c) std::memcpy(&texel[std::size_t(c)], p + 4 * c, 4);
    return texel;
  }
  for (int c = 0; c < t.channels; ++c) texel[std::size_t(c)] = channel(t, p + c * t.bits / 8);
  return texel;
}

Texel border_of(const Texture& t) {
  Texel texel;
  const bool real = t.number == Texture::Number::real || t.to_real;
  for (std::size_t c = 0; c < 4; ++c)
    texel[c] = real ? std::bit_cast<std::uint32_t>(t.border[c]) : std::uint32_t(std::int64_t(t.border[c]));
  return texel;
}

/// With what the addressing modes make of coordinates outside.
Texel addressed(const Texture& t, std::uintptr_t bias, std::array<std::int64_t, 3> at, std::int64_t layer) {
  const std::int64_t size[3] = {t.width, t.height, t.depth};
  for (std::size_t k = 0; k < 3; ++k) {
    at[k] = place(at[k], size[k], t.addressing[k], t.normalized);
    if (at[k] < 0) return border_of(t);
  }
  return read(t, texel_at(t, bias, at, layer));
}

}  // namespace

Texel fetch(const Texture& t, std::uintptr_t bias, std::array<std::int64_t, 3> at, std::int64_t layer) {
  if (at[0] < 0 || at[0] >= t.width || at[1] < 0 || at[1] >= t.height || at[2] < 0 || at[2] >= t.depth)
    return {};
  return read(t, texel_at(t, bias, at, std::clamp<std::int64_t>(layer, 0, t.layers - 1)));
}

Texel sample(const Texture& t, std::uintptr_t bias, std::array<float, 3> at, int dimensions,
             std::int64_t layer) {
  layer = std::clamp<std::int64_t>(layer, 0, t.layers - 1);
  const std::int64_t size[3] = {t.width, t.height, t.depth};
  const bool filters = t.linear && (t.number == Texture::Number::real || t.to_real);
  std::array<std::int64_t, 3> low = {};
  if (!filters) {
    for (std::size_t k = 0; k < std::size_t(dimensions); ++k)
      low[k] = floor_of(t.normalized ? at[k] * float(size[k]) : at[k]);
    return addressed(t, bias, low, layer);
  }
  float weight[3] = {};
  for (std::size_t k = 0; k < std::size_t(dimensions); ++k) {
    const float x = (t.normalized ? at[k] * float(size[k]) : at[k]) - 0.5f;
    low[k] = floor_of(x);
    if (std::fabs(x) < 1e9f) weight[k] = float(int((x - float(low[k])) * 256 + 0.5f)) / 256;
  }
  std::array<float, 4> sum = {};
  for (unsigned corner = 0; corner < 1u << dimensions; ++corner) {
    std::array<std::int64_t, 3> place = low;
    float w = 1;
    for (unsigned k = 0; k < unsigned(dimensions); ++k) {
      const bool high = (corner >> k & 1) != 0;
      place[k] += high;
      w *= high ? weight[k] : 1 - weight[k];
    }
    if (w == 0) continue;
    const Texel texel = addressed(t, bias, place, layer);
    for (std::size_t c = 0; c < 4; ++c) sum[c] += w * std::bit_cast<float>(texel[c]);
  }
  Texel out;
  for (std::size_t c = 0; c < 4; ++c) out[c] = std::bit_cast<std::uint32_t>(sum[c]);
  return out;
}

CubePlace cube_place(float x, float y, float z) {
  const float ax = std::fabs(x), ay = std::fabs(y), az = std::fabs(z);
  float m = az, s = z >= 0 ? x : -x, t = -y;
  int face = z >= 0 ? 4 : 5;
  if (ax >= ay && ax >= az) {
    m = ax;
    face = x >= 0 ? 0 : 1;
    s = x >= 0 ? -z : z;
  } else if (ay >= az) {
    m = ay;
    face = y >= 0 ? 2 : 3;
    s = x;
    t = y >= 0 ? z : -z;
  }
  if (!(m > 0)) return {face, 0.5f, 0.5f};
  return {face, (s / m + 1) / 2, (t / m + 1) / 2};
}

std::uint64_t Textures::add(const Texture& texture) {
  all_[next_] = texture;
  return next_++;
}
void Textures::remove(std::uint64_t handle) {
  if (all_.erase(handle) == 0) fail("there is no texture or surface with handle {}", handle);
}
const Texture* Textures::find(std::uint64_t handle) const {
  const auto at = all_.find(handle);
  return at == all_.end() ? nullptr : &at->second;
}

}  // namespace twofour::emu::ptx
