// tex, suld and sust (PTX ISA 9.0, 9.7.10 and 9.7.11). Textures have one level: tex.level and tex.grad read
// it.
#include <algorithm>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/texture.h"

namespace twofour::emu::ptx {
namespace {

enum class Geometry : std::uint8_t { d1, d2, d3, a1d, a2d, cube, acube };

struct TextureOp {
  Geometry geometry = Geometry::d2;
  int dimensions = 2;
  bool layered = false, whole = false;  ///< coordinates are integers
  int words = 4, bytes = 4;             ///< of the data: registers, and bytes of each
  bool traps = true, zeroes = false;    ///< of a surface access outside: an error, or nothing; else clamped
  Ref handle;
  std::array<Ref, 4> data, coordinates;
};

const Texture& texture_of(Warp& warp, std::uint64_t handle, int lane) {
  const Texture* const t = warp.cta().grid().textures->find(handle);
  if (t == nullptr) warp.fail(lane, "there is no texture or surface with handle {:#x}", handle);
  return *t;
}

/// Coordinate k after the layer.
std::int32_t whole(Warp& warp, const TextureOp& m, int k, int lane) {
  return warp.reg<std::int32_t>(m.coordinates[std::size_t(k + m.layered)])[lane];
}

Texel texel(Warp& warp, const TextureOp& m, const Texture& t, int lane) {
  const std::uintptr_t bias = warp.cta().grid().memory->host_bias();
  std::int64_t layer = m.layered ? warp.reg<std::int32_t>(m.coordinates[0])[lane] : 0;
  if (m.whole) {
    std::array<std::int64_t, 3> at = {};
    for (int k = 0; k < m.dimensions; ++k) at[std::size_t(k)] = whole(warp, m, k, lane);
    return fetch(t, bias, at, layer);
  }
  std::array<float, 3> at = {};
  for (int k = 0; k < m.dimensions; ++k) at[std::size_t(k)] = std::bit_cast<float>(whole(warp, m, k, lane));
  if (m.geometry != Geometry::cube && m.geometry != Geometry::acube)
    return sample(t, bias, at, m.dimensions, layer);
  const CubePlace p = cube_place(at[0], at[1], at[2]);
  Texture face = t;
  face.normalized = true;
  return sample(face, bias, {p.s, p.t, 0}, 2, layer * 6 + p.face);
}

void read_texture(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const TextureOp*>(op.data);
  const auto* const handles = warp.reg<std::uint64_t>(m.handle);
  const Texture* texture = nullptr;  // of the last lane: mostly of all
  std::uint64_t handle = 0;
  for_lanes(lanes, [&](int lane) {
    if (texture == nullptr || handles[lane] != handle) {
      handle = handles[lane];
      texture = &texture_of(warp, handle, lane);
    }
    const Texel got = texel(warp, m, *texture, lane);
    for (std::size_t c = 0; c < 4; ++c)
      if (m.data[c]) warp.reg<std::uint32_t>(m.data[c])[lane] = got[c];
  });
}

/// Host bytes of a surface access; null: outside, and that is no error.
std::byte* surface_bytes(Warp& warp, const TextureOp& m, int lane) {
  const Texture& t = texture_of(warp, warp.reg<std::uint64_t>(m.handle)[lane], lane);
  const std::int64_t size = m.words * m.bytes;
  const std::int64_t most[3] = {t.width * t.texel_bytes() - size, t.height - 1, t.depth - 1};
  std::int64_t at[3] = {}, layer = m.layered ? warp.reg<std::int32_t>(m.coordinates[0])[lane] : 0;
  bool outside = layer < 0 || layer >= t.layers;
  for (int k = 0; k < m.dimensions; ++k) {
    at[k] = whole(warp, m, k, lane);
    outside |= at[k] < 0 || at[k] > most[k];
    if (!m.traps && !m.zeroes) at[k] = std::clamp<std::int64_t>(at[k], 0, std::max<std::int64_t>(0, most[k]));
  }
  if (outside && m.traps)
    warp.fail(lane, "surface access out of bounds: byte {} of a row, row {}, slice or layer {}", at[0], at[1],
              at[2] + layer);
  if (outside && m.zeroes) return nullptr;
  layer = std::clamp<std::int64_t>(layer, 0, t.layers - 1);
  const std::uint64_t offset = std::uint64_t(at[2] + layer) * t.slice_bytes +
                               std::uint64_t(at[1]) * t.row_bytes + std::uint64_t(at[0]);
  return reinterpret_cast<std::byte*>(warp.cta().grid().memory->host_bias() + t.address + offset);
}

void load_surface(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const TextureOp*>(op.data);
  for_lanes(lanes, [&](int lane) {
    const std::byte* const from = surface_bytes(warp, m, lane);
    for (int c = 0; c < m.words; ++c) {
      std::byte word[8] = {};
      if (from != nullptr) std::memcpy(word, from + c * m.bytes, std::size_t(m.bytes));
      const int width = std::max(2, m.bytes);  // bytes are read into 16-bit registers
      std::memcpy(warp.reg<std::byte>(m.data[std::size_t(c)]) + lane * width, word, std::size_t(width));
    }
  });
}

void store_surface(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const TextureOp*>(op.data);
  for_lanes(lanes, [&](int lane) {
    std::byte* const to = surface_bytes(warp, m, lane);
    if (to == nullptr) return;
    const int width = std::max(2, m.bytes);
    for (int c = 0; c < m.words; ++c)
      std::memcpy(to + c * m.bytes, warp.reg<std::byte>(m.data[std::size_t(c)]) + lane * width,
                  std::size_t(m.bytes));
  });
}

void set_geometry(FunctionDecoder& d, TextureOp& m) {
  struct Row {
    std::string_view name;
    Geometry geometry;
    int dimensions;
    bool layered;
  };
  constexpr Row rows[] = {{"1d", Geometry::d1, 1, false},     {"2d", Geometry::d2, 2, false},
                          {"3d", Geometry::d3, 3, false},     {"a1d", Geometry::a1d, 1, true},
                          {"a2d", Geometry::a2d, 2, true},    {"cube", Geometry::cube, 3, false},
                          {"acube", Geometry::acube, 3, true}};
  for (const Row& row : rows)
    if (d.has(row.name)) {
      m.geometry = row.geometry;
      m.dimensions = row.dimensions;
      m.layered = row.layered;
      return;
    }
  d.unsupported("not implemented: this geometry of a texture");
}

/// [handle, {coordinates}]
void set_place(FunctionDecoder& d, const Operand& o, TextureOp& m) {
  if (o.kind != Operand::Kind::address || o.parts.size() != 1)
    d.unsupported("not implemented: a texture with a sampler");
  if (o.reg < 0 || d.width(o.reg) != 8) d.refuse("the texture must be a 64-bit register");
  m.handle = d.reg(o.reg);
  const std::vector<Operand> one{o.parts.front()};
  const auto& list = o.parts.front().kind == Operand::Kind::vector ? o.parts.front().parts : one;
  const std::size_t needed = std::size_t(m.dimensions + m.layered);
  if (list.size() < needed) d.refuse("coordinates are missing");
  for (std::size_t k = 0; k < needed; ++k) m.coordinates[k] = d.source(list[k], Type::b32);
}

std::vector<Operand> words_of(const Operand& o) {
  return o.kind == Operand::Kind::vector ? o.parts : std::vector<Operand>{o};
}

void decode_tex(FunctionDecoder& d) {
  d.expect_operands(2, 5);
  TextureOp m;
  set_geometry(d, m);
  m.whole = d.type() == Type::s32;  // of the coordinates, named last
  const auto results = words_of(d.operand(0));
  if (results.size() != 4) d.unsupported("not implemented: a texture read of other than four values");
  for (std::size_t c = 0; c < 4; ++c) m.data[c] = d.destination(results[c], 4);
  set_place(d, d.operand(1), m);
  const TextureOp* const held = d.own(m);
  d.emit(read_texture).data = held;
}

void decode_surface(FunctionDecoder& d, bool stores) {
  d.expect_operands(2, 2);
  if (!d.has("b")) d.unsupported("not implemented: formatted surface accesses");
  TextureOp m;
  set_geometry(d, m);
  m.traps = d.has("trap");
  m.zeroes = d.has("zero");
  m.bytes = bytes_of(d.type());
  const auto words = words_of(d.operand(stores ? 1 : 0));
  if (words.size() > 4 || m.bytes > 8) d.refuse("a surface access of too many bytes");
  m.words = int(words.size());
  const int width = std::max(2, m.bytes);
  for (std::size_t c = 0; c < words.size(); ++c)
    m.data[c] = stores ? d.source(words[c], width == 2 ? Type::b16 : d.type())
                : words[c].kind == Operand::Kind::nothing ? d.temporary(width)
                                                          : d.destination(words[c], width);
  set_place(d, d.operand(stores ? 0 : 1), m);
  const TextureOp* const held = d.own(m);
  d.emit(stores ? store_surface : load_surface).data = held;
}
void decode_suld(FunctionDecoder& d) {
  decode_surface(d, false);
}
void decode_sust(FunctionDecoder& d) {
  decode_surface(d, true);
}

}  // namespace

OpcodeDecoder find_texture(std::string_view opcode) {
  if (opcode == "tex") return decode_tex;
  if (opcode == "suld") return decode_suld;
  if (opcode == "sust") return decode_sust;
  return nullptr;
}

}  // namespace twofour::emu::ptx
