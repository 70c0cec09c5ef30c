#pragma once
// The state of a warp and its interpreter loop. Lanes of a warp that took different ways run one way after
// the other and meet at the immediate post-dominator of the branch; PTX lets a GPU do so. A way that waits
// for lanes of its own warp on another way therefore never ends, except at a
// barrier or where a member mask names them.
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "twofour/emu/ptx/kernel_error.h"
#include "twofour/emu/ptx/program.h"

namespace twofour::emu::ptx {

class Cta;
inline constexpr int lanes_of_warp = 32;
inline constexpr std::uint32_t all_lanes = ~0u;

/// Calls f(lane) for every lane of a mask, lowest first.
template <class F>
inline void for_lanes(std::uint32_t lanes, F&& f) {
  if (lanes == all_lanes) {
    for (int lane = 0; lane < lanes_of_warp; ++lane) f(lane);
    return;
  }
  for (; lanes != 0; lanes &= lanes - 1) f(std::countr_zero(lanes));
}

/// Registers of one call of a function.
struct Frame {
  const Program* program = nullptr;
  std::vector<std::byte> storage;  ///< kept between calls at the same depth
  std::byte* registers = nullptr;  ///< 64-byte aligned, in storage
  std::uint32_t local_base = 0;    ///< of its .local and .param variables, in each lane's local memory
  std::uint32_t local_bytes = 0;   ///< of these, and of what alloca took
  std::size_t ways = 0;            ///< entries of the stack of ways below its own
  std::uint32_t lanes = 0;         ///< that called
  std::uint32_t returned = 0;
  const Op* call = nullptr;  ///< that made this frame; null: the launch
  std::uint32_t caller_active = 0;
};

class Warp {
 public:
  enum class State : std::uint8_t { ready, blocked, done };

  Warp(Cta& cta, int index) : cta_(&cta), index_(index) {}

  /// Starts at an entry with these lanes.
  void start(const Program& program, std::uint32_t lanes);
  /// Runs until it blocks, ends, yields or has executed `budget` instructions; returns how many it did.
  std::uint64_t run(std::uint64_t budget);

  // What handlers use
  Cta& cta() { return *cta_; }
  int index() const { return index_; }
  template <class T>
  T* reg(Ref r) const {
    return reinterpret_cast<T*>(r.in(registers_));
  }
  /// Address of those of the frame.
  std::uintptr_t registers() const { return registers_; }
  /// Null for no operand.
  void* pointer(Ref r) const { return r.in(registers_); }
  std::uint32_t active() const { return active_; }
  /// Lanes that started and did not exit.
  std::uint32_t live() const { return started_ & ~exited_; }
  std::uint32_t exited() const { return exited_ | ~started_; }
  std::uint32_t* carry() { return &carry_; }
  State state() const { return state_; }
  std::uint64_t instructions() const { return total_ + executed_; }
  const Frame& frame() const { return frames_[depth_ - 1]; }
  std::size_t depth() const { return depth_; }  ///< frames; 1 in the entry
  /// Host bytes of a lane's local memory: local_data() + lane * local_stride() + offset.
  std::byte* local_data() { return local_.data(); }
  std::uint64_t local_stride() const { return local_stride_; }

