// Every address of every access, before the executor stops at the first wrong one.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/stopped.h"
#include "twofour/emu/warp/wmma_memory.h"

namespace twofour::emu::check {
namespace {

using ptx::Cta;
using ptx::GlobalMemory;
using ptx::MemoryUse;
using ptx::Site;
using ptx::Warp;
using ptx::Window;
using Range = GlobalMemory::Range;

enum class Mistake : std::uint8_t { none, misaligned, out_of_bounds, freed, read_only };
constexpr std::array<std::string_view, 5> errors{"", "misaligned", "out of bounds", "use after free",
                                                 "write to read-only memory"};

/// What lanes of one access do wrong in the same way.
struct Wrong {
  std::uint32_t lanes = 0;
  std::uint64_t address = 0, bytes = 0;  ///< of the lowest lane
  Window window = Window::global;

  void add(int lane, std::uint64_t at, std::uint64_t size, Window in) {
    if (lanes == 0) *this = {0, at, size, in};
    lanes |= 1u << lane;
  }
};

class Memcheck : public ptx::Observer {
 public:
  explicit Memcheck(Findings& findings) : findings_(findings) {}
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override;
  void launched(const ptx::Grid& grid, const std::string& failure) override;

  Findings& findings() { return findings_; }
  StoppedBlocks& stopped() { return stopped_; }

 private:
  Findings& findings_;
  StoppedBlocks stopped_;
};

class MemcheckBlock : public ptx::BlockObserver {
 public:
  MemcheckBlock(Memcheck& tool, ptx::Grid& grid) : tool_(tool), grid_(grid) { find_constants(); }
  ~MemcheckBlock() override {
    if (last_.site != nullptr) tool_.stopped().add({last_, {}});
  }
  void before(Warp& warp, const Site& site, std::uint32_t lanes) override;
  void end(Cta&) override { last_.site = nullptr; }

 private:
  void find_constants();
  void check(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes);
  bool all_right(Warp& warp, const MemoryUse& use, std::uint32_t lanes, Range& cached) const;
  Mistake mistake(Warp& warp, const MemoryUse& use, Window window, std::uint64_t address,
                  std::uint64_t bytes) const;
  Range range(Warp& warp, Window window, std::uint64_t address) const;
  bool is_constant(std::uint64_t address) const;
  void say(Warp& warp, const Site& site, const MemoryUse& use, Mistake mistake, const Wrong& wrong);

