// Barriers and collectives: who is missing. What the executor itself refuses at such an instruction, and a
// deadlock, become findings in its words.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/per_site.h"
#include "twofour/emu/check/report.h"
#include "twofour/emu/check/stopped.h"

namespace twofour::emu::check {
namespace {

using ptx::Cta;
using ptx::Instruction;
using ptx::Operand;
using ptx::Site;
using ptx::Warp;

enum class Kind : std::uint8_t {
  none,
  barrier,  ///< bar, barrier.aligned: the whole warp
  masked,   ///< a member mask
  matrix,   ///< all 32 lanes
  init,     ///< mbarrier.init
  inval,
  use  ///< any other of mbarrier
};

struct Check {
  Kind kind = Kind::none;
  int operand = -1;  ///< the mask; of a barrier the number of threads, -1: all
};

Check barrier(const Instruction& i) {
  if (i.has("warp")) return {Kind::masked, 0};
  const int count = int(i.operands.size());
  const bool reduces = i.has("red");
  const int threads = reduces ? (count == 4 ? 2 : -1) : (count == 2 ? 1 : -1);
  if (i.opcode == "barrier" && !i.has("aligned")) return {};
  return {Kind::barrier, threads};
}

Check check_of(const Site& site) {
  const Instruction& i = site.instruction();
  const std::string& op = i.opcode;
  const int last = int(i.operands.size()) - 1;
  if (site.matrix != nullptr) return {Kind::matrix};
  if (op == "bar" || op == "barrier") return barrier(i);
  if (op == "shfl" || op == "vote") return i.has("sync") ? Check{Kind::masked, last} : Check{};
  if (op == "match" || op == "redux" || op == "elect") return {Kind::masked, last};
  if (op == "cp" && i.has("mbarrier")) return {Kind::use};
  if (op != "mbarrier" || site.memory.empty()) return {};
  return {i.has("init") ? Kind::init : i.has("inval") ? Kind::inval : Kind::use};
}

class Synccheck : public ptx::Observer {
 public:
  explicit Synccheck(Findings& findings) : findings_(findings) {}
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid&) override;
  void launched(const ptx::Grid& grid, const std::string& failure) override;

  Findings& findings() { return findings_; }
  StoppedBlocks& stopped() { return stopped_; }

 private:
  bool add_deadlock(const ptx::Grid& grid, const StoppedBlock& block, const std::string& failure);
  void add_refusal(const ptx::Grid& grid, const StoppedBlock& block, const std::string& failure);

  Findings& findings_;
  StoppedBlocks stopped_;
};

class SynccheckBlock : public ptx::BlockObserver {
 public:
  explicit SynccheckBlock(Synccheck& tool) : tool_(tool) {}
  ~SynccheckBlock() override;
  void begin(Cta&) override;
  void before(Warp& warp, const Site& site, std::uint32_t lanes) override;
  void barrier(Cta&, std::uint32_t id, std::span<Warp* const> warps) override;
  void end(Cta&) override { last_.site = nullptr; }

 private:
  void check_barrier(Warp& warp, const Site& site, std::uint32_t lanes, int threads);
  void check_mask(Warp& warp, const Site& site, std::uint32_t lanes, int operand);
  void check_matrix(Warp& warp, const Site& site, std::uint32_t lanes);
  void check_mbarrier(Warp& warp, const Site& site, std::uint32_t lanes, Kind kind);
  void say(Warp& warp, const Site& site, std::uint32_t lanes, std::string error, std::string detail);

