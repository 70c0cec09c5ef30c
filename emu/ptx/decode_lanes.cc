// Between the lanes of a warp: shfl, vote, match, activemask, redux, elect (PTX ISA 9.0, 9.7.9 and 9.7.13).
// Lanes that a member mask names must be there, unless they exited or do so on their way.
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/shuffle.h"

namespace twofour::emu::ptx {
namespace {

/// Calls f(group) for the lanes that have the same member mask; each group has what PTX asks of its mask.
template <class F>
void for_groups(Warp& warp, Ref members, std::uint32_t lanes, F&& f) {
  if (!members) return f(lanes);
  const auto* masks = warp.reg<std::uint32_t>(members);
  while (lanes != 0) {
    const int leader = std::countr_zero(lanes);
    const std::uint32_t mask = masks[leader];
    std::uint32_t group = 0;
    for_lanes(lanes, [&](int l) { group |= std::uint32_t(masks[l] == mask) << l; });
    if ((mask >> leader & 1) == 0) warp.fail(leader, "member mask {:#010x} does not name this lane", mask);
    if (const std::uint32_t missing = mask & ~group & ~warp.exited(); missing != 0)
      warp.fail(std::countr_zero(missing), "member mask {:#010x} names lanes {:#010x}, which are not here",
                mask, missing);
    f(group);
    lanes &= ~group;
  }
}

/// Lanes that the mask of all these names are on other ways, and may exit there: until then these wait.
bool wait_for_others(Warp& warp, Ref members, std::uint32_t lanes) {
  if (!members || lanes != warp.active() || warp.stuck()) return false;
  const auto* masks = warp.reg<std::uint32_t>(members);
  const std::uint32_t mask = masks[std::countr_zero(lanes)], missing = mask & warp.live() & ~lanes;
  bool same = true;
  for_lanes(lanes, [&](int l) { same &= masks[l] == mask; });
  if (!same || missing == 0) return false;
  warp.wait_before(missing);
  return true;
}

void write_predicate(Warp& warp, Ref r, std::uint32_t lanes, std::uint32_t value) {
  if (!r) return;
  std::uint32_t& d = *warp.reg<std::uint32_t>(r);
  d = (d & ~lanes) | (value & lanes);
}

// shfl

void shuffle(Warp& warp, const Op& op, std::uint32_t lanes) {
  if (wait_for_others(warp, op.s[3], lanes)) return;
  for_groups(warp, op.s[3], lanes, [](std::uint32_t) {});
  std::uint32_t values[lanes_of_warp];
  std::memcpy(values, warp.pointer(op.s[0]), sizeof values);
  const auto *b = warp.reg<std::uint32_t>(op.s[1]), *c = warp.reg<std::uint32_t>(op.s[2]);
  std::uint32_t results[lanes_of_warp], in_range = 0;
  for_lanes(lanes, [&](int l) {
    const auto [source, valid] = shuffle_source(Shuffle(op.detail), l, b[l], c[l]);
    in_range |= std::uint32_t(valid) << l;
    results[l] = values[valid ? source : l];
  });
  if (auto* d = warp.reg<std::uint32_t>(op.d[0]); d != nullptr)
    for_lanes(lanes, [&](int l) { d[l] = results[l]; });
  write_predicate(warp, op.d[1], lanes, in_range);
}

void decode_shfl(FunctionDecoder& d) {
  const bool sync = d.has("sync");
  d.expect_operands(sync ? 5 : 4, sync ? 5 : 4);
  if (bytes_of(d.type()) != 4) d.refuse("shfl moves 32 bits");
  const Operand& to = d.operand(0);
  const bool pair = to.kind == Operand::Kind::vector && to.parts.size() == 2;
  Op p;
  p.d[0] = d.destination(pair ? to.parts[0] : to, 4);
  if (pair) p.d[1] = d.destination(to.parts[1], 0);
  for (std::size_t k = 0; k < (sync ? 4u : 3u); ++k) p.s[k] = d.source(d.operand(k + 1), Type::b32);
  const auto mode = shuffle_mode(d.instruction());
  if (!mode) d.refuse("the mode is missing");
  p.detail = int(*mode);
  Op& op = d.emit(shuffle);
  op.d = p.d;
  op.s = p.s;
  op.detail = p.detail;
}

// vote

enum Vote : int { vote_all, vote_any, vote_uni, vote_ballot };

void vote(Warp& warp, const Op& op, std::uint32_t lanes) {
  if (wait_for_others(warp, op.s[1], lanes)) return;
  const std::uint32_t value = *warp.reg<std::uint32_t>(op.s[0]);
  for_groups(warp, op.s[1], lanes, [&](std::uint32_t group) {
    const std::uint32_t set = value & group;
    if (op.detail == vote_ballot) {
      if (op.d[0]) for_lanes(group, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) { d[l] = set; });
      return;
    }
    const bool holds = op.detail == vote_all   ? set == group
                       : op.detail == vote_any ? set != 0
                                               : set == 0 || set == group;
    write_predicate(warp, op.d[0], group, holds ? ~0u : 0);
  });
}

void decode_vote(FunctionDecoder& d) {
  const bool sync = d.has("sync");
  d.expect_operands(sync ? 3 : 2, sync ? 3 : 2);
  const int kind = d.has("ballot") ? vote_ballot
                   : d.has("all")  ? vote_all
                   : d.has("any")  ? vote_any
                                   : vote_uni;
  if (kind == vote_uni && !d.has("uni")) d.refuse("the mode is missing");
  const Ref result = d.destination(d.operand(0), kind == vote_ballot ? 4 : 0);
  const Ref value = d.predicate(d.operand(1));
  const Ref members = sync ? d.source(d.operand(2), Type::b32) : Ref{};
  Op& op = d.emit(vote);
  op.d[0] = result;
  op.s = {value, members};
  op.detail = kind;
}

// match

template <class T, bool all>
void match(Warp& warp, const Op& op, std::uint32_t lanes) {
  if (wait_for_others(warp, op.s[1], lanes)) return;
  T values[lanes_of_warp];
  std::memcpy(values, warp.pointer(op.s[0]), sizeof values);
  for_groups(warp, op.s[1], lanes, [&](std::uint32_t group) {
    auto* d = warp.reg<std::uint32_t>(op.d[0]);
    std::uint32_t agree = 0;
    for_lanes(group, [&](int l) {
      std::uint32_t equal = 0;
      for_lanes(group, [&](int k) { equal |= std::uint32_t(values[k] == values[l]) << k; });
      agree |= std::uint32_t(equal == group) << l;
      if (d != nullptr) d[l] = all ? (equal == group ? group : 0) : equal;
    });
    if constexpr (all) write_predicate(warp, op.d[1], group, agree);
  });
}

void decode_match(FunctionDecoder& d) {
  d.expect_operands(3, 3);
  const bool all = d.has("all"), wide = bytes_of(d.type()) == 8;
  if (!all && !d.has("any")) d.refuse("the mode is missing");
  const Operand& to = d.operand(0);
  const bool pair = to.kind == Operand::Kind::vector && to.parts.size() == 2;
  const Ref result = d.destination(pair ? to.parts[0] : to, 4);
  const Ref predicate = pair ? d.destination(to.parts[1], 0) : Ref{};
  const Ref value = d.source(d.operand(1), wide ? Type::b64 : Type::b32);
  const Ref members = d.source(d.operand(2), Type::b32);
  Op& op = d.emit(all ? (wide ? match<std::uint64_t, true> : match<std::uint32_t, true>)
                      : (wide ? match<std::uint64_t, false> : match<std::uint32_t, false>));
  op.d = {result, predicate};
  op.s = {value, members};
}

// activemask, elect, redux

void active_mask(Warp& warp, const Op& op, std::uint32_t lanes) {
  for_lanes(lanes, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) { d[l] = lanes; });
}
void decode_activemask(FunctionDecoder& d) {
  d.expect_operands(1, 1);
  const Ref result = d.destination(d.operand(0), 4);
  d.emit(active_mask).d[0] = result;
}

