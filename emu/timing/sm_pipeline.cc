#include "twofour/emu/timing/sm_pipeline.h"

#include <algorithm>
#include <memory>
#include <queue>

#include "twofour/emu/timing/sm_memory.h"
#include "twofour/emu/timing/sm_sub_core.h"
#include "twofour/emu/timing/sm_warp.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t no_cycle = std::int64_t(1) << 50;

struct Barrier {
  int arrived = 0, expected = 0;  ///< warps; expected 0: all that live
};

struct Cta {
  int live = 0;  ///< warps
  std::vector<WarpState*> warps;
  std::array<Barrier, 16> barriers;
};

/// Data of a cp.async on their way.
struct Arrival {
  Ticks at;
  std::int64_t order;
  WarpState* warp;
  WarpId id;
  const TimedOp* op;
  std::int64_t index, group, issued;
  bool operator<(const Arrival& other) const {  // the earliest on top of a priority queue
    return at != other.at ? at > other.at : order > other.order;
  }
};

class Sm {
 public:
  Sm(const SmWork& work, const SmParameters& p, SmListener& listener)
      : work_(work),
        p_(p),
        listener_(listener),
        memory_(p, listener),
        mma_times_(p.machine),
        sub_cores_(static_cast<std::size_t>(p.machine.sub_cores_per_sm), SubCore(p.constants.memory_queue)),
        slot_used_(static_cast<std::size_t>(p.machine.max_warps_per_sm), false),
        ctas_(work.ctas.size()) {}

  SmTotals run() {
    launch_first();
    for (now_ = next_time(); now_ < no_cycle; now_ = next_time()) {
      while (!launches_.empty() && launches_.front() <= now_) launch();
      while (!arrivals_.empty() && arrivals_.top().at <= now_ * ticks_per_cycle) land();
      for (SubCore& s : sub_cores_)
        if (s.visit <= now_) visit(s);
    }
    if (live_ > 0)
      fail("SM pipeline: {} warps wait for ever: a barrier or a group that nobody completes", live_);
    return totals_;
  }

 private:
  std::int64_t next_time() const {
    std::int64_t t = launches_.empty() ? no_cycle : launches_.front();
    if (!arrivals_.empty()) t = std::min(t, cycle_of(arrivals_.top().at));
    for (const SubCore& s : sub_cores_) t = std::min(t, s.visit);
    return t;
  }

  // CTAs

  void launch_first() {
    const auto interval = static_cast<std::int64_t>(p_.machine.sms / p_.machine.ctas_per_clk);
    const auto first = std::min(ctas_.size(), static_cast<std::size_t>(std::max(work_.resident, 1)));
    for (std::size_t c = 0; c < first; ++c) launches_.push_back(static_cast<std::int64_t>(c) * interval);
    for (SubCore& s : sub_cores_) s.visit = no_cycle;
  }

  int take_slot() {
    const auto slot = std::find(slot_used_.begin(), slot_used_.end(), false);
    if (slot == slot_used_.end())
      fail("SM pipeline: an SM of {} holds {} warps, not {} CTAs of {}", p_.machine.name, slot_used_.size(),
           work_.resident, work_.ctas[launched_]->size());
    *slot = true;
    return static_cast<int>(slot - slot_used_.begin());
  }

  void launch() {
    launches_.pop_front();
    const CtaStream& stream = *work_.ctas[launched_];
    Cta& cta = ctas_[launched_];
    listener_.on_cta({CtaEvent::Kind::launch, static_cast<int>(launched_), now_});
    for (std::size_t w = 0; w < stream.size(); ++w) {
      const int slot = take_slot(), sub = slot % static_cast<int>(sub_cores_.size());
      warps_.push_back(std::make_unique<WarpState>(
          WarpId{static_cast<int>(launched_), static_cast<int>(w), slot, sub}, order_++, stream[w], now_));
      WarpState& warp = *warps_.back();
      warp.forwarding = to_ticks(p_.constants.accumulator_forwarding);
      cta.warps.push_back(&warp);
      SubCore& s = sub_cores_[static_cast<std::size_t>(sub)];
      s.warps.push_back(&warp);
      s.visit = now_;
      ++cta.live, ++live_;
    }
    ++launched_;
    for (WarpState* warp : std::vector(cta.warps))
      if (warp->cursor.op() == nullptr) end(*warp);
  }

  void end(WarpState& warp) {
    SubCore& s = sub_core(warp);
    s.warps.erase(std::find(s.warps.begin(), s.warps.end(), &warp));
    if (s.last == &warp) s.last = nullptr;
    slot_used_[static_cast<std::size_t>(warp.id.slot)] = false;
    Cta& cta = ctas_[static_cast<std::size_t>(warp.id.cta)];
    --cta.live, --live_;
    if (cta.live > 0) {
      for (int b = 0; b < std::ssize(cta.barriers); ++b) meet(cta, warp.id.cta, b);
      return;
    }
    listener_.on_cta({CtaEvent::Kind::exit, warp.id.cta, now_});
    if (launched_ + launches_.size() < ctas_.size()) launches_.push_back(now_ + 1);
  }

