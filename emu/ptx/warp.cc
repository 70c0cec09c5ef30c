#include "twofour/emu/ptx/warp.h"

#include <algorithm>
#include <functional>

#include "twofour/emu/ptx/cta.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::size_t max_depth = 1024;                        // calls
constexpr std::uint64_t max_local_bytes = 512 * 1024;          // of a lane, as on the GPU
constexpr std::size_t max_stack_bytes = std::size_t{1} << 28;  // registers of all frames of a warp

}  // namespace

void Warp::start(const Program& program, std::uint32_t lanes) {
  ways_.clear();
  depth_ = 0;
  started_ = lanes;
  exited_ = carry_ = 0;
  executed_ = total_ = 0;
  state_ = State::ready;
  red_op = polling_ = nullptr;
  apart_ = {};
  stuck_ = false;
  last_ = program.ops.data();
  std::fill(local_.begin(), local_.end(), std::byte{});
  push_frame(program, lanes);
}

std::uint64_t Warp::run(std::uint64_t budget) {
  executed_ = 0;
  limit_ = budget;
  while (executed_ < limit_) {
    const Op& op = *pc_++;
    last_ = &op;
    std::uint32_t lanes = active_;
    if (op.guard != no_guard) lanes &= *reinterpret_cast<std::uint32_t*>(registers_ + op.guard) ^ op.flip;
    ++executed_;
    if (lanes != 0) op.run(*this, op, lanes);
  }
  total_ += executed_;
  return std::exchange(executed_, 0);
}

void Warp::reserve_local(std::uint64_t bytes) {
  if (bytes <= local_stride_) return;
  if (bytes > max_local_bytes)
    fail(-1, "{} bytes of local memory a thread, the limit is {}: too large arrays or too deep recursion",
         bytes, max_local_bytes);
  const std::uint64_t stride = std::min(max_local_bytes, std::max(bytes, 2 * local_stride_) + 15) / 16 * 16;
  cta_->take_memory(*this, lanes_of_warp * (stride - local_stride_));
  std::vector<std::byte> grown(lanes_of_warp * stride);
  for (std::size_t lane = 0; lane < lanes_of_warp && local_stride_ != 0; ++lane)
    std::memcpy(grown.data() + lane * stride, local_.data() + lane * local_stride_, local_stride_);
  local_ = std::move(grown);
  local_stride_ = stride;
}

std::uint64_t Warp::extend_frame(std::uint64_t bytes, std::uint64_t alignment) {
  Frame& f = frames_[depth_ - 1];
  const std::uint64_t at = (f.local_base + f.local_bytes + alignment - 1) / alignment * alignment;
  bytes = std::min(bytes, 2 * max_local_bytes);
  reserve_local(at + bytes);
  f.local_bytes = std::uint32_t((at + bytes + 15) / 16 * 16) - f.local_base;
  return local_window + at;
}

Frame& Warp::push_frame(const Program& program, std::uint32_t lanes) {
  if (depth_ >= max_depth) fail(-1, "more than {} calls deep: endless recursion?", max_depth);
  const std::uint32_t local =
      depth_ == 0 ? 0 : frames_[depth_ - 1].local_base + frames_[depth_ - 1].local_bytes;
  reserve_local(local + program.local_bytes);
  if (depth_ == frames_.size()) frames_.emplace_back();
  Frame& f = frames_[depth_];
  std::size_t held = program.register_bytes;
  for (std::size_t i = 0; i < depth_; ++i) held += frames_[i].program->register_bytes;
  if (held > max_stack_bytes)
    fail(-1, "the registers of {} nested calls take {} bytes, the limit is {}: endless recursion?", depth_,
         held, max_stack_bytes);
  if (f.storage.size() < program.register_bytes + 64) {
    cta_->take_memory(*this, program.register_bytes + 64 - f.storage.size());
    f.storage.resize(program.register_bytes + 64);
  }
  f.registers = f.storage.data() + (-reinterpret_cast<std::uintptr_t>(f.storage.data()) & 63);
  std::memset(f.registers, 0, program.register_bytes);
  f.program = &program;
  f.local_base = local;
  f.local_bytes = program.local_bytes;
  f.ways = ways_.size();
  f.lanes = lanes;
  f.returned = 0;
  f.call = nullptr;
  ++depth_;
  registers_ = reinterpret_cast<std::uintptr_t>(f.registers);
  ways_.push_back({program.ops.data(), lanes, nullptr});
  active_ = lanes;
  pc_ = program.ops.data();
  return f;
}

