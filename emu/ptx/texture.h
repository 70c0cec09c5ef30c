#pragma once
// Textures and surfaces: texels in global memory and how coordinates find them. Source: CUDA C++ Programming
// Guide, "Texture Fetching"; PTX ISA 9.0, 5.3 and 9.7.10. Texels lie in rows here (x fastest, then y, then z
// or the layer); how a GPU lays arrays out is not known to programs.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

namespace twofour::emu::ptx {

/// What a coordinate outside of the texture means.
enum class Addressing : std::uint8_t { wrap, clamp, mirror, border };

struct Texture {
  enum class Number : std::uint8_t { integer, natural, real };  ///< signed, unsigned, floating-point
  std::uint64_t address = 0;                                    ///< of the first texel
  std::uint64_t row_bytes = 0, slice_bytes = 0;                 ///< from one row, slice or layer to the next
  std::int64_t width = 1, height = 1, depth = 1;                ///< texels; a layered one has one slice
  std::int64_t layers = 1;                                      ///< of a cube map: its faces
  int channels = 1, bits = 32;  ///< of a texel; bits of a channel: 8, 16 or 32
  Number number = Number::real;
  std::array<Addressing, 3> addressing = {Addressing::clamp, Addressing::clamp, Addressing::clamp};
  bool linear = false;      ///< else the nearest texel
  bool normalized = false;  ///< coordinates of 0 .. 1
  bool to_real = false;     ///< integers are read as fractions of their largest value
  std::array<float, 4> border = {};

  std::int64_t texel_bytes() const { return channels * bits / 8; }
};

/// A texel as an instruction gives it: floats by their bits, or integers. Channels that are not there are 0.
using Texel = std::array<std::uint32_t, 4>;

/// The texel at whole coordinates; 0 outside of the texture. `bias`: from device addresses to the host's.
Texel fetch(const Texture& t, std::uintptr_t bias, std::array<std::int64_t, 3> at, std::int64_t layer);
/// By real coordinates, `dimensions` of them (1 to 3). Linear filters have weights of 8 bits, as on the GPU;
/// their products are added in float.
Texel sample(const Texture& t, std::uintptr_t bias, std::array<float, 3> at, int dimensions,
             std::int64_t layer);
/// Face 0 .. 5 of a cube map in a direction, and the place on it, in 0 .. 1.
struct CubePlace {
  int face = 0;
  float s = 0, t = 0;
};
CubePlace cube_place(float x, float y, float z);

/// Textures of a device, by handle.
class Textures {
 public:
  std::uint64_t add(const Texture& texture);
  /// Throws Error for an unknown handle.
  void remove(std::uint64_t handle);
  /// Null for an unknown handle.
  const Texture* find(std::uint64_t handle) const;

 private:
  std::map<std::uint64_t, Texture> all_;
  std::uint64_t next_ = 1;
};

}  // namespace twofour::emu::ptx