  void arrive(WarpState& warp, const TimedOp& op) {
    Cta& cta = ctas_[static_cast<std::size_t>(warp.id.cta)];
    Barrier& barrier = cta.barriers.at(static_cast<std::size_t>(op.argument));
    ++barrier.arrived;
    barrier.expected = op.expected;
    meet(cta, warp.id.cta, op.argument);
  }

  /// Releases a barrier if all warps that it expects, or all that live if they are fewer, are there.
  void meet(Cta& cta, int number, int id) {
    Barrier& barrier = cta.barriers[static_cast<std::size_t>(id)];
    const int expected = barrier.expected > 0 ? std::min(barrier.expected, cta.live) : cta.live;
    if (barrier.arrived == 0 || barrier.arrived < expected) return;
    listener_.on_cta({CtaEvent::Kind::barrier, number, now_});
    barrier.arrived = 0;
    for (WarpState* warp : cta.warps) {
      if (warp->barrier != id) continue;
      warp->barrier = -1;
      hold(*warp, now_ * ticks_per_cycle + to_ticks(p_.machine.alu_latency), Stall::barrier);
      warp->look();
      wake(*warp);
    }
  }

  static void hold(WarpState& warp, Ticks until, Stall reason) {
    warp.floor = until;
    warp.floor_reason = reason;
  }

  // Issue

  SubCore& sub_core(const WarpState& warp) { return sub_cores_[static_cast<std::size_t>(warp.id.sub_core)]; }
  void wake(const WarpState& warp) {
    SubCore& s = sub_core(warp);
    s.visit = std::min(s.visit, std::max(now_ + 1, cycle_of(warp.operands)));
  }

  /// Issues at most one instruction; finds the cycle of the next visit.
  void visit(SubCore& s) {
    WarpState* chosen = nullptr;
    std::int64_t next = no_cycle;
    for (WarpState* warp : s.warps) {  // the youngest comes last
      if (warp->operands == never) continue;
      const std::int64_t cycle = cycle_of(std::max(warp->operands, s.free_at(warp->cursor.op()->kind)));
      if (cycle > now_) {
        next = std::min(next, cycle);
        continue;
      }
      if (chosen != nullptr) next = now_ + 1;
      if (chosen == nullptr || chosen != s.last) chosen = warp;
    }
    s.visit = next;
    if (chosen == nullptr) return;
    s.visit = now_ + 1;
    s.last = chosen;
    issue(s, *chosen);
  }

  void report_stall(const WarpState& warp, Stall reason, std::int64_t from, std::int64_t to) {
    if (from < to) listener_.on_stall({warp.id, warp.cursor.op(), warp.cursor.index(), reason, from, to});
  }

  void report_waiting(const SubCore& s, const WarpState& warp) {
    const TimedOp& op = *warp.cursor.op();
    const std::int64_t from = warp.last_issue + 1;
    const std::int64_t ready = std::clamp(cycle_of(warp.operands), from, now_);
    const std::int64_t taken = std::clamp(cycle_of(s.free_at(op.kind)), ready, now_);
    report_stall(warp, warp.why, from, ready);
    report_stall(warp, throttle(op.kind), ready, taken);
    report_stall(warp, Stall::not_selected, taken, now_);
  }

  void issue(SubCore& s, WarpState& warp) {
    report_waiting(s, warp);
    const TimedOp& op = *warp.cursor.op();
    const Ticks complete = execute(s, warp, op);
    const Ticks at = now_ * ticks_per_cycle;
    listener_.on_issue(
        {warp.id, &op, warp.cursor.index(), now_, complete == never ? -1 : cycle_of(complete)});
    listener_.on_pipe({Pipe::issue, warp.id.sub_core, at, ticks_per_cycle});
    ++totals_.instructions;
    totals_.cycles = std::max(totals_.cycles, now_ + 1);
    warp.last_issue = now_;
    warp.cursor.advance();
    if (warp.cursor.op() == nullptr || op.kind == OpKind::exit) {
      end(warp);
      return;
    }
    if (op.kind == OpKind::barrier) warp.barrier = op.argument;
    warp.look();
    if (op.kind == OpKind::barrier || op.kind == OpKind::arrive) arrive(warp, op);
  }

