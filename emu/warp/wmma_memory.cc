#include "twofour/emu/warp/wmma_memory.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "twofour/isa/error.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {
namespace {

constexpr int max_pieces = 4 * max_operand_registers;  // of a byte

/// Where the pieces of a fragment lie in a matrix. A piece is what moves at once: an f64, a register whose
/// elements follow each other in a line of the matrix, or else an element.
struct Places {
  struct Place {
    std::uint8_t line = 0, byte = 0;  ///< row or column, and the distance from its start
  };
  int piece_bits = 32, count = 0;  ///< pieces of a lane
  int lines = 0;
  std::array<std::array<Place, warp_lanes>, max_pieces> at = {};
};

int line_of(const isa::Instruction& i, const isa::Coordinate& at) {
  return i.a_major == isa::Major::row ? at.row : at.col;
}
int along_of(const isa::Instruction& i, const isa::Coordinate& at) {
  return i.a_major == isa::Major::row ? at.col : at.row;
}

/// The elements of every register of every lane follow each other in a line.
bool has_whole_registers(const isa::Instruction& i) {
  const int in_register = 32 / isa::bits(i.a);
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, i.moved); ++index) {
      const isa::Coordinate first = isa::coordinate(i, i.moved, lane, index - index % in_register);
      const isa::Coordinate at = isa::coordinate(i, i.moved, lane, index);
      if (line_of(i, at) != line_of(i, first) || along_of(i, at) != along_of(i, first) + index % in_register)
        return false;
    }
  return true;
}

Places find_places(const isa::Instruction& i) {
  const int width = isa::bits(i.a);
  const isa::Shape t = isa::tile(i, i.moved);
  Places p;
  p.lines = i.a_major == isa::Major::row ? t.m : t.n;
  p.piece_bits = width == 64 ? 64 : has_whole_registers(i) ? 32 : width;
  p.count = isa::elements_per_lane(i, i.moved) * width / p.piece_bits;
  for (int piece = 0; piece < p.count; ++piece)
    for (int lane = 0; lane < warp_lanes; ++lane) {
      const isa::Coordinate at = isa::coordinate(i, i.moved, lane, piece * p.piece_bits / width);
      p.at[std::size_t(piece)][std::size_t(lane)] = {std::uint8_t(line_of(i, at)),
                                                     std::uint8_t(along_of(i, at) * width / 8)};
    }
  return p;
}

/// Those of a row of the table, found once.
const Places& places_of(const isa::Instruction& i) {
  struct Held {
    std::once_flag once;
    std::unique_ptr<const Places> places;
  };
  static std::vector<Held> all(isa::instructions().size());
  Held& held = all[std::size_t(&i - isa::instructions().data())];
  std::call_once(held.once, [&] { held.places = std::make_unique<const Places>(find_places(i)); });
  return *held.places;
}

/// A matrix as one instruction reaches it. Places are counted in bits, for the types below a byte.
class Access {
 public:
  Access(const isa::Instruction& i, isa::Family family, const MatrixAddress& at, std::size_t bytes)
      : instruction_(family_checked(i, family)),
        places_(places_of(i)),
        width_(isa::bits(i.a)),
        bytes_(bytes) {
    const isa::Shape t = isa::tile(i, i.moved);
    const std::int64_t stride = at.stride.value_or(i.a_major == isa::Major::row ? t.n : t.m);
    check_alignment(at.base, stride);
    if (at.base > bytes) fail_outside(0, at.base);
    base_ = std::int64_t(at.base) * 8;
    stride_ = stride * width_;
    const std::int64_t last_line = (places_.lines - 1) * stride_, line = t.m * t.n / places_.lines * width_;
    if (base_ + std::min<std::int64_t>(0, last_line) < 0 ||
        std::uint64_t(base_ + std::max<std::int64_t>(0, last_line) + line + 7) / 8 > bytes)
      fail_outside();
  }

  const Places& places() const { return places_; }
  /// Byte of a piece.
  std::ptrdiff_t byte(Places::Place at) const { return base_ / 8 + at.line * (stride_ / 8) + at.byte; }