  Memcheck& tool_;
  ptx::Grid& grid_;
  LastInstruction last_;
  std::vector<Range> constants_;       // .const variables
  std::array<Range, 64> allocations_;  // that accesses found last, by instruction
};

Window window_of(const MemoryUse& use, std::uint64_t address) {
  const Window named = use.address.window;
  return named == Window::shared || named == Window::global ? named : ptx::window_at(address);
}

/// Bytes that the lane's address must be a multiple of.
std::uint64_t alignment_of(const MemoryUse& use) {
  return use.elements != nullptr ? std::uint64_t(fragment_bytes(*use.elements)) : use.alignment;
}

/// The address of a wmma matrix.
void check_fragment(Warp& warp, const MemoryUse& use, Wrong& wrong) {
  std::uint64_t at[ptx::lanes_of_warp];
  addresses_of(warp, use.address, at);
  for (int l = 0; l < ptx::lanes_of_warp; ++l)
    if (at[l] % alignment_of(use) != 0) wrong.add(l, at[l], use.size, window_of(use, at[l]));
}

void MemcheckBlock::find_constants() {
  for (const ptx::Variable& v : grid_.kernel->module->variables) {
    if (v.space != ptx::Space::constant) continue;
    const auto at = grid_.kernel->symbols->global.find(v.name);
    if (at != grid_.kernel->symbols->global.end())
      constants_.push_back({at->second, at->second + std::uint64_t(v.bytes)});
  }
}

bool MemcheckBlock::is_constant(std::uint64_t address) const {
  return std::any_of(constants_.begin(), constants_.end(),
                     [&](const Range& r) { return address >= r.begin && address < r.end; });
}

/// Addresses that are there around this one; nothing if none is. Local memory: down to the frames of callers.
Range MemcheckBlock::range(Warp& warp, Window window, std::uint64_t address) const {
  switch (window) {
    case Window::shared: return {ptx::shared_window, ptx::shared_window + warp.cta().shared().size()};
    case Window::param: return {ptx::param_window, ptx::param_window + grid_.parameters.size()};
    case Window::local:
      return {ptx::local_window,
              ptx::local_window + warp.frame().local_base + warp.frame().program->local_bytes};
    default: return grid_.memory->find(address);
  }
}

Mistake MemcheckBlock::mistake(Warp& warp, const MemoryUse& use, Window window, std::uint64_t address,
                               std::uint64_t bytes) const {
  if (address % use.alignment != 0) return Mistake::misaligned;
  const Range r = range(warp, window, address);
  if (address < r.begin || address >= r.end || r.end - address < bytes)
    return window == Window::global && grid_.memory->was_freed(address) ? Mistake::freed
                                                                        : Mistake::out_of_bounds;
  if (use.writes && (window == Window::param || is_constant(address))) return Mistake::read_only;
  return Mistake::none;
}

/// The usual case: all lanes in one range, which a variable never shares with another. False if each must be
/// looked at.
bool MemcheckBlock::all_right(Warp& warp, const MemoryUse& use, std::uint32_t lanes, Range& cached) const {
  if (use.elements != nullptr || use.source_size || use.ignored) return false;
  std::uint64_t at[ptx::lanes_of_warp];
  addresses_of(warp, use.address, at);
  const std::uint64_t first = at[std::countr_zero(lanes)];
  const Window window = window_of(use, first);
  if (window != Window::global)
    cached = range(warp, window, first);
  else if (first < cached.begin || first >= cached.end)
    cached = grid_.memory->find(first);
  if (cached.end - cached.begin < use.size) return false;
  if (use.writes && (window == Window::param || is_constant(cached.begin))) return false;
  const std::uint64_t room = cached.end - cached.begin - use.size;
  bool bad = false;
  for (int l = 0; l < ptx::lanes_of_warp; ++l)
    bad |= (lanes >> l & 1) != 0 && ((at[l] - cached.begin > room) | ((at[l] & (use.alignment - 1)) != 0));
  return !bad;
}

void MemcheckBlock::before(Warp& warp, const Site& site, std::uint32_t lanes) {
  last_.set(warp, site, lanes);
  if (lanes == 0) return;
  for (const MemoryUse& use : site.memory) check(warp, site, use, lanes);
}

void MemcheckBlock::check(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes) {
  if (use.rows < ptx::lanes_of_warp) lanes &= (1u << use.rows) - 1;
  const auto slot = std::size_t(site.position) * 2 + std::size_t(&use - site.memory.data());
  if (lanes == 0 || all_right(warp, use, lanes, allocations_[slot % allocations_.size()])) return;
  std::array<Wrong, errors.size()> wrong;
  if (use.elements != nullptr) check_fragment(warp, use, wrong[std::size_t(Mistake::misaligned)]);
  for_accesses(warp, use, lanes, [&](int lane, std::uint64_t address, std::uint64_t bytes) {
    if (bytes > use.size) return;  // a src-size that the executor refuses
    const Window window = window_of(use, address);
    const Mistake m = mistake(warp, use, window, address, bytes);
    wrong[std::size_t(m)].add(lane, address, bytes, window);
  });
  for (std::size_t m = 1; m < wrong.size(); ++m)
    if (wrong[m].lanes != 0) say(warp, site, use, Mistake(m), wrong[m]);
}

std::string_view verb(const MemoryUse& use) {
  return use.atomic ? "change" : use.writes ? "write" : "read";
}

void MemcheckBlock::say(Warp& warp, const Site& site, const MemoryUse& use, Mistake mistake,
                        const Wrong& wrong) {
  Finding f = finding_at(Tool::memcheck, warp, site, wrong.lanes);
  f.error = errors[std::size_t(mistake)];
  f.address = wrong.address;
  const int count = std::popcount(wrong.lanes);
  f.detail =
      fmt::format("{} lane{} {}{} {} bytes of {} memory; the first address ", count, count == 1 ? "" : "s",
                  verb(use), count == 1 ? "s" : "", wrong.bytes, name(wrong.window));
  const Range r = range(warp, wrong.window, wrong.address);
  if (mistake == Mistake::misaligned)
    f.detail += fmt::format("is not a multiple of {}", alignment_of(use));
  else if (mistake == Mistake::read_only)
    f.detail += wrong.window == Window::param ? "is a kernel parameter" : "is in a .const variable";
  else if (wrong.window == Window::global)
    f.detail += grid_.memory->describe(wrong.address);
  else
    f.detail += fmt::format("is byte {} of {}", std::int64_t(wrong.address - r.begin), r.end - r.begin);
  tool_.findings().add(std::move(f), warp.cta().linear_index());
}

std::unique_ptr<ptx::BlockObserver> Memcheck::observe(ptx::Grid& grid) {
  return std::make_unique<MemcheckBlock>(*this, grid);
}

/// What is wrong with an access beside its addresses: sizes and strides.
void Memcheck::launched(const ptx::Grid& grid, const std::string& failure) {
  for (const StoppedBlock& block : stopped_.take()) {
    const LastInstruction& last = block.last;
    const bool absent = last.site->matrix != nullptr && last.lanes != ptx::all_lanes;  // synccheck's
    if (last.site->memory.empty() || absent || findings_.explains(failure)) continue;
    Finding f = finding_at(Tool::memcheck, grid, last);
    f.error = "invalid access";
    f.detail = words_at(f, failure);
    if (!f.detail.empty()) findings_.add(std::move(f), last.linear_block);
  }
}

}  // namespace

std::unique_ptr<ptx::Observer> make_memcheck(Findings& findings) {
  return std::make_unique<Memcheck>(findings);
}

}  // namespace twofour::emu::check
