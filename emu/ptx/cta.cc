#include "twofour/emu/ptx/cta.h"

#include <algorithm>

#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::uint64_t slice = 1 << 16;    // instructions after which another warp has its turn
constexpr std::uint64_t shared_unit = 128;  // of what a GPU gives a block, cc 8.0 to 9.0
constexpr std::uint64_t max_block_memory = 1 << 30;

}  // namespace

Cta::Cta(Grid& grid, std::span<BlockObserver* const> observers) : grid_(grid), observers_(observers) {
  std::uint64_t bytes = grid.kernel->static_shared + grid.dynamic_shared;
  if (grid.allow_stray) bytes = (bytes + shared_unit - 1) / shared_unit * shared_unit;
  shared_storage_.resize(bytes + 128);
  shared_ = {shared_storage_.data() + (-reinterpret_cast<std::uintptr_t>(shared_storage_.data()) & 63),
             bytes};
  const std::uint64_t threads = std::uint64_t(grid.block.x) * grid.block.y * grid.block.z;
  for (int w = 0; std::uint64_t(w) * lanes_of_warp < threads; ++w)
    warps_.push_back(std::make_unique<Warp>(*this, w));
}

void Cta::start(std::uint64_t linear_index) {
  linear_index_ = linear_index;
  const Dim3& g = grid_.grid;
  index_ = {std::uint32_t(linear_index % g.x), std::uint32_t(linear_index / g.x % g.y),
            std::uint32_t(linear_index / g.x / g.y)};
  std::fill(shared_.begin(), shared_.end(), std::byte{});
  for (Barrier& b : barriers_)
    if (b.used) b = {};
  std::uint64_t threads = std::uint64_t(grid_.block.x) * grid_.block.y * grid_.block.z;
  for (auto& warp : warps_) {
    warp->start(*grid_.kernel->program, threads >= lanes_of_warp ? all_lanes : (1u << threads) - 1);
    threads -= std::min<std::uint64_t>(threads, lanes_of_warp);
  }
  left_ = warps_.size();
  next_ = 0;
  for (BlockObserver* o : observers_) o->begin(*this);
}

bool Cta::run(std::uint64_t budget) {
  budget_ = budget;
  for (std::size_t blocked = 0; left_ != 0;) {
    Warp& warp = *warps_[next_];
    next_ = next_ + 1 == warps_.size() ? 0 : next_ + 1;
    if (warp.state() != Warp::State::ready) {
      if (++blocked == warps_.size()) fail_deadlock();
      continue;
    }
    blocked = 0;
    const std::uint64_t executed = warp.run(std::min(slice, budget_));
    check_limits(executed, warp);
    if (grid_.stopped.load(std::memory_order_relaxed)) return false;
    if (warp.state() == Warp::State::done) {
      --left_;
      warp_ended();
    }
    if (executed >= budget_ && left_ != 0) return false;
    budget_ -= executed;
  }
  for (BlockObserver* o : observers_) o->end(*this);
  if (grid_.progress != nullptr) grid_.progress->blocks.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Cta::check_limits(std::uint64_t executed, const Warp& warp) {
  const std::uint64_t total = grid_.executed.fetch_add(executed, std::memory_order_relaxed) + executed;
  if (grid_.progress != nullptr)
    grid_.progress->warp_instructions.fetch_add(executed, std::memory_order_relaxed);
  if (grid_.instruction_limit != 0 && total > grid_.instruction_limit)
    warp.fail(-1, "the launch executed {} warp instructions, the limit is {}: an endless loop?", total,
              grid_.instruction_limit);
}

void Cta::take_memory(const Warp& warp, std::uint64_t bytes) {
  taken_ += bytes;
  if (taken_ > max_block_memory)
    warp.fail(-1, "registers and local memory of the block take more than {} bytes", max_block_memory);
}

std::uint32_t Cta::live_threads() const {
  std::uint32_t live = 0;
  for (const auto& warp : warps_) live += warp->state() == Warp::State::done ? 0 : lanes_of_warp;
  return live;
}

void Cta::arrive(Warp& warp, std::uint32_t id, std::uint32_t threads, Arrival arrival,
                 Reduction contribution) {
  if (id >= barriers_.size()) warp.fail(-1, "barrier {}: a block has barriers 0 to 15", id);
  if (threads % lanes_of_warp != 0)
    warp.fail(-1, "barrier {} expects {} threads, which is not a multiple of 32", id, threads);
  Barrier& b = barriers_[id];
  if (b.arrived != 0 && b.expected != threads)
    warp.fail(-1, "barrier {} expects {} threads here but {} where others came to it", id, threads,
              b.expected);
  b.used = true;
  b.expected = threads;
  b.arrived += lanes_of_warp;
  if (threads != 0 && b.arrived > threads)
    warp.fail(-1, "{} threads came to barrier {}, which expects {}", b.arrived, id, threads);
  b.reduction.popc += contribution.popc;
  b.reduction.all &= contribution.all;
  b.reduction.any |= contribution.any;
  if (arrival != Arrival::arrive) {
    b.waiting.push_back(&warp);
    warp.block();
  }
  complete_if_full(id);
}

void Cta::complete_if_full(std::uint32_t id) {
  Barrier& b = barriers_[id];
  if (b.arrived < (b.expected != 0 ? b.expected : live_threads())) return;
  for (BlockObserver* o : observers_) o->barrier(*this, id, b.waiting);
  for (Warp* warp : b.waiting) {
    if (warp->red_op != nullptr) finish_reduction(*warp, b.reduction);
    warp->resume();
  }
  b.waiting.clear();
  b.arrived = 0;
  b.reduction = {};
}

/// Barriers of the whole block do not wait for warps that ended.
void Cta::warp_ended() {
  for (std::uint32_t id = 0; id < barriers_.size(); ++id)
    if (barriers_[id].arrived != 0 && barriers_[id].expected == 0) complete_if_full(id);
}

void Cta::fail_deadlock() {
  std::string text;
  const Warp* stuck = nullptr;
  for (std::size_t id = 0; id < barriers_.size(); ++id) {
    const Barrier& b = barriers_[id];
    if (b.waiting.empty()) continue;
    stuck = b.waiting.front();
    text += fmt::format("; barrier {} has {} of {} threads, warps", id, b.arrived,
                        b.expected != 0 ? b.expected : live_threads());
    for (const Warp* warp : b.waiting) text += fmt::format(" {}", warp->index());
  }
  stuck->fail(-1, "deadlock: no warp of the block can run{}", text);
}

}  // namespace twofour::emu::ptx