void elect(Warp& warp, const Op& op, std::uint32_t lanes) {
  for_groups(warp, op.s[0], lanes, [&](std::uint32_t group) {
    const int leader = std::countr_zero(group);
    if (op.d[0])
      for_lanes(group, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) { d[l] = std::uint32_t(leader); });
    write_predicate(warp, op.d[1], group, 1u << leader);
  });
}
void decode_elect(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  const Operand& to = d.operand(0);
  if (to.kind != Operand::Kind::vector || to.parts.size() != 2) d.refuse("the results must be d|p");
  const Ref lane = d.destination(to.parts[0], 4), predicate = d.destination(to.parts[1], 0);
  const Ref members = d.source(d.operand(1), Type::b32);
  Op& op = d.emit(elect);
  op.d = {lane, predicate};
  op.s[0] = members;
}

enum Redux : int { redux_add, redux_min, redux_max, redux_smin, redux_smax, redux_and, redux_or, redux_xor };

std::uint32_t combine(int kind, std::uint32_t a, std::uint32_t b) {
  switch (kind) {
    case redux_add: return a + b;
    case redux_min: return std::min(a, b);
    case redux_max: return std::max(a, b);
    case redux_smin: return std::uint32_t(std::min(std::int32_t(a), std::int32_t(b)));
    case redux_smax: return std::uint32_t(std::max(std::int32_t(a), std::int32_t(b)));
    case redux_and: return a & b;
    case redux_or: return a | b;
    default: return a ^ b;
  }
}

void redux(Warp& warp, const Op& op, std::uint32_t lanes) {
  if (wait_for_others(warp, op.s[1], lanes)) return;
  const auto* s = warp.reg<std::uint32_t>(op.s[0]);
  for_groups(warp, op.s[1], lanes, [&](std::uint32_t group) {
    std::uint32_t result = s[std::countr_zero(group)];
    for_lanes(group & (group - 1), [&](int l) { result = combine(op.detail, result, s[l]); });
    if (op.d[0]) for_lanes(group, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) { d[l] = result; });
  });
}

void decode_redux(FunctionDecoder& d) {
  d.expect_operands(3, 3);
  const bool sign = d.has("s32");
  if (!sign && !d.has("u32") && !d.has("b32")) d.unsupported("not implemented");
  const int kind = d.has("add")   ? redux_add
                   : d.has("min") ? (sign ? redux_smin : redux_min)
                   : d.has("max") ? (sign ? redux_smax : redux_max)
                   : d.has("and") ? redux_and
                   : d.has("or")  ? redux_or
                                  : redux_xor;
  if (kind == redux_xor && !d.has("xor")) d.unsupported("not implemented");
  const Ref result = d.destination(d.operand(0), 4);
  const Ref value = d.source(d.operand(1), Type::b32), members = d.source(d.operand(2), Type::b32);
  Op& op = d.emit(redux);
  op.d[0] = result;
  op.s = {value, members};
  op.detail = kind;
}

}  // namespace

OpcodeDecoder find_lanes(std::string_view opcode) {
  if (opcode == "shfl") return decode_shfl;
  if (opcode == "vote") return decode_vote;
  if (opcode == "match") return decode_match;
  if (opcode == "activemask") return decode_activemask;
  if (opcode == "elect") return decode_elect;
  if (opcode == "redux") return decode_redux;
  return nullptr;
}

}  // namespace twofour::emu::ptx