  Synccheck& tool_;
  PerSite<Check, check_of> checks_;
  LastInstruction last_;
  std::map<int, LastInstruction> waiting_;   // at barriers, by warp
  std::map<std::uint64_t, bool> mbarriers_;  // addresses, and whether they are in use
};

/// A register or a number as 32 values.
std::array<std::uint32_t, ptx::lanes_of_warp> values(Warp& warp, const Site& site, int operand) {
  std::array<std::uint32_t, ptx::lanes_of_warp> out;
  for (const ptx::RegisterUse& use : site.reads)
    if (use.operand == operand && use.bytes == 4) {
      std::copy_n(warp.reg<std::uint32_t>(use.at), out.size(), out.begin());
      return out;
    }
  out.fill(std::uint32_t(site.instruction().operands[std::size_t(operand)].integer));
  return out;
}

/// Lanes of the warp that the block's size gives it.
std::uint32_t started(Warp& warp) {
  const ptx::Dim3& b = warp.cta().grid().block;
  const std::uint64_t threads = std::uint64_t(b.x) * b.y * b.z, first = std::uint64_t(warp.index()) * 32;
  return threads - first >= 32 ? ptx::all_lanes : (1u << (threads - first)) - 1;
}

std::string lanes_word(std::uint32_t lanes) {
  return fmt::format("lane{} {}", std::popcount(lanes) == 1 ? "" : "s", lanes_text(lanes));
}

SynccheckBlock::~SynccheckBlock() {
  if (last_.site == nullptr) return;
  StoppedBlock block{last_, {}};
  for (const auto& [warp, at] : waiting_) block.waiting.push_back(at);
  tool_.stopped().add(std::move(block));
}

void SynccheckBlock::begin(Cta&) {
  waiting_.clear();
  mbarriers_.clear();
}

void SynccheckBlock::before(Warp& warp, const Site& site, std::uint32_t lanes) {
  last_.set(warp, site, lanes);
  const Check check = checks_.at(site);
  if (check.kind == Kind::none || lanes == 0) return;
  switch (check.kind) {
    case Kind::barrier: return check_barrier(warp, site, lanes, check.operand);
    case Kind::masked: return check_mask(warp, site, lanes, check.operand);
    case Kind::matrix: return check_matrix(warp, site, lanes);
    default: return check_mbarrier(warp, site, lanes, check.kind);
  }
}

void SynccheckBlock::barrier(Cta&, std::uint32_t, std::span<Warp* const> warps) {
  for (const Warp* warp : warps) waiting_.erase(warp->index());
}

void SynccheckBlock::check_barrier(Warp& warp, const Site& site, std::uint32_t lanes, int threads) {
  if (const std::uint32_t missing = warp.live() & ~lanes; missing != 0)
    say(warp, site, missing, "divergent barrier",
        fmt::format("{} of the warp took another way than {}", lanes_word(missing), lanes_word(lanes)));
  const std::uint32_t gone = started(warp) & ~warp.live();
  if (threads >= 0 && gone != 0)
    say(warp, site, gone, "exited threads at a barrier",
        fmt::format("the barrier counts {} threads, {} of the warp exited and will not come",
                    values(warp, site, threads)[std::size_t(std::countr_zero(lanes))], lanes_word(gone)));
  if (!site.instruction().has("arrive")) waiting_[warp.index()] = last_;
}

void SynccheckBlock::check_mask(Warp& warp, const Site& site, std::uint32_t lanes, int operand) {
  const auto masks = values(warp, site, operand);
  const std::uint32_t here = lanes;
  while (lanes != 0) {
    const std::uint32_t mask = masks[std::size_t(std::countr_zero(lanes))];
    std::uint32_t group = 0;
    ptx::for_lanes(lanes, [&](int l) { group |= std::uint32_t(masks[std::size_t(l)] == mask) << l; });
    lanes &= ~group;
    const std::uint32_t strangers = group & ~mask, missing = mask & ~group & ~warp.exited();
    if (strangers != 0)
      say(warp, site, strangers, "mask leaves out the executing lane",
          fmt::format("mask {:#010x} does not name {}", mask, lanes_word(strangers)));
    if (missing == 0) continue;
    const std::uint32_t other = missing & here;
    say(warp, site, missing, "lanes of the mask are absent",
        fmt::format("mask {:#010x} of {} names {}, which {}", mask, lanes_word(group), lanes_word(missing),
                    other == missing ? "come with another mask" : "took another way"));
  }
}

void SynccheckBlock::check_matrix(Warp& warp, const Site& site, std::uint32_t lanes) {
  if (lanes == ptx::all_lanes) return;
  const std::uint32_t other = warp.live() & ~lanes, gone = ~warp.live();
  std::string detail = "all 32 lanes must execute it;";
  if (other != 0) detail += fmt::format(" {} took another way", lanes_word(other));
  if (gone != 0) detail += fmt::format("{} {} exited or never were", other != 0 ? "," : "", lanes_word(gone));
  say(warp, site, ~lanes, "lanes of a matrix instruction are absent", std::move(detail));
}

void SynccheckBlock::check_mbarrier(Warp& warp, const Site& site, std::uint32_t lanes, Kind kind) {
  std::uint32_t wrong = 0;
  std::uint64_t first = 0;
  for_accesses(warp, site.memory[0], lanes, [&](int lane, std::uint64_t address, std::uint64_t) {
    if (kind == Kind::init) {
      mbarriers_[address] = true;
      return;
    }
    const auto known = mbarriers_.find(address);
    const bool in_use = known != mbarriers_.end() && known->second;
    if (kind == Kind::inval && in_use) known->second = false;
    if (in_use) return;
    if (wrong == 0) first = address;
    wrong |= 1u << lane;
  });
  if (wrong == 0) return;
  Finding f = finding_at(Tool::synccheck, warp, site, wrong);
  f.error = "mbarrier is not initialised";
  f.address = first;
  f.detail =
      fmt::format("{} use{} an mbarrier that {}", lanes_word(wrong), std::popcount(wrong) == 1 ? "s" : "",
                  mbarriers_.contains(first) ? "was made invalid" : "no mbarrier.init made");
  tool_.findings().add(std::move(f), warp.cta().linear_index());
}

void SynccheckBlock::say(Warp& warp, const Site& site, std::uint32_t lanes, std::string error,
                         std::string detail) {
  Finding f = finding_at(Tool::synccheck, warp, site, lanes);
  f.error = std::move(error);
  f.detail = std::move(detail);
  tool_.findings().add(std::move(f), warp.cta().linear_index());
}

std::unique_ptr<ptx::BlockObserver> Synccheck::observe(ptx::Grid&) {
  return std::make_unique<SynccheckBlock>(*this);
}

/// A finding a barrier at which warps of the block wait; false if the message is of no deadlock of the block.
bool Synccheck::add_deadlock(const ptx::Grid& grid, const StoppedBlock& block, const std::string& failure) {
  constexpr std::string_view begin = "deadlock: ";
  std::string words;
  for (const LastInstruction& at : block.waiting)
    if (words.empty()) words = words_at(finding_at(Tool::synccheck, grid, at), failure);
  if (!words.starts_with(begin)) return false;
  for (const LastInstruction& at : block.waiting) {
    Finding f = finding_at(Tool::synccheck, grid, at);
    f.error = "deadlock";
    f.detail = words.substr(begin.size());
    findings_.add(std::move(f), at.linear_block);
  }
  return true;
}

/// Counts that do not fit, barriers that are not there.
void Synccheck::add_refusal(const ptx::Grid& grid, const StoppedBlock& block, const std::string& failure) {
  const LastInstruction& last = block.last;
  const Kind kind = check_of(*last.site).kind;
  if (kind == Kind::none || kind == Kind::matrix || findings_.explains(failure)) return;
  Finding f = finding_at(Tool::synccheck, grid, last);
  f.error =
      kind == Kind::barrier || kind == Kind::masked ? "wrong use of a barrier" : "wrong use of an mbarrier";
  f.detail = words_at(f, failure);
  if (f.detail.empty() || f.detail.starts_with("the launch executed")) return;
  findings_.add(std::move(f), last.linear_block);
}

void Synccheck::launched(const ptx::Grid& grid, const std::string& failure) {
  for (const StoppedBlock& block : stopped_.take())
    if (!add_deadlock(grid, block, failure)) add_refusal(grid, block, failure);
}

}  // namespace

std::unique_ptr<ptx::Observer> make_synccheck(Findings& findings) {
  return std::make_unique<Synccheck>(findings);
}

}  // namespace twofour::emu::check
