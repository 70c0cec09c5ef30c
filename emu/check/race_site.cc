#include "twofour/emu/check/race_site.h"

#include <cstring>

namespace twofour::emu::check {
namespace {

using Kind = RaceSite::Kind;

void strength(const ptx::Instruction& i, RaceSite& s) {
  s.acquires = i.has("acquire") || i.has("acq_rel");
  s.releases = i.has("release") || i.has("acq_rel");
  if (i.has("volatile"))
    s.strength = Strength::volatile_;
  else if (s.acquires || s.releases || i.has("relaxed") || i.has("mmio"))
    s.strength = Strength::strong;
}

void barrier(const ptx::Instruction& i, RaceSite& s) {
  if (i.has("warp")) {
    s.kind = Kind::lane_barrier;
    return;
  }
  const bool reduces = i.has("red");
  s.kind = i.has("arrive") ? Kind::barrier_arrive : Kind::barrier;
  s.operand = reduces ? 1 : 0;
  s.whole_block = i.operands.size() == (reduces ? 3u : 1u);
}

Kind copy(const ptx::Instruction& i) {
  if (i.has("commit_group")) return Kind::copy_commit;
  if (i.has("wait_group")) return Kind::copy_wait;
  if (i.has("wait_all")) return Kind::copy_wait_all;
  if (i.has("mbarrier")) return Kind::copy_arrive;
  return i.has("async") ? Kind::copy : Kind::other;
}

void mbarrier(const ptx::Instruction& i, RaceSite& s) {
  s.strength = Strength::strong;
  s.releases = s.acquires = !i.has("relaxed");
  if (i.has("init") || i.has("inval")) {
    s.kind = i.has("init") ? Kind::mbarrier_init : Kind::mbarrier_inval;
    s.strength = Strength::weak;
  } else if (i.has("test_wait") || i.has("try_wait")) {
    s.kind = Kind::mbarrier_test;
  } else if (!i.has("pending_count")) {
    s.kind = Kind::mbarrier_arrive;
  }
}

}  // namespace

RaceSite race_site(const ptx::Site& site) {
  const ptx::Instruction& i = site.instruction();
  const std::string& op = i.opcode;
  RaceSite s;
  s.collective = i.has("sync");
  if (op == "bar" || op == "barrier") {
    barrier(i, s);
  } else if (op == "membar" || op == "fence") {
    s.kind = i.has("proxy") || i.has("mbarrier_init") ? Kind::other : Kind::fence;
  } else if (op == "cp") {
    s.kind = copy(i);
    if (s.kind == Kind::copy_arrive) s.strength = Strength::strong;
  } else if (op == "mbarrier") {
    mbarrier(i, s);
  } else if (op == "atom" || op == "red") {
    s.kind = Kind::atomic;
    s.strength = Strength::strong;
  } else if (site.matrix != nullptr && !site.memory.empty()) {
    s.kind = site.memory.front().writes ? Kind::store : Kind::matrix_load;
  } else if (op == "ld" || op == "st") {
    s.kind = op == "ld" ? Kind::load : Kind::store;
    strength(i, s);
  } else if (s.collective) {
    s.kind = Kind::collective;
  }
  if ((s.kind == Kind::load || s.kind == Kind::store || s.kind == Kind::atomic) && !site.memory.empty()) {
    const ptx::Window w = site.memory.front().address.window;
    if (w != ptx::Window::shared && w != ptx::Window::generic) s.kind = Kind::other;
  }
  return s;
}

std::uint64_t operand_value(ptx::Warp& warp, const ptx::Site& site, std::size_t operand, int lane,
                            std::uint64_t otherwise) {
  const auto& operands = site.instruction().operands;
  if (operand >= operands.size()) return otherwise;
  if (operands[operand].kind == ptx::Operand::Kind::integer) return std::uint64_t(operands[operand].integer);
  for (const ptx::RegisterUse& use : site.reads) {
    if (use.operand != int(operand) || use.bytes == 0 || use.bytes > 8) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, warp.reg<std::byte>(use.at) + lane * use.bytes, std::size_t(use.bytes));
    return value;
  }
  return otherwise;
}

RaceOrder::MbarrierArrival mbarrier_arrival(ptx::Warp& warp, const ptx::Site& site, int lane) {
  const ptx::Instruction& i = site.instruction();
  const bool drops = i.has("arrive_drop"), arrives = drops || i.has("arrive");
  const std::size_t last = arrives ? 2 : 1;
  RaceOrder::MbarrierArrival a{.drops = drops, .releases = arrives && !i.has("relaxed")};
  if (i.has("expect_tx") || i.has("complete_tx")) {
    const auto bytes = std::int64_t(operand_value(warp, site, last, lane, 0));
    a.bytes = i.has("complete_tx") ? -bytes : bytes;
    a.count = arrives ? 1 : 0;
  } else {
    a.count = operand_value(warp, site, last, lane, 1);
  }
  return a;
}

std::byte StoredRegisters::byte(int lane, std::uint64_t at) const {
  const ptx::Operand& value = site_.instruction().operands[1];
  const bool vector = value.kind == ptx::Operand::Kind::vector;
  const std::uint64_t size = site_.memory.front().size / (vector ? value.parts.size() : 1);
  const auto part = std::size_t(at / size);
  const ptx::Operand& o = vector ? value.parts[part] : value;
  if (o.kind == ptx::Operand::Kind::reg) {
    const ptx::RegisterUse& use = register_of(vector ? part : 0);
    return warp_.reg<std::byte>(use.at)[std::size_t(lane * use.bytes) + at % size];
  }
  const std::uint64_t number = o.kind == ptx::Operand::Kind::integer ? std::uint64_t(o.integer) : o.bits64;
  return std::byte(number >> at % size % 8 * 8);
}

/// Registers of the operand are listed in its order; numbers among them are not.
const ptx::RegisterUse& StoredRegisters::register_of(std::size_t part) const {
  const ptx::Operand& value = site_.instruction().operands[1];
  std::size_t before = 0;
  for (std::size_t p = 0; p < part; ++p) before += value.parts[p].kind == ptx::Operand::Kind::reg;
  for (const ptx::RegisterUse& use : site_.reads)
    if (use.operand == 1 && before-- == 0) return use;
  return site_.reads.back();
}

}  // namespace twofour::emu::check
