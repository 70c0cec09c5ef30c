#include "twofour/emu/profile/count.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "twofour/emu/timing/bank_conflicts.h"
#include "twofour/isa/layout.h"

namespace twofour::emu::profile {
namespace {

using ptx::MemoryUse;
using ptx::Site;
using ptx::Space;
using ptx::Warp;

constexpr std::uint64_t sector_bytes = 32;

template <std::size_t N>
bool among(const std::string& word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// The state space that the instruction names; none: the address says.
std::optional<Space> named_space(const ptx::Instruction& i, const MemoryUse& use) {
  if (i.opcode == "cp" || i.opcode == "ldmatrix")
    return use.address.window == ptx::Window::global ? Space::global : Space::shared;
  for (const std::string& m : i.modifiers) {
    const std::string_view word = std::string_view(m).substr(0, m.find("::"));
    for (const Space s : {Space::global, Space::shared, Space::local, Space::constant, Space::param})
      if (word == ptx::name(s)) return s;
  }
  return std::nullopt;
}

Space space_of(std::uint64_t address) {
  if (address >= ptx::shared_window && address < ptx::shared_window_end) return Space::shared;
  if (address >= ptx::param_window && address < ptx::param_window_end) return Space::param;
  if (address >= ptx::local_window && address < ptx::local_window_end) return Space::local;
  return Space::global;
}

/// Bytes of the tile of wmma.load or wmma.store.
std::uint64_t tile_bytes(const isa::Instruction& i) {
  const isa::Shape t = isa::tile(i, i.moved);
  return (std::uint64_t(t.m) * std::uint64_t(t.n) * std::uint64_t(isa::bits(i.a)) + 7) / 8;
}

/// The accesses of one instruction to one operand in memory, by state space.
class Accesses {
 public:
  Accesses(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes) : use_(use) {
    const std::optional<Space> named = named_space(site.instruction(), use);
    ptx::for_accesses(warp, use, lanes, [&](int lane, std::uint64_t address, std::uint64_t bytes) {
      if (use.elements == nullptr) bytes = std::min(bytes, use.size);  // src-size may be anything
      const Space space = named ? *named : space_of(address);
      bytes_[std::size_t(space)] += bytes;
      if (space == Space::global) add_sectors(address, bytes);
      if (space == Space::shared) add_shared(lane, address);
    });
    if (use.elements != nullptr)
      for (std::uint64_t& bytes : bytes_) bytes = bytes != 0 ? tile_bytes(*use.elements) : 0;
  }

  void add_to(Statistics& s) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (use_.reads) s.traffic[i].loaded += bytes_[i];
      if (use_.writes) s.traffic[i].stored += bytes_[i];
    }
    std::sort(sectors_.begin(), sectors_.end());
    s.global_sectors += std::uint64_t(std::unique(sectors_.begin(), sectors_.end()) - sectors_.begin());
    s.shared_wavefronts += std::uint64_t(wavefronts());
  }

 private:
  void add_sectors(std::uint64_t address, std::uint64_t bytes) {
    for (std::uint64_t s = address / sector_bytes; s <= (address + bytes - 1) / sector_bytes; ++s)
      if (sectors_.empty() || sectors_.back() != s) sectors_.push_back(s);
  }
  void add_shared(int lane, std::uint64_t address) {
    shared_[std::size_t(lane)] = std::uint32_t(address - ptx::shared_window);
    shared_lanes_ |= 1u << lane;
    aligned_ &= address % use_.size == 0;
  }
  /// Misaligned accesses end the launch. ldmatrix is 16 bytes of as many lanes as it has rows.
  int wavefronts() const {
    if (shared_lanes_ == 0 || !aligned_ || use_.elements != nullptr || use_.size > 16) return 0;
    return shared_wavefronts(shared_, int(use_.size), shared_lanes_);
  }

  const MemoryUse& use_;
  std::array<std::uint64_t, 6> bytes_ = {};
  std::vector<std::uint64_t> sectors_;
  std::array<std::uint32_t, 32> shared_ = {};
  std::uint32_t shared_lanes_ = 0;
  bool aligned_ = true;
};

}  // namespace

Class class_of(const Site& site) {
  const std::string& op = site.instruction().opcode;
  if (site.matrix != nullptr && site.matrix->multiplies()) return Class::matrix;
  constexpr std::string_view memory[] = {"ld",        "ldu",     "st",           "ldmatrix", "wmma",
                                         "atom",      "red",     "cp",           "mbarrier", "prefetch",
                                         "prefetchu", "discard", "applypriority"};
  constexpr std::string_view control[] = {"bra",    "brx",       "call",    "ret",           "exit",
                                          "trap",   "brkpt",     "bar",     "barrier",       "fence",
                                          "membar", "nanosleep", "pmevent", "griddepcontrol"};
  if (among(op, memory)) return Class::memory;
  return among(op, control) ? Class::control : Class::arithmetic;
}

void Counter::add(Warp& warp, const Site& site, std::uint32_t lanes) {
  ++executed_[&site];
  if (lanes == 0) return;
  for (const MemoryUse& use : site.memory) access(warp, site, use, lanes);
}

void Counter::access(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes) {
  Accesses(warp, site, use, lanes).add_to(memory_);
}

Statistics Counter::statistics() const {
  Statistics s = memory_;
  for (const auto& [site, executed] : executed_) {
    s.by_class[std::size_t(class_of(*site))] += executed;
    s.by_opcode[site->instruction().opcode] += executed;
    if (site->matrix != nullptr) s.matrix[site->matrix] += executed;
  }
  return s;
}

}  // namespace twofour::emu::profile
