// Branches, calls, ends, barriers and what only orders or waits.
#include <algorithm>
#include <atomic>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/flow.h"
#include "twofour/emu/ptx/system_call.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::size_t most_table_targets = 1 << 20;  // of all brx.idx of a function

void branch(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.branch(op, lanes);
}

void decode_bra(FunctionDecoder& d) {
  d.expect_operands(1, 1);
  const Operand& to = d.operand(0);
  if (to.kind != Operand::Kind::label) d.refuse("a label is missing");
  d.emit(branch);
  d.branch_to(to.target);
}

/// Targets of a brx, by ops of kind `branch` that follow it and are never run.
void branch_by_index(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto* index = warp.reg<std::uint32_t>(op.s[0]);
  std::vector<Warp::Way> ways;
  const auto add = [&](const Op* pc, std::uint32_t bit) {
    for (Warp::Way& w : ways)
      if (w.pc == pc) {
        w.lanes |= bit;
        return;
      }
    ways.push_back({pc, bit});
  };
  for_lanes(lanes, [&](int l) {
    if (index[l] >= std::uint32_t(op.detail))
      warp.fail(l, "index {} of a branch with {} targets", index[l], op.detail);
    add((&op)[1 + index[l]].target, 1u << l);
  });
  for_lanes(warp.active() & ~lanes, [&](int l) { add(&op + 1 + op.detail, 1u << l); });
  warp.split(ways, op.join);
}

void decode_brx(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  const Operand& list = d.operand(1);
  const auto& all = d.function().branch_targets;
  if (list.target < 0 || std::size_t(list.target) >= all.size()) d.refuse("a list of targets is missing");
  const auto& targets = all[std::size_t(list.target)].second;
  const Ref index = d.source(d.operand(0), Type::u32);
  Op& op = d.emit(branch_by_index);
  op.s[0] = index;
  op.detail = int(targets.size());
  d.branch_to(-1);
  for (const int t : targets) {
    d.prepare(branch);
    d.branch_to(t);
  }
}

void leave(Warp& warp, const Op&, std::uint32_t lanes) {
  warp.leave(lanes);
}
void exit(Warp& warp, const Op&, std::uint32_t lanes) {
  warp.exit(lanes);
}
void decode_ret(FunctionDecoder& d) {
  d.emit(leave);
}
void decode_exit(FunctionDecoder& d) {
  d.emit(exit);
}

void call_direct(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.call(op, *static_cast<const CallSite*>(op.data)->callee, lanes);
}

void call_indirect(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto* address = warp.reg<std::uint64_t>(op.s[0]);
  const std::uint64_t first = address[std::countr_zero(lanes)];
  std::uint32_t same = 0;
  for_lanes(lanes, [&](int l) { same |= std::uint32_t(address[l] == first) << l; });
  if (same != lanes) {  // those that agree first; the others come here again
    std::vector<Warp::Way> ways{{&op, lanes & ~same}, {&op, same}};
    if (const std::uint32_t rest = warp.active() & ~lanes; rest != 0) ways.push_back({&op + 1, rest});
    warp.split(ways, op.join);
    return;
  }
  const auto& by_address = warp.cta().grid().kernel->by_address;
  const auto target = by_address.find(first);
  if (target == by_address.end())
    warp.fail(std::countr_zero(lanes), "call of address {:#x}, where no function is", first);
  const auto& site = *static_cast<const CallSite*>(op.data);
  if (target->second->parameters.size() != site.arguments.size() ||
      target->second->results.size() != site.results.size())
    warp.fail(-1, "{} takes {} parameters and gives {} results, the call has {} and {}",
              target->second->function->name, target->second->parameters.size(),
              target->second->results.size(), site.arguments.size(), site.results.size());
  warp.call(op, *target->second, lanes);
}

/// A .param variable of the caller, a register or a number.
Slot slot_of(FunctionDecoder& d, const Operand& o, bool result) {
  if (o.kind == Operand::Kind::reg) return {d.reg(o.reg), 0, std::uint32_t(d.width(o.reg))};
  if (o.kind == Operand::Kind::nothing && result) return {d.temporary(16), 0, 16};
  if (o.kind == Operand::Kind::integer || o.kind == Operand::Kind::real) {
    const Type type = o.kind == Operand::Kind::real && o.single ? Type::b32 : Type::b64;
    return {d.source(o, type), 0, std::uint32_t(bytes_of(type))};
  }
  const Address a = d.address(o, Window::param);
  if (a.base != Address::Base::frame)
    d.refuse("an operand of a call must be a .param variable or a register");
  return {{}, std::uint32_t(a.offset), d.frame_bytes(o.symbol)};
}

