#include "race_oracle.h"

#include <algorithm>

namespace twofour::emu::check::test {

RaceOracle::RaceOracle(int warps) : last_(std::size_t(warps), -1), lanes_(std::size_t(warps)) {}

int RaceOracle::add_node(const Nodes& before) {
  before_.push_back(before);
  return int(before_.size()) - 1;
}

void RaceOracle::put_before(int node, int later) {
  Nodes& b = before_[std::size_t(later)];
  b |= before_[std::size_t(node)];
  b.set(std::size_t(node));
}

void RaceOracle::next(int warp) {
  Instruction i{warp, {}};
  const int previous = std::exchange(last_[std::size_t(warp)], int(instructions_.size()));
  for (std::size_t l = 0; l < oracle_lanes; ++l) {
    i.nodes[l] = add_node({});
    if (previous >= 0) put_before(instructions_[std::size_t(previous)].nodes[l], i.nodes[l]);
  }
  instructions_.push_back(i);
}

void RaceOracle::touch(const Touch& touch) {
  const Instruction& i = instructions_.back();
  int node = i.nodes[std::size_t(touch.lane)];
  if (touch.copy) {
    const int copy = add_node({});
    put_before(node, copy);
    lanes_[std::size_t(i.warp)][std::size_t(touch.lane)].copies.push_back(copy);
    node = copy;
  }
  accesses_.push_back({touch, instruction(), node});
}

void RaceOracle::release_copies(Released& to, int lane) {
  const auto& copies = lanes_[std::size_t(instructions_.back().warp)][std::size_t(lane)].copies;
  to.copies.insert(to.copies.end(), copies.begin(), copies.end());
}

void RaceOracle::acquire(const Released& from, int instruction) {
  const Instruction& i = instruction < 0 ? instructions_.back() : instructions_[std::size_t(instruction)];
  for (const int node : i.nodes) {
    for (const int r : from.instructions)
      for (const int released : instructions_[std::size_t(r)].nodes)
        if (released != node) put_before(released, node);
    for (const int copy : from.copies) put_before(copy, node);
  }
}

void RaceOracle::sync_lanes(std::uint32_t lanes) {
  const auto nodes = instructions_.back().nodes;
  Nodes all;
  for (std::size_t l = 0; l < oracle_lanes; ++l)
    if ((lanes >> l & 1) != 0) all |= before_[std::size_t(nodes[l])];
  for (std::size_t l = 0; l < oracle_lanes; ++l)
    if ((lanes >> l & 1) != 0) before_[std::size_t(nodes[l])] |= all;
}

void RaceOracle::commit(std::uint32_t lanes) {
  for (std::size_t l = 0; l < oracle_lanes; ++l) {
    Lane& lane = lanes_[std::size_t(instructions_.back().warp)][l];
    if ((lanes >> l & 1) != 0) lane.group_ends.push_back(lane.copies.size());
  }
}

void RaceOracle::wait_group(std::uint32_t lanes, std::size_t left) {
  for (std::size_t l = 0; l < oracle_lanes; ++l) {
    const Lane& lane = lanes_[std::size_t(instructions_.back().warp)][l];
    if ((lanes >> l & 1) == 0 || lane.group_ends.size() <= left) continue;
    const std::size_t done = lane.group_ends[lane.group_ends.size() - 1 - left];
    for (std::size_t c = 0; c < done; ++c) put_before(lane.copies[c], instructions_.back().nodes[l]);
  }
}

bool RaceOracle::ordered(const Accessed& e, const Accessed& l) const {
  const Instruction& later = instructions_[std::size_t(l.instruction)];
  const int at = later.nodes[std::size_t(l.touch.lane)];
  if (before_[std::size_t(at)].test(std::size_t(e.node))) return true;
  if (e.touch.writes || !l.touch.writes || instructions_[std::size_t(e.instruction)].warp != later.warp)
    return false;
  for (int k = e.instruction + 1; k < l.instruction; ++k)
    if (instructions_[std::size_t(k)].warp == later.warp && instructions_[std::size_t(k)].meets) return true;
  return false;
}

bool RaceOracle::race(const Accessed& e, const Accessed& l) const {
  if (!e.touch.writes && !l.touch.writes) return false;
  if (e.instruction == l.instruction)
    return e.touch.lane != l.touch.lane && !e.touch.copy && e.touch.strength != Strength::strong;
  const bool same_warp =
      instructions_[std::size_t(e.instruction)].warp == instructions_[std::size_t(l.instruction)].warp;
  const Strength weakest = std::min(e.touch.strength, l.touch.strength);
  if (weakest == Strength::strong || (weakest == Strength::volatile_ && !same_warp)) return false;
  return !ordered(e, l);
}

std::set<std::uint32_t> RaceOracle::racy_bytes() const {
  std::set<std::uint32_t> found;
  for (std::size_t k = 0; k < accesses_.size(); ++k)
    for (std::size_t i = 0; i < k; ++i) {
      const Touch &a = accesses_[i].touch, &b = accesses_[k].touch;
      const std::uint32_t begin = std::max(a.first_byte, b.first_byte);
      const std::uint32_t end = std::min(a.first_byte + a.size, b.first_byte + b.size);
      if (begin < end && race(accesses_[i], accesses_[k]))
        for (std::uint32_t byte = begin; byte < end; ++byte) found.insert(byte);
    }
  return found;
}

}  // namespace twofour::emu::check::test