 private:
  static const isa::Instruction& family_checked(const isa::Instruction& i, isa::Family family) {
    if (i.family != family) fail("{} is no {}", isa::ptx_name(i), isa::name(family));
    return i;
  }

  void check_alignment(std::uint64_t base, std::int64_t stride) const {
    const int unit = fragment_bytes(instruction_);
    if (base % unsigned(unit) != 0)
      fail("{}: base address {} is not a multiple of the fragment's {} bytes", isa::ptx_name(instruction_),
           base, unit);
    const int step = std::min(unit, 16);
    if (stride * width_ % (8 * step) != 0)
      fail("{}: a stride of {} elements ({} bits) is not a multiple of {} bytes", isa::ptx_name(instruction_),
           stride, stride * width_, step);
  }

  /// Names the first element outside.
  [[noreturn]] void fail_outside() const {
    for (int lane = 0; lane < warp_lanes; ++lane)
      for (int index = 0; index < isa::elements_per_lane(instruction_, instruction_.moved); ++index) {
        const isa::Coordinate at = isa::coordinate(instruction_, instruction_.moved, lane, index);
        const std::int64_t first =
            base_ + line_of(instruction_, at) * stride_ + along_of(instruction_, at) * width_;
        if (first < 0 || std::uint64_t(first + width_ + 7) / 8 > bytes_) fail_outside(lane, first >> 3);
      }
    fail_outside(0, base_ >> 3);
  }

  template <class Address>
  [[noreturn]] void fail_outside(int lane, Address address) const {
    fail("{}: lane {} reaches address {}, outside the {} bytes of memory", isa::ptx_name(instruction_), lane,
         address, bytes_);
  }

  const isa::Instruction& instruction_;
  const Places& places_;
  int width_;
  std::size_t bytes_;
  std::int64_t base_ = 0, stride_ = 0;  // in bits
};

template <class Word>
void load_pieces(const Access& access, const std::byte* memory, Fragment& f) {
  constexpr int bits = sizeof(Word) * 8;
  const Places& places = access.places();
  for (int piece = 0; piece < places.count; ++piece)
    for (int lane = 0; lane < warp_lanes; ++lane) {
      Word word;
      std::memcpy(&word, memory + access.byte(places.at[std::size_t(piece)][std::size_t(lane)]), sizeof word);
      put_element(f, lane, piece, bits, word);
    }
}

template <class Word>
void store_pieces(const Access& access, const Fragment& f, std::byte* memory) {
  constexpr int bits = sizeof(Word) * 8;
  const Places& places = access.places();
  for (int piece = 0; piece < places.count; ++piece)
    for (int lane = 0; lane < warp_lanes; ++lane) {
      const auto word = Word(element_word(f, lane, piece, bits));
      std::memcpy(memory + access.byte(places.at[std::size_t(piece)][std::size_t(lane)]), &word, sizeof word);
    }
}

/// Calls with the type of a piece.
template <class Move>
void with_word(int piece_bits, const Move& move) {
  switch (piece_bits) {
    case 64: return move(std::uint64_t());
    case 32: return move(std::uint32_t());
    case 16: return move(std::uint16_t());
    default: return move(std::uint8_t());
  }
}

}  // namespace

int fragment_bytes(const isa::Instruction& i) {
  return 4 * isa::registers(i, i.moved);
}

Fragment wmma_load(const isa::Instruction& i, std::span<const std::byte> memory, const MatrixAddress& at) {
  const Access access(i, isa::Family::wmma_load, at, memory.size());
  Fragment f;
  with_word(access.places().piece_bits,
            [&](auto word) { load_pieces<decltype(word)>(access, memory.data(), f); });
  return f;
}

void wmma_store(const isa::Instruction& i, const Fragment& d, std::span<std::byte> memory,
                const MatrixAddress& at) {
  const Access access(i, isa::Family::wmma_store, at, memory.size());
  with_word(access.places().piece_bits,
            [&](auto word) { store_pieces<decltype(word)>(access, d, memory.data()); });
}

}  // namespace twofour::emu