const Call& call_of(const FunctionDecoder& d) {
  const auto& calls = d.function().calls;
  const auto at = std::lower_bound(calls.begin(), calls.end(), d.position(),
                                   [](const auto& call, int position) { return call.first < position; });
  if (at == calls.end() || at->first != d.position()) d.refuse("a call without operands");
  return at->second;
}

void decode_call(FunctionDecoder& d) {
  const Call& call = call_of(d);
  CallSite site;
  for (const Operand& o : call.arguments) site.arguments.push_back(slot_of(d, o, false));
  for (const Operand& o : call.results) site.results.push_back(slot_of(d, o, true));
  if (call.function.empty()) {
    if (d.width(call.target_register) != 8) d.refuse("the target must be a 64-bit register");
    const Ref target = d.reg(call.target_register);
    const CallSite* const data = d.own(std::move(site));
    Op& op = d.emit(call_indirect);
    op.data = data;
    op.s[0] = target;
    d.branch_to(-1);
    return;
  }
  const Function* f = d.kernel().functions.find(call.function);
  if (f == nullptr || f->external) {
    const Handler handler = find_system_call(call.function);
    if (handler == nullptr)
      d.unsupported(fmt::format("not implemented: {} is not defined in this module", call.function));
    if (call.function != "vprintf" && call.function != "__assertfail") d.kernel().uses_heap = true;
    const CallSite* const data = d.own(std::move(site));
    d.emit(handler).data = data;
    return;
  }
  if (f->parameters.size() != site.arguments.size() || f->results.size() != site.results.size())
    d.refuse(fmt::format("{} takes {} parameters and gives {} results", f->name, f->parameters.size(),
                         f->results.size()));
  site.callee = &d.callee(*f);
  const CallSite* const data = d.own(std::move(site));
  d.emit(call_direct).data = data;
}

void trap(Warp& warp, const Op&, std::uint32_t lanes) {
  warp.fail(std::countr_zero(lanes), "trap");
}
void fence(Warp&, const Op&, std::uint32_t) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}
void yield(Warp& warp, const Op&, std::uint32_t) {
  warp.yield();
}
void decode_trap(FunctionDecoder& d) {
  d.emit(trap);
}
void decode_fence(FunctionDecoder& d) {
  d.emit(fence);
}
void decode_nanosleep(FunctionDecoder& d) {
  d.emit(yield);
}
void decode_nothing(FunctionDecoder&) {}

}  // namespace

std::vector<Branch> branches_of(const FunctionDecoder& d) {
  const Function& f = d.function();
  std::vector<Branch> out;
  std::size_t table_targets = 0;
  std::size_t next_call = 0;
  for (int i = 0; i < int(f.code.size()); ++i) {
    const Instruction& in = f.code[std::size_t(i)];
    const bool guarded = in.predicate >= 0;
    const auto target = [&](std::size_t k) { return k < in.operands.size() ? in.operands[k].target : -1; };
    if (in.opcode == "bra" && target(0) >= 0) {
      out.push_back({i, {target(0)}, guarded});
    } else if (in.opcode == "brx" && target(1) >= 0 && std::size_t(target(1)) < f.branch_targets.size()) {
      const auto& table = f.branch_targets[std::size_t(target(1))].second;
      table_targets += table.size();
      if (table_targets > most_table_targets)
        d.refuse(fmt::format("the brx.idx of a function have more than {} targets", most_table_targets));
      out.push_back({i, table, guarded});
    } else if ((in.opcode == "ret" || in.opcode == "exit") && !guarded) {
      out.push_back({i, {}, false});
    } else if (in.opcode == "call") {
      while (next_call < f.calls.size() && f.calls[next_call].first < i) ++next_call;
      if (next_call < f.calls.size() && f.calls[next_call].second.function.empty())
        out.push_back({i, {i + 1}, false});
    }
  }
  return out;
}

OpcodeDecoder find_control(std::string_view opcode) {
  if (opcode == "bra") return decode_bra;
  if (opcode == "brx") return decode_brx;
  if (opcode == "ret") return decode_ret;
  if (opcode == "exit") return decode_exit;
  if (opcode == "call") return decode_call;
  if (opcode == "trap" || opcode == "brkpt") return decode_trap;
  if (opcode == "membar" || opcode == "fence") return decode_fence;
  if (opcode == "nanosleep") return decode_nanosleep;
  if (opcode == "pmevent" || opcode == "griddepcontrol") return decode_nothing;
  return find_barrier(opcode);
}

}  // namespace twofour::emu::ptx
