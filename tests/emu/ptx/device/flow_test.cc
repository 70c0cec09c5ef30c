// Meeting points against the definition of immediate post-dominators.
#include "twofour/emu/ptx/flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace twofour::emu::ptx {
namespace {

using Set = std::uint32_t;  // of positions

/// Where each position leads to; the end is position `count`.
std::vector<Set> ways(int count, const std::vector<Branch>& branches, bool all_ends) {
  std::vector<Set> next(std::size_t(count) + 1);
  for (int i = 0; i < count; ++i) next[std::size_t(i)] = Set{2} << i;
  const auto ends = [](const Branch& b) { return b.targets.empty() && !b.falls_through; };
  const auto last = std::find_if(branches.rbegin(), branches.rend(), ends);
  for (const Branch& b : branches) {
    Set& to = next[std::size_t(b.at)];
    if (!b.falls_through) to = 0;
    for (const int t : b.targets) to |= Set{1} << t;
    if (ends(b) && (all_ends || &b == &*last)) to |= Set{1} << count;
  }
  return next;
}

/// The nearest position that every way from `at` to the end passes; -1 if there is no such way.
int post_dominator(int count, const std::vector<Set>& next, int at) {
  const Set all = (Set{2} << count) - 1;
  std::vector<Set> passed(std::size_t(count) + 1, all);
  Set arrives = Set{1} << count;
  passed[std::size_t(count)] = Set{1} << count;
  for (int round = 0; round <= 2 * count; ++round)
    for (int i = count - 1; i >= 0; --i) {
      Set common = all;
      for (int t = 0; t <= count; ++t)
        if ((next[std::size_t(i)] & arrives) >> t & 1) {
          arrives |= Set{1} << i;
          common &= passed[std::size_t(t)];
        }
      passed[std::size_t(i)] = common | Set{1} << i;
    }
  if ((arrives >> at & 1) == 0) return -1;
  const Set others = passed[std::size_t(at)] & ~(Set{1} << at);
  for (int d = 0; d <= count; ++d)
    if ((others >> d & 1) != 0 && passed[std::size_t(d)] == others) return d;
  return -1;
}

TEST(PtxFlow, MeetingPointsAreImmediatePostDominators) {
  std::mt19937 random(7);
  const auto below = [&](int n) { return int(random() % unsigned(n)); };
  for (int trial = 0; trial < 3000; ++trial) {
    const int count = 1 + below(14);
    std::vector<Branch> branches;
    for (int i = 0; i < count; ++i) {
      if (below(2) == 0) continue;
      Branch b{i, {}, below(2) == 0};
      for (int k = below(4); k > 0; --k) b.targets.push_back(below(count + 1));
      branches.push_back(b);
    }
    const auto usual = ways(count, branches, false), complete = ways(count, branches, true);
    const auto meetings = meeting_points(count, branches);
    ASSERT_EQ(meetings.size(), branches.size());
    for (std::size_t k = 0; k < branches.size(); ++k) {
      int expected = post_dominator(count, usual, branches[k].at);
      if (expected < 0) expected = post_dominator(count, complete, branches[k].at);
      ASSERT_EQ(meetings[k], expected == count ? -1 : expected) << "trial " << trial << ", branch " << k;
    }
  }
}

}  // namespace
}  // namespace twofour::emu::ptx
