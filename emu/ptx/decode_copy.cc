// cp.async and mbarrier. A copy happens at its issue, the earliest moment that PTX allows: groups and waits
// then have nothing left to do (emu/warp/async_copy.h has the other moments).
#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/qualifiers.h"

namespace twofour::emu::ptx {
namespace {

struct CopyOp {
  Address to, from;
  std::uint64_t size = 16;
  Ref source_size, ignore;
};

/// Bytes that each lane reads.
void read_sizes(Warp& warp, const CopyOp& c, std::uint32_t lanes, std::uint32_t (&sizes)[lanes_of_warp]) {
  const auto* given = c.source_size ? warp.reg<std::uint32_t>(c.source_size) : nullptr;
  const std::uint32_t ignored = c.ignore ? *warp.reg<std::uint32_t>(c.ignore) : 0;
  for_lanes(lanes, [&](int l) {
    sizes[l] = given != nullptr ? given[l] : std::uint32_t(c.size);
    if (sizes[l] > c.size) warp.fail(l, "src-size {} is larger than cp-size {}", sizes[l], c.size);
    if ((ignored >> l & 1) != 0) sizes[l] = 0;
  });
}

/// Some lanes read less than they write, or the bytes lie in several pieces.
void copy_in_pieces(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& c = *static_cast<const CopyOp*>(op.data);
  std::uint32_t sizes[lanes_of_warp];
  read_sizes(warp, c, lanes, sizes);
  std::uint32_t readers = 0;
  bool whole = true;
  for_lanes(lanes, [&](int l) {
    readers |= std::uint32_t(sizes[l] != 0) << l;
    whole &= sizes[l] == c.size;
  });
  Addresses to, from;
  gather(warp, c.to, lanes, c.size, c.size, to);
  std::byte data[lanes_of_warp][16] = {};
  if (readers != 0) {
    gather(warp, c.from, readers, c.size, c.size, from);
    if (whole)
      visit(warp, op, Window::global, from, readers, c.size, false, [&](const View& v) {
        for_lanes(v.lanes, [&](int l) { std::memcpy(data[l], v.host(from, l), c.size); });
      });
    else
      for_lanes(readers, [&](int l) {
        std::memcpy(data[l], resolve(warp, op, Window::global, from.at[l], sizes[l], 1, l, false), sizes[l]);
      });
  }
  visit(warp, op, Window::shared, to, lanes, c.size, true, [&](const View& v) {
    for_lanes(v.lanes, [&](int l) { std::memcpy(v.host(to, l), data[l], c.size); });
  });
}

/// A copy of 16 bytes by all lanes, each from from[l] + from_offset to to[l] + to_offset.
struct FullCopy {
  const std::uint32_t* to;
  std::uint32_t to_offset;
  const std::uint64_t* from;
  std::uint64_t from_offset;
  Piece shared, global;
};
/// Not done: an address is misaligned or outside its piece.
TWOFOUR_ALWAYS_INLINE void copy_all_body(const FullCopy& c, bool& done) {
  constexpr std::size_t size = 16, batch = 8;
  std::uint64_t to[lanes_of_warp], from[lanes_of_warp], any = 0, outside = 0;
  for (int l = 0; l < lanes_of_warp; ++l) {
    to[l] = c.to[l] + c.to_offset;
    from[l] = c.from[l] + c.from_offset;
    any |= to[l] | from[l];
    const std::uint64_t to_place = to[l] - c.shared.begin, from_place = from[l] - c.global.begin;
    outside |= to_place | (c.shared.room - to_place) | from_place | (c.global.room - from_place);
  }
  done = (any & (size - 1)) == 0 && std::int64_t(outside) >= 0;
  if (!done) return;
  const std::uintptr_t global = c.global.bias, shared = c.shared.bias;
  for (std::size_t first = 0; first < lanes_of_warp; first += batch) {
    std::byte data[batch][size];  // reads first: a store may hold up a load some multiple of 4096 bytes away
    for (std::size_t l = 0; l < batch; ++l)
      std::memcpy(data[l], reinterpret_cast<const std::byte*>(global + from[first + l]), size);
    for (std::size_t l = 0; l < batch; ++l)
      std::memcpy(reinterpret_cast<std::byte*>(shared + to[first + l]), data[l], size);
  }
}
TWOFOUR_SIMD_VARIANTS(copy_all, (const FullCopy& c, bool& done), copy_all_body(c, done))

bool copied_whole(Warp& warp, const Op& op) {
  const auto& c = *static_cast<const CopyOp*>(op.data);
  const FullCopy copy{
      warp.reg<std::uint32_t>(c.to.reg), std::uint32_t(c.to.offset), warp.reg<std::uint64_t>(c.from.reg),
      std::uint64_t(c.from.offset),      shared_piece(warp, 16),     global_piece(warp, op, 16)};
  bool done = false;
  if (copy.shared.exists && copy.global.exists) copy_all(copy, done);
  return done;
}

template <std::size_t size>
void copy(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& c = *static_cast<const CopyOp*>(op.data);
  if (size == 16 && lanes == all_lanes && c.to.base == Address::Base::reg32 &&
      c.from.base == Address::Base::reg64 && copied_whole(warp, op))
    return;
  Addresses to, from;
  gather(warp, c.to, lanes, size, size, to);
  gather(warp, c.from, lanes, size, size, from);
  const View source = view(warp, op, Window::global, from, lanes, size, false);
  const View target = view(warp, op, Window::shared, to, lanes, size, true);
  if ((source.lanes & target.lanes) != lanes) return copy_in_pieces(warp, op, lanes);
  for_lanes(lanes, [&](int l) { std::memcpy(target.host(to, l), source.host(from, l), size); });
}

Handler copy_handler(const CopyOp& c) {
  if (c.source_size || c.ignore) return copy_in_pieces;
  switch (c.size) {
    case 4: return copy<4>;
    case 8: return copy<8>;
    default: return copy<16>;
  }
}

void nothing(Warp&, const Op&, std::uint32_t) {}

void decode_copy_async(FunctionDecoder& d) {
  check_qualifiers(d, {"async"});
  d.expect_operands(3, 5);
  CopyOp c;
  c.to = d.address(d.operand(0), Window::shared);
  c.from = d.address(d.operand(1), Window::global);
  const std::int64_t size = d.number(d.operand(2));
  if (size != 16 && (d.has("cg") || (size != 4 && size != 8)))
    d.refuse("cp.async copies 4, 8 or 16 bytes, .cg 16");
  c.size = std::uint64_t(size);
  std::size_t next = 3;
  if (d.operand_count() > next) {
    const Operand& o = d.operand(next);
    if (o.kind == Operand::Kind::reg && d.declared(o.reg) == Type::pred)
      c.ignore = d.predicate(o);
    else if (!(o.kind == Operand::Kind::reg && d.width(o.reg) == 8))  // a cache policy
      c.source_size = d.source(o, Type::u32);
  }
  const CopyOp* const data = d.own(c);
  d.emit(copy_handler(c)).data = data;
}

// mbarrier: a 64-bit word of shared memory. What its bits mean is ours (PTX: opaque).

struct Barrier {
  std::uint64_t word;
  static constexpr std::uint64_t mask = (1 << 20) - 1;
  std::uint64_t pending() const { return word & mask; }
  std::uint64_t expected() const { return word >> 20 & mask; }
  /// Bytes that transactions still bring; cp.async.bulk is not there, so only complete_tx lowers it.
  std::uint64_t bytes() const { return word >> 40 & mask; }
  std::uint64_t phase() const { return word >> 63; }
  static Barrier make(std::uint64_t pending, std::uint64_t expected, std::uint64_t bytes,
                      std::uint64_t phase) {
    return {(pending & mask) | (expected & mask) << 20 | (bytes & mask) << 40 | phase << 63};
  }
  Barrier completed() const {
    return pending() == 0 && bytes() == 0 ? make(expected(), expected(), 0, phase() ^ 1) : *this;
  }
};

struct BarrierOp {
  Address address;
  Ref result, operand;
  int result_bytes = 8;
};

/// Calls f(lane, word) for each lane's barrier, in order of the lanes.
template <class F>
void for_barriers(Warp& warp, const Op& op, std::uint32_t lanes, F&& f) {
  const auto& b = *static_cast<const BarrierOp*>(op.data);
  Addresses a;
  gather(warp, b.address, lanes, 8, 8, a);
  visit(warp, op, Window::shared, a, lanes, 8, true, [&](const View& v) {
    for_lanes(v.lanes, [&](int l) { f(l, *reinterpret_cast<std::uint64_t*>(v.host(a, l))); });
  });
}

std::uint32_t operand_of(Warp& warp, const Op& op, int lane, std::uint32_t otherwise) {
  const auto& b = *static_cast<const BarrierOp*>(op.data);
  return b.operand ? warp.reg<std::uint32_t>(b.operand)[lane] : otherwise;
}

void barrier_init(Warp& warp, const Op& op, std::uint32_t lanes) {
  for_barriers(warp, op, lanes, [&](int l, std::uint64_t& word) {
    const std::uint32_t count = operand_of(warp, op, l, 0);
    if (count == 0 || count > Barrier::mask)
      warp.fail(l, "mbarrier.init with count {}: 1 to 2^20 - 1", count);
    word = Barrier::make(count, count, 0, 0).word;
  });
}

enum Arrive : int { plain, drop, expect, expect_only, complete };

void barrier_arrive(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const BarrierOp*>(op.data);
  for_barriers(warp, op, lanes, [&](int l, std::uint64_t& word) {
    Barrier b{word};
    if (m.result) warp.reg<std::uint64_t>(m.result)[l] = word;
    const bool counts_bytes = op.detail >= expect;
    const std::uint32_t count = counts_bytes ? (op.detail == expect ? 1 : 0) : operand_of(warp, op, l, 1);
    const std::uint32_t bytes = counts_bytes ? operand_of(warp, op, l, 0) : 0;
    if (count > b.pending())
      warp.fail(l, "{} arrivals at an mbarrier that expects {} more", count, b.pending());
    const std::uint64_t dropped = op.detail == drop ? count : 0;
    word = Barrier::make(b.pending() - count, b.expected() - dropped,
                         op.detail == complete ? b.bytes() - bytes : b.bytes() + bytes, b.phase())
               .completed()
               .word;
  });
}

/// detail: 1 for .parity; immediate: 1 if it may wait.
void barrier_test(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const BarrierOp*>(op.data);
  std::uint32_t done = 0;
  for_barriers(warp, op, lanes, [&](int l, std::uint64_t& word) {
    const std::uint64_t phase = op.detail != 0 ? warp.reg<std::uint32_t>(m.operand)[l] & 1
                                               : Barrier{warp.reg<std::uint64_t>(m.operand)[l]}.phase();
    done |= std::uint32_t(Barrier{word}.phase() != phase) << l;
  });
  std::uint32_t& d = *warp.reg<std::uint32_t>(m.result);
  d = (d & ~lanes) | done;
  if (done != lanes) warp.yield();  // the warps that are to arrive run first
}

void barrier_pending(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto* state = warp.reg<std::uint64_t>(op.s[0]);
  for_lanes(lanes, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) {
    d[l] = std::uint32_t(Barrier{state[l]}.pending());
  });
}

void decode_test(FunctionDecoder& d) {
  BarrierOp b;
  d.expect_operands(3, 4);  // a time limit may follow
  b.result = d.destination(d.operand(0), 0);
  if (!b.result) d.refuse("the result is missing");
  b.address = d.address(d.operand(1), Window::shared);
  const bool parity = d.has("parity");
  b.operand = d.source(d.operand(2), parity ? Type::u32 : Type::u64);
  const BarrierOp* const data = d.own(b);
  Op& op = d.emit(barrier_test);
  op.data = data;
  op.detail = parity ? 1 : 0;
}

void decode_mbarrier(FunctionDecoder& d) {
  if (d.has("inval")) return;
  if (d.has("test_wait") || d.has("try_wait")) return decode_test(d);
  if (d.has("pending_count")) {
    d.expect_operands(2, 2);
    const Ref result = d.destination(d.operand(0), 4), state = d.source(d.operand(1), Type::b64);
    Op& op = d.emit(barrier_pending);
    op.d[0] = result;
    op.s[0] = state;
    return;
  }
  BarrierOp b;
  const bool init = d.has("init"), drops = d.has("arrive_drop");
  const bool returns = d.has("arrive") || drops;
  const bool only = d.has("expect_tx") && !returns, completes = d.has("complete_tx");
  if (!init && !returns && !only && !completes) d.unsupported("not implemented");
  const std::size_t first = returns ? 1 : 0;
  d.expect_operands(first + 1, first + 2);
  if (returns) b.result = d.destination(d.operand(0), 8);
  b.address = d.address(d.operand(first), Window::shared);
  if (d.operand_count() > first + 1) b.operand = d.source(d.operand(first + 1), Type::u32);
  const BarrierOp* const data = d.own(b);
  Op& op = d.emit(init ? barrier_init : barrier_arrive);
  op.data = data;
  op.detail = drops ? drop : completes ? complete : only ? expect_only : d.has("expect_tx") ? expect : plain;
}

/// cp.async.mbarrier.arrive: the copies are done, so it arrives; without .noinc it first raises what is
/// pending by as much.
void decode_copy_arrive(FunctionDecoder& d) {
  d.expect_operands(1, 1);
  BarrierOp b;
  b.address = d.address(d.operand(0), Window::shared);
  const BarrierOp* const data = d.own(b);
  Op& op = d.emit(d.has("noinc") ? barrier_arrive : nothing);
  op.data = data;
}

void decode_cp(FunctionDecoder& d) {
  if (!d.has("async") || d.has("bulk")) d.unsupported("not implemented");
  if (d.has("commit_group") || d.has("wait_group") || d.has("wait_all")) {
    d.emit(nothing);
    return;
  }
  if (d.has("mbarrier")) return decode_copy_arrive(d);
  decode_copy_async(d);
}

}  // namespace

OpcodeDecoder find_copy(std::string_view opcode) {
  if (opcode == "cp") return decode_cp;
  if (opcode == "mbarrier") return decode_mbarrier;
  return nullptr;
}

}  // namespace twofour::emu::ptx
