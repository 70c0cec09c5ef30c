#pragma once
// What an instruction does to "was it ever set", as initcheck sees it. Private to emu/check.
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::check {

enum class InitRule : std::uint8_t {
  unknown,         ///< not looked at yet
  plain,           ///< in each lane the results are set if all sources are
  collective,      ///< the results are set if the sources are in all lanes: vote, match, redux
  shuffle,         ///< from the source lane
  select,          ///< from what selp chooses
  logic,           ///< and, or: a set operand may decide alone
  compare,         ///< setp with a boolean operation: its predicate may decide alone
  load,            ///< ld
  store,           ///< st
  atomic,          ///< atom, red
  exchange,        ///< atom.exch: what was there does not matter
  barrier_word,    ///< mbarrier
  copy,            ///< cp.async
  load_matrix,     ///< ldmatrix
  transpose,       ///< movmatrix
  load_fragment,   ///< wmma.load
  store_fragment,  ///< wmma.store
  multiply,        ///< mma, mma.sp, wmma.mma
  jump,            ///< bra, brx, ret, exit, barriers: the sources decide
  call             ///< a new frame
};

/// An instruction by numbers of registers.
struct InitPlan {
  InitRule rule = InitRule::unknown;
  bool decides = false;  ///< an unset guard is a mistake at once: control flow, memory, matrices
  int guard = -1;
  std::vector<int> sources;    ///< but guard and addresses
  std::vector<int> addresses;  ///< bases of addresses
  std::vector<int> results;
  std::vector<int> elements;  ///< of a vector that is loaded or stored; -1: not a register
};

InitPlan init_plan(const ptx::Site& site);

/// The plans of a launch, made when they are asked for.
class InitPlans {
 public:
  /// One a position of the code; those not looked at yet are `unknown`.
  std::vector<InitPlan>& of(const ptx::Function& function) {
    std::vector<InitPlan>& plans = plans_[&function];
    plans.resize(function.code.size());
    return plans;
  }

 private:
  std::unordered_map<const ptx::Function*, std::vector<InitPlan>> plans_;
};

}  // namespace twofour::emu::check