void Warp::branch(const Op& op, std::uint32_t taken) {
  if (taken == active_) {
    pc_ = op.target;
    return;
  }
  const Op* const join = op.join;
  const std::uint32_t rest = active_ & ~taken;
  if (join == nullptr || ways_.back().join == join)
    ways_.pop_back();
  else
    ways_.back().pc = join;
  if (op.target != join) ways_.push_back({op.target, taken, join});
  if (pc_ != join) ways_.push_back({pc_, rest, join});
  next_way();
}

void Warp::split(std::vector<Way>& ways, const Op* join) {
  if (ways.size() == 1 && ways.front().lanes == active_) {
    pc_ = ways.front().pc;
    return;
  }
  if (join == nullptr || ways_.back().join == join)
    ways_.pop_back();
  else
    ways_.back().pc = join;
  for (const Way& way : ways)
    if (way.pc != join) ways_.push_back({way.pc, way.lanes, join});
  next_way();
}

void Warp::meet(const Op& here) {
  --executed_;
  if (ways_.back().join != &here) return;
  ways_.pop_back();
  next_way();
}

void Warp::next_way() {
  for (;;) {
    const Frame& f = frames_[depth_ - 1];
    if (ways_.size() == f.ways) {
      if (finish_frame()) return;
      continue;
    }
    const std::uint32_t gone = exited_ | f.returned;
    const Entry& top = ways_.back();
    if (top.waits != Entry::Waits::no && (top.lanes & ~gone) != 0 && !turn_to_other_way()) return end_wait();
    active_ = ways_.back().lanes & ~gone;
    pc_ = ways_.back().pc;
    if (active_ != 0) return;
    ways_.pop_back();
  }
}

void Warp::wait_apart(const Op& barrier, std::uint32_t id, std::uint32_t threads) {
  if (apart_.lanes != 0 && (apart_.id != id || apart_.threads != threads))
    fail(std::countr_zero(active_), "lanes {:#010x} of the warp wait at barrier {} for {} threads",
         apart_.lanes, apart_.id, apart_.threads);
  apart_ = {apart_.lanes | active_, id, threads, &barrier};
  ways_.back() = {pc_, active_, ways_.back().join, Entry::Waits::apart, 0};
  next_way();
}

void Warp::wait_before(std::uint32_t named) {
  --executed_;
  ways_.back() = {last_, active_, ways_.back().join, Entry::Waits::before, named};
  next_way();
}

/// Lanes that can go on become a way of their own on top: those of a way that has not begun or whose wait is
/// over, or those that are at a meeting point already.
bool Warp::turn_to_other_way() {
  const Frame& f = frames_[depth_ - 1];
  std::uint32_t above = exited_ | f.returned;
  for (std::size_t i = ways_.size(); i-- > f.ways;) {
    Entry& e = ways_[i];
    const std::uint32_t lanes = e.lanes & ~above;
    above |= e.lanes;
    const bool waits =
        e.waits == Entry::Waits::apart || (e.waits == Entry::Waits::before && (e.named & live()) != 0);
    if (lanes == 0 || waits) continue;
    const Entry way{e.pc, lanes, e.join};
    e.lanes &= ~lanes;
    ways_.push_back(way);
    return true;
  }
  return false;
}

