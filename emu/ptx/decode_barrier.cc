// bar and barrier. A barrier counts whole warps (PTX ISA 9.0, 9.7.13.1); lanes that exited do not count as
// missing. Lanes that come to it by different ways wait for each other: since sm_70 a GPU counts threads
// (CUDA C++ Programming Guide, "Synchronization Functions" of compute capability 7.x).
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"

namespace twofour::emu::ptx {
namespace {

enum Reduce : int { reduce_popc, reduce_and, reduce_or };

std::uint32_t same_value(Warp& warp, Ref r, std::uint32_t lanes, std::string_view what) {
  const auto* values = warp.reg<std::uint32_t>(r);
  const std::uint32_t first = values[std::countr_zero(lanes)];
  for_lanes(lanes, [&](int l) {
    if (values[l] != first) warp.fail(l, "{} {} here, {} in another lane", what, values[l], first);
  });
  return first;
}

[[noreturn]] void fail_apart(Warp& warp, std::uint32_t missing) {
  warp.fail(std::countr_zero(missing),
            "a barrier needs all lanes of the warp; lanes {:#010x} took another way", missing);
}

/// s[0]: barrier, s[1]: threads (none: all), s[2]: predicate to reduce; detail: Reduce.
void come(Warp& warp, const Op& op, std::uint32_t lanes, Cta::Arrival arrival, Reduction contribution) {
  const std::uint32_t id = same_value(warp, op.s[0], lanes, "barrier");
  const std::uint32_t threads = op.s[1] ? same_value(warp, op.s[1], lanes, "number of threads") : 0;
  if (warp.live() == lanes) return warp.cta().arrive(warp, id, threads, arrival, contribution);
  if (arrival != Cta::Arrival::sync || lanes != warp.active()) fail_apart(warp, warp.live() & ~lanes);
  warp.wait_apart(op, id, threads);
}

void sync(Warp& warp, const Op& op, std::uint32_t lanes) {
  come(warp, op, lanes, Cta::Arrival::sync, {});
}
void arrive(Warp& warp, const Op& op, std::uint32_t lanes) {
  come(warp, op, lanes, Cta::Arrival::arrive, {});
}
void reduce(Warp& warp, const Op& op, std::uint32_t lanes) {
  const std::uint32_t set = *warp.reg<std::uint32_t>(op.s[2]) & lanes;
  warp.red_op = &op;
  warp.red_lanes = lanes;
  come(warp, op, lanes, Cta::Arrival::reduce,
       {std::uint32_t(std::popcount(set)), std::uint32_t(set == lanes), std::uint32_t(set != 0)});
}

void decode_barrier(FunctionDecoder& d) {
  const auto count = d.operand_count();
  if (d.has("cluster")) d.unsupported("not implemented: clusters");
  if (d.has("warp")) {  // bar.warp.sync: lanes of a warp are never apart in time where they are together
    d.expect_operands(1, 1);
    return;
  }
  const bool reduces = d.has("red"), arrives = d.has("arrive");
  if (!reduces && !arrives && !d.has("sync")) d.unsupported("not implemented");
  const std::size_t first = reduces ? 1 : 0;
  d.expect_operands(first + 1, reduces ? 4 : 2);
  const std::size_t threads_at = reduces ? (count == 4 ? 2 : 0) : (count == 2 ? 1 : 0);
  if (arrives && threads_at == 0) d.refuse("the number of threads is missing");
  Op prepared;
  prepared.s[0] = d.source(d.operand(first), Type::u32);
  if (threads_at != 0) prepared.s[1] = d.source(d.operand(threads_at), Type::u32);
  if (reduces) {
    prepared.s[2] = d.predicate(d.operand(count - 1));
    prepared.detail = d.has("popc") ? reduce_popc : d.has("and") ? reduce_and : reduce_or;
    prepared.d[0] = d.destination(d.operand(0), prepared.detail == reduce_popc ? 4 : 0);
  }
  Op& op = d.emit(reduces ? reduce : arrives ? arrive : sync);
  op.s = prepared.s;
  op.d = prepared.d;
  op.detail = prepared.detail;
}

}  // namespace

void finish_reduction(Warp& warp, const Reduction& r) {
  const Op& op = *std::exchange(warp.red_op, nullptr);
  const std::uint32_t lanes = warp.red_lanes;
  if (!op.d[0]) return;
  auto* d = warp.reg<std::uint32_t>(op.d[0]);
  if (op.detail == reduce_popc) {
    for_lanes(lanes, [&](int l) { d[l] = r.popc; });
  } else {
    const bool value = (op.detail == reduce_and ? r.all : r.any) != 0;
    *d = (*d & ~lanes) | (value ? lanes : 0);
  }
}

OpcodeDecoder find_barrier(std::string_view opcode) {
  return opcode == "bar" || opcode == "barrier" ? decode_barrier : nullptr;
}

}  // namespace twofour::emu::ptx