  void jump(const Op* target) { pc_ = target; }
  /// Lanes that take a branch go to its target, the other active ones on.
  void branch(const Op& op, std::uint32_t taken);
  /// The active lanes split into ways; each lane is in one.
  struct Way {
    const Op* pc;
    std::uint32_t lanes;
  };
  void split(std::vector<Way>& ways, const Op* join);
  /// At a meeting point: the next way, if this was one that ends here.
  void meet(const Op& here);
  void exit(std::uint32_t lanes);
  void leave(std::uint32_t lanes);  ///< ret
  void call(const Op& op, const Program& callee, std::uint32_t lanes);
  /// Local memory of the frame beside its variables, as long as it lives: an address. `alignment`: a power of
  /// two, at most 16.
  std::uint64_t extend_frame(std::uint64_t bytes, std::uint64_t alignment);
  /// Waits at a barrier until resume().
  void block();
  // Where lanes of a warp wait for lanes on other ways, these run on, past meeting points too.
  /// The active lanes wait at a barrier until all lanes of the warp wait at one, or exited.
  void wait_apart(const Op& barrier, std::uint32_t id, std::uint32_t threads);
  /// The active lanes wait before the instruction that runs until `named` lanes exited, and run it again.
  void wait_before(std::uint32_t named);
  /// No other way can go on.
  bool stuck() const { return stuck_; }
  void resume() { state_ = State::ready; }
  /// Lets the other warps run.
  void yield() { stop(); }
  /// Counts and jumps over the next `count` ops, or false: not that many are in the budget.
  bool skip(std::uint64_t count) {
    if (count > limit_ - executed_) return false;
    executed_ += count;
    pc_ += count;
    return true;
  }
  /// How often in a row `op` read this word and no other op asked.
  int repeats(const Op& op, std::uint64_t word) {
    repeats_ = polling_ == &op && polled_ == word ? repeats_ + 1 : 0;
    polling_ = &op;
    polled_ = word;
    return repeats_;
  }
  /// An op that stands for nothing in the PTX.
  void uncount() { --executed_; }

  /// Throws KernelError that names kernel, place, block and warp, and the lane if it is not negative.
  template <class... Args>
  [[noreturn]] void fail(Fault fault, int lane, fmt::format_string<Args...> text, Args&&... args) const {
    fail_with(fault, lane, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  [[noreturn]] void fail(int lane, fmt::format_string<Args...> text, Args&&... args) const {
    fail_with(Fault::other, lane, fmt::format(text, std::forward<Args>(args)...));
  }
  /// "FILE:LINE: statement" of the last instruction that began.
  std::string place() const;
  /// The last instruction that began.
  const Op& last() const { return *last_; }

  const Op* red_op = nullptr;  ///< barrier reduction that the warp waits for; null: none
  std::uint32_t red_lanes = 0;
  std::uint32_t observed = 0;  ///< lanes that execute the instruction that observers see

  /// Allocation that an access found last, by instruction.
  struct Cached {
    std::uint64_t begin = 0, end = 0;
  };
  Cached& cached(const Op& op) { return cache_[std::size_t(op.source) % cache_.size()]; }

 private:
  struct Entry {
    const Op* pc;
    std::uint32_t lanes;
    const Op* join;
    enum class Waits : std::uint8_t { no, apart, before } waits = Waits::no;
    std::uint32_t named = 0;  ///< lanes that it waits for
  };
  struct Apart {
    std::uint32_t lanes = 0, id = 0, threads = 0;
    const Op* barrier = nullptr;
  };
  [[noreturn]] void fail_with(Fault fault, int lane, const std::string& text) const;
  void stop() { limit_ = 0; }
  void next_way();
  bool turn_to_other_way();
  void end_wait();
  bool finish_frame();
  Frame& push_frame(const Program& program, std::uint32_t lanes);
  void reserve_local(std::uint64_t bytes);
  std::byte* place_of(const Frame& frame, const Slot& slot, int lane);
  void copy(const Frame& from, const std::vector<Slot>& sources, const Frame& to,
            const std::vector<Slot>& destinations, std::uint32_t lanes);

  Cta* cta_;
  int index_;
  State state_ = State::done;
  std::uintptr_t registers_ = 0;
  const Op* pc_ = nullptr;
  const Op* last_ = nullptr;
  std::uint32_t active_ = 0, started_ = 0, exited_ = 0, carry_ = 0;
  std::uint64_t executed_ = 0, limit_ = 0, total_ = 0;
  std::vector<Frame> frames_;
  std::size_t depth_ = 0;
  std::vector<Entry> ways_;
  Apart apart_;
  bool stuck_ = false;
  std::vector<std::byte> local_;
  std::uint64_t local_stride_ = 0;
  const Op* polling_ = nullptr;
  std::uint64_t polled_ = 0;
  int repeats_ = 0;
  std::array<Cached, 256> cache_ = {};
};

/// Operands of a call, beside its op: from the caller's slots to the callee's and back.
struct CallSite {
  std::vector<Slot> arguments, results;
  const Program* callee = nullptr;  ///< null: by address in op.s[0]
};

}  // namespace twofour::emu::ptx
