#include "twofour/emu/warp/wmma_memory.h"

#include <algorithm>
#include <cstring>

#include "twofour/isa/error.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {
namespace {

/// A matrix as one instruction reaches it. Places are counted in bits, for the types below a byte.
class Access {
 public:
  Access(const isa::Instruction& i, isa::Family family, const MatrixAddress& at, std::size_t bytes)
      : instruction_(i), width_(isa::bits(i.a)), bytes_(bytes) {
    if (i.family != family) fail("{} is no {}", isa::ptx_name(i), isa::name(family));
    const isa::Shape t = isa::tile(i, i.moved);
    const std::int64_t stride = at.stride.value_or(i.a_major == isa::Major::row ? t.n : t.m);
    check_alignment(at.base, stride);
    if (at.base > bytes) fail_outside(0, at.base);
    base_ = std::int64_t(at.base) * 8;
    stride_ = stride * width_;
    for (int lane = 0; lane < warp_lanes; ++lane)
      for (int index = 0; index < elements(); ++index) check_bounds(lane, index);
  }

  int elements() const { return isa::elements_per_lane(instruction_, instruction_.moved); }
  int width() const { return width_; }

  /// Bit address of element `index` of a lane.
  std::int64_t bit(int lane, int index) const {
    const isa::Coordinate at = isa::coordinate(instruction_, instruction_.moved, lane, index);
    const bool row_major = instruction_.a_major == isa::Major::row;
    const int line = row_major ? at.row : at.col, along = row_major ? at.col : at.row;
    return base_ + line * stride_ + along * width_;
  }

 private:
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

  void check_bounds(int lane, int index) const {
    const std::int64_t first = bit(lane, index);
    if (first < 0 || std::uint64_t(first + width_ + 7) / 8 > bytes_) fail_outside(lane, first >> 3);
  }

  template <class Address>
  [[noreturn]] void fail_outside(int lane, Address address) const {
    fail("{}: lane {} reaches address {}, outside the {} bytes of memory", isa::ptx_name(instruction_), lane,
         address, bytes_);
  }

  const isa::Instruction& instruction_;
  int width_;
  std::size_t bytes_;
  std::int64_t base_ = 0, stride_ = 0;  // in bits
};

}  // namespace

int fragment_bytes(const isa::Instruction& i) {
  return 4 * isa::registers(i, i.moved);
}

Fragment wmma_load(const isa::Instruction& i, std::span<const std::byte> memory, const MatrixAddress& at) {
  const Access access(i, isa::Family::wmma_load, at, memory.size());
  Fragment f;
  const int width = access.width();
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < access.elements(); ++index) {
      const std::int64_t bit = access.bit(lane, index);
      std::uint64_t word = 0;
      std::memcpy(&word, memory.data() + bit / 8, std::size_t(width + 7) / 8);
      if (width < 8) word = word >> (bit % 8) & ((1u << width) - 1);
      put_element(f, lane, index, width, word);
    }
  return f;
}

void wmma_store(const isa::Instruction& i, const Fragment& d, std::span<std::byte> memory,
                const MatrixAddress& at) {
  const Access access(i, isa::Family::wmma_store, at, memory.size());
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < access.elements(); ++index) {
      const std::uint64_t word = element_word(d, lane, index, access.width());
      std::memcpy(memory.data() + access.bit(lane, index) / 8, &word, std::size_t(access.width()) / 8);
    }
}

}  // namespace twofour::emu