  /// Hands the operation to its pipe; returns when its result may be used, `never` if that is not known yet.
  Ticks execute(SubCore& s, WarpState& warp, const TimedOp& op) {
    const Ticks at = now_ * ticks_per_cycle;
    switch (op.kind) {
      case OpKind::mma: return multiply(s, warp, op);
      case OpKind::ldmatrix:
      case OpKind::load_shared:
      case OpKind::store_shared: {
        const auto access = memory_.shared(at, std::max(op.wavefronts, 1), op.kind == OpKind::store_shared);
        s.shared.push(access.leaves);
        warp.write(op.write, access.ready, Stall::short_scoreboard);
        return access.ready;
      }
      case OpKind::load_global:
      case OpKind::store_global:
      case OpKind::cp_async: return access_global(s, warp, op);
      case OpKind::integer: return compute(s.integer, Pipe::integer, p_.machine.int32_lanes, warp, op);
      case OpKind::fp64: return compute(s.fp64, Pipe::fp64, p_.constants.fp64_lanes, warp, op);
      case OpKind::fp32: return compute(s.fp32, Pipe::fp32, p_.machine.fp32_lanes, warp, op);
      case OpKind::special: return compute(s.special, Pipe::special, p_.constants.special_lanes, warp, op);
      case OpKind::commit_group: warp.copies.commit(); return at;
      case OpKind::branch:
        hold(warp, at + to_ticks(p_.machine.alu_latency), Stall::branch_resolving);
        return at;
      default: return at;
    }
  }

  /// The times within the cycle are kept, so that a stream of mma runs at the fractional interval.
  Ticks multiply(SubCore& s, WarpState& warp, const TimedOp& op) {
    if (op.instruction == nullptr) fail("SM pipeline: an mma without an instruction");
    const auto times = mma_times_(*op.instruction);
    const Ticks at = now_ * ticks_per_cycle;
    const Ticks start = std::clamp(std::max(warp.operands, s.tensor), at - ticks_per_cycle + 1, at);
    s.tensor = start + times.interval;
    listener_.on_pipe({Pipe::tensor, warp.id.sub_core, start, times.interval});
    const Ticks ready = start + times.latency + warp.forwarding;
    warp.write(op.write, ready, Stall::wait);
    warp.last_mma = op.write;
    return ready;
  }

  Ticks compute(Ticks& pipe, Pipe which, double lanes, WarpState& warp, const TimedOp& op) {
    const Ticks at = now_ * ticks_per_cycle;
    const double sub_cores = p_.machine.sub_cores_per_sm;
    if (op.lanes > 0) lanes = op.lanes;
    const Ticks busy = std::max(to_ticks(32 * sub_cores / lanes), ticks_per_cycle);
    pipe = at + busy;
    listener_.on_pipe({which, warp.id.sub_core, at, busy});
    // Special functions come back like loads: over a scoreboard.
    const Ticks ready = at + busy - std::min(busy, 2 * ticks_per_cycle) + to_ticks(p_.machine.alu_latency);
    warp.write(op.write, ready, which == Pipe::special ? Stall::short_scoreboard : Stall::wait);
    return ready;
  }

  Ticks access_global(SubCore& s, WarpState& warp, const TimedOp& op) {
    const auto access = memory_.global(now_ * ticks_per_cycle, std::max(op.bytes, 1), op.kind);
    s.global.push(access.leaves);
    if (op.kind != OpKind::cp_async) {
      warp.write(op.write, access.ready, Stall::long_scoreboard);
      return access.ready;
    }
    arrivals_.push(
        {access.ready, order_++, &warp, warp.id, &op, warp.cursor.index(), warp.copies.start(), now_});
    return never;
  }

  void land() {
    const Arrival a = arrivals_.top();
    arrivals_.pop();
    const Ticks complete = memory_.copy_in(a.at, std::max(a.op->wavefronts, 1));
    a.warp->copies.land(a.group, complete);
    listener_.on_copy({a.id, a.op, a.index, a.issued, cycle_of(complete)});
    if (a.warp->operands != never || a.warp->barrier >= 0 || a.warp->cursor.op() == nullptr) return;
    a.warp->look();
    if (a.warp->operands != never) {
      SubCore& s = sub_core(*a.warp);
      s.visit = std::min(s.visit, std::max(now_, cycle_of(a.warp->operands)));
    }
  }

  const SmWork& work_;
  const SmParameters& p_;
  SmListener& listener_;
  SmMemory memory_;
  MmaTimes mma_times_;
  std::vector<SubCore> sub_cores_;
  std::vector<bool> slot_used_;
  std::vector<Cta> ctas_;
  std::vector<std::unique_ptr<WarpState>> warps_;
  std::deque<std::int64_t> launches_;  ///< cycles of the launches to come
  std::priority_queue<Arrival> arrivals_;
  std::size_t launched_ = 0;
  std::int64_t now_ = 0, order_ = 0;
  int live_ = 0;
  SmTotals totals_;
};

}  // namespace

SmTotals run_sm(const SmWork& work, const SmParameters& parameters, SmListener& listener) {
  return Sm(work, parameters, listener).run();
}

}  // namespace twofour::emu