/// No way can go on: all lanes wait at the barrier, or the kernel is wrong.
void Warp::end_wait() {
  const auto first = ways_.begin() + std::ptrdiff_t(frames_[depth_ - 1].ways);
  const auto before =
      std::find_if(first, ways_.end(), [](const Entry& e) { return e.waits == Entry::Waits::before; });
  if (stuck_ = before != ways_.end(); stuck_) std::swap(*before, ways_.back());
  active_ = ways_.back().lanes;
  pc_ = ways_.back().pc;
  if (stuck_) return;  // the instruction says what is wrong
  const Apart apart = std::exchange(apart_, {});
  for (Entry& way : ways_) way.waits = Entry::Waits::no;
  if (const std::uint32_t missing = live() & ~apart.lanes; missing != 0) {
    last_ = apart.barrier;
    fail(std::countr_zero(missing), "a barrier needs all lanes of the warp; lanes {:#010x} took another way",
         missing);
  }
  cta_->arrive(*this, apart.id, apart.threads, Cta::Arrival::sync);
}

/// Back to the caller; false if none of its lanes is left.
bool Warp::finish_frame() {
  const Frame& f = frames_[--depth_];
  if (depth_ == 0) {
    state_ = State::done;
    active_ = 0;
    stop();
    return true;
  }
  const Frame& caller = frames_[depth_ - 1];
  registers_ = reinterpret_cast<std::uintptr_t>(caller.registers);
  const auto& site = *static_cast<const CallSite*>(f.call->data);
  copy(f, f.program->results, caller, site.results, f.lanes & ~exited_);
  active_ = f.caller_active & ~exited_;
  pc_ = f.call + 1;
  if (active_ != 0) return true;
  ways_.pop_back();
  return false;
}

void Warp::exit(std::uint32_t lanes) {
  exited_ |= lanes;
  active_ &= ~lanes;
  if (active_ == 0) next_way();
}

void Warp::leave(std::uint32_t lanes) {
  if (depth_ == 1) return exit(lanes);
  frames_[depth_ - 1].returned |= lanes;
  active_ &= ~lanes;
  if (active_ == 0) next_way();
}

std::byte* Warp::place_of(const Frame& frame, const Slot& slot, int lane) {
  if (!slot.reg) return local_.data() + std::uint64_t(lane) * local_stride_ + frame.local_base + slot.local;
  return slot.reg.in(reinterpret_cast<std::uintptr_t>(frame.registers)) + std::uint64_t(lane) * slot.bytes;
}

void Warp::copy(const Frame& from, const std::vector<Slot>& sources, const Frame& to,
                const std::vector<Slot>& destinations, std::uint32_t lanes) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t bytes = std::min(sources[i].bytes, destinations[i].bytes);
    for_lanes(lanes, [&](int lane) {
      std::memcpy(place_of(to, destinations[i], lane), place_of(from, sources[i], lane), bytes);
    });
  }
}

void Warp::call(const Op& op, const Program& callee, std::uint32_t lanes) {
  const auto& site = *static_cast<const CallSite*>(op.data);
  const std::uint32_t caller_active = active_;
  Frame& f = push_frame(callee, lanes);
  f.call = &op;
  f.caller_active = caller_active;
  copy(frames_[depth_ - 2], site.arguments, f, callee.parameters, lanes);
}

void Warp::block() {
  state_ = State::blocked;
  stop();
}

std::string Warp::place() const {
  // The frame may be another function's already (call) or again (ret), so the op says where it is from.
  for (const auto& [function, program] : cta_->grid().kernel->programs) {
    const Op *const first = program->ops.data(), *const end = first + program->ops.size();
    if (std::less<>()(last_, first) || !std::less<>()(last_, end)) continue;
    if (function->code.empty())
      return fmt::format("{}:{}: {}", *program->file, function->at.line, function->name);
    const Instruction& i = function->code[std::size_t(last_->source)];
    return fmt::format("{}:{}: {}", *program->file, i.at.line, i.text);
  }
  return "?";
}

void Warp::fail_with(Fault fault, int lane, const std::string& text) const {
  const Cta& cta = *cta_;
  const Dim3& b = cta.index();
  throw KernelError(
      fault, fmt::format("{}: kernel {}, block ({}, {}, {}), warp {}{}: {}", place(), cta.kernel_name(), b.x,
                         b.y, b.z, index_, lane < 0 ? "" : fmt::format(", lane {}", lane), text));
}

}  // namespace twofour::emu::ptx
