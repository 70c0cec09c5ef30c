#pragma once
// Happens-before by its definition: a graph of instructions and lanes, closed as it grows. Knows nothing of
// clocks; slow, for few events. Lanes 0 to 3 stand for a warp.
#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "twofour/emu/check/race_order.h"

namespace twofour::emu::check::test {

inline constexpr int oracle_lanes = 4;

class RaceOracle {
 public:
  explicit RaceOracle(int warps);

  /// The next instruction of a warp.
  void next(int warp);

  /// Bytes of memory that lanes of the instruction access.
  struct Touch {
    int lane;
    std::uint32_t first_byte, size;
    bool reads, writes, copy;
    Strength strength;
  };
  void touch(const Touch& touch);

  /// What was released to an object: instructions up to one of a warp, and copies.
  struct Released {
    std::vector<int> instructions, copies;
  };
  void release(Released& to) { to.instructions.push_back(int(instructions_.size()) - 1); }
  void release_copies(Released& to, int lane);
  /// Every lane of an instruction acquires; -1: of the last one.
  void acquire(const Released& from, int instruction = -1);
  int instruction() const { return int(instructions_.size()) - 1; }

  void sync_lanes(std::uint32_t lanes);
  void meet() { instructions_.back().meets = true; }
  void commit(std::uint32_t lanes);
  void wait_group(std::uint32_t lanes, std::size_t left);

  std::set<std::uint32_t> racy_bytes() const;

 private:
  static constexpr std::size_t most = 640;
  using Nodes = std::bitset<most>;
  struct Instruction {
    int warp;
    std::array<int, oracle_lanes> nodes;
    bool meets = false;
  };
  struct Accessed {
    Touch touch;
    int instruction, node;  ///< of a copy: its own
  };
  struct Lane {
    std::vector<int> copies;              ///< nodes, all
    std::vector<std::size_t> group_ends;  ///< number of copies when it was committed
  };
  int add_node(const Nodes& before);
  void put_before(int node, int later);
  bool ordered(const Accessed& earlier, const Accessed& later) const;
  bool race(const Accessed& earlier, const Accessed& later) const;

  std::vector<Instruction> instructions_;
  std::vector<Nodes> before_;
  std::vector<int> last_;  ///< instruction of each warp, or -1
  std::vector<std::array<Lane, oracle_lanes>> lanes_;
  std::vector<Accessed> accesses_;
};

}  // namespace twofour::emu::check::test
