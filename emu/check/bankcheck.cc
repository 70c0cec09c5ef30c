// Bank conflicts by instruction: how many wavefronts its accesses to shared memory took
// (emu/timing/bank_conflicts.h), over all launches. Atomics and wmma are left out: nobody has said how the
// hardware takes them.
#include "twofour/emu/timing/bank_conflicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/per_site.h"
#include "twofour/emu/check/stopped.h"

namespace twofour::emu::check {
namespace {

using ptx::Cta;
using ptx::lanes_of_warp;
using ptx::MemoryUse;
using ptx::Site;
using ptx::Warp;
using ptx::Window;

/// The phase that took most wavefronts.
struct Phase {
  int wavefronts = 1;
  LastInstruction at;  ///< the lanes are the phase's
  std::uint64_t address = 0;
};

/// Of one instruction.
struct Count {
  std::uint64_t wavefronts = 0, least = 0;  ///< what it took, and what it would take without conflicts
  std::uint64_t conflicts = 0;              ///< warp instructions that had some
  Phase worst;
};

Count no_count(const Site&) {
  return {};
}

/// Of an instruction in a kernel, over launches.
struct Line {
  Finding worst;
  int degree = 1;
  std::uint64_t launch = 0, linear_block = 0;  ///< of the worst
  std::uint64_t wavefronts = 0, least = 0, conflicts = 0;
};

class Bankcheck : public ptx::Observer {
 public:
  explicit Bankcheck(Findings& findings) : findings_(findings) {}
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override;
  void launched(const ptx::Grid& grid, const std::string& failure) override;
  /// What one host thread saw of a launch.
  void add(const ptx::Grid& grid, const Site& site, const Count& count);

 private:
  Findings& findings_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, Line> lines_;  // by kernel and line
};

class BankcheckBlock : public ptx::BlockObserver {
 public:
  BankcheckBlock(Bankcheck& tool, const ptx::Grid& grid) : tool_(tool), grid_(grid) {}
  ~BankcheckBlock() override {
    counts_.for_each([&](const Site& site, const Count& count) { tool_.add(grid_, site, count); });
  }
  void before(Warp& warp, const Site& site, std::uint32_t lanes) override;

 private:
  void count(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes);

  Bankcheck& tool_;
  const ptx::Grid& grid_;
  PerSite<Count, no_count> counts_;
};

/// Bytes from the start of shared memory; false if not all lanes are there at multiples of the size.
bool shared_addresses(Warp& warp, const MemoryUse& use, std::uint32_t lanes,
                      std::array<std::uint32_t, lanes_of_warp>& out) {
  std::uint64_t at[lanes_of_warp];
  addresses_of(warp, use.address, at);
  const std::uint64_t bytes = warp.cta().shared().size();
  bool there = true;
  for (std::size_t l = 0; l < out.size(); ++l) {
    const std::uint64_t offset = at[l] - ptx::shared_window;
    there &= (lanes >> l & 1) == 0 || (offset < bytes && offset % use.size == 0);
    out[l] = std::uint32_t(offset);
  }
  return there;
}

/// All lanes side by side, or all at one place.
bool surely_free(const std::array<std::uint32_t, lanes_of_warp>& at, std::uint64_t size) {
  std::uint32_t uneven = 0, unequal = 0;
  for (std::size_t l = 0; l < at.size(); ++l) {
    uneven |= at[l] - at[0] - std::uint32_t(l * size);
    unequal |= at[l] - at[0];
  }
  return uneven == 0 || unequal == 0;
}

void BankcheckBlock::before(Warp& warp, const Site& site, std::uint32_t lanes) {
  if (lanes == 0) return;
  for (const MemoryUse& use : site.memory) {
    const Window window = use.address.window;
    const bool counted = !use.atomic && use.elements == nullptr && use.size <= 16;
    if (counted && (window == Window::shared || window == Window::generic)) count(warp, site, use, lanes);
  }
}

void BankcheckBlock::count(Warp& warp, const Site& site, const MemoryUse& use, std::uint32_t lanes) {
  std::array<std::uint32_t, lanes_of_warp> at;
  if (use.rows < lanes_of_warp) lanes &= (1u << use.rows) - 1;
  if (lanes == 0 || !shared_addresses(warp, use, lanes, at)) return;
  const int size = int(use.size), step = size <= 4 ? 32 : size == 8 ? 16 : 8;
  const bool free = lanes == ptx::all_lanes && surely_free(at, use.size);
  Count& c = counts_.at(site);
  bool conflict = false;
  for (int first = 0; first < lanes_of_warp; first += step) {
    const std::uint32_t phase = lanes & (step == 32 ? ptx::all_lanes : ((1u << step) - 1) << first);
    if (phase == 0) continue;
    const int taken = free ? 1 : shared_wavefronts(at, size, phase);
    c.wavefronts += std::uint64_t(taken);
    ++c.least;
    conflict |= taken > 1;
    if (taken <= c.worst.wavefronts) continue;
    c.worst.wavefronts = taken;
    c.worst.at.set(warp, site, phase);
    c.worst.address = ptx::shared_window + at[std::size_t(std::countr_zero(phase))];
  }
  c.conflicts += conflict;
}

std::unique_ptr<ptx::BlockObserver> Bankcheck::observe(ptx::Grid& grid) {
  return std::make_unique<BankcheckBlock>(*this, grid);
}

void Bankcheck::add(const ptx::Grid& grid, const Site& site, const Count& c) {
  if (c.least == 0) return;
  const std::lock_guard lock(mutex_);
  Line& line = lines_[{grid.kernel->entry->name, site.instruction().at.line}];
  line.wavefronts += c.wavefronts;
  line.least += c.least;
  line.conflicts += c.conflicts;
  const auto better = std::tuple(-c.worst.wavefronts, grid.id, c.worst.at.linear_block);
  if (c.conflicts == 0 || better >= std::tuple(-line.degree, line.launch, line.linear_block)) return;
  line.worst = finding_at(Tool::bankcheck, grid, c.worst.at);
  line.worst.address = c.worst.address;
  line.degree = c.worst.wavefronts;
  line.launch = grid.id;
  line.linear_block = c.worst.at.linear_block;
}

void Bankcheck::launched(const ptx::Grid&, const std::string&) {
  for (auto& [key, line] : lines_) {
    if (line.degree == 1) continue;
    Finding f = line.worst;
    f.error = fmt::format("{}-way bank conflict", line.degree);
    f.detail = fmt::format(
        "these lanes want {} words of one bank of shared memory; in all {} wavefronts where {} would do",
        line.degree, line.wavefronts, line.least);
    f.count = line.conflicts;
    findings_.replace(std::move(f), line.linear_block);
  }
}

}  // namespace

std::unique_ptr<ptx::Observer> make_bankcheck(Findings& findings) {
  return std::make_unique<Bankcheck>(findings);
}

}  // namespace twofour::emu::check
