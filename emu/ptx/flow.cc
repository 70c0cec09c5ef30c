#include "twofour/emu/ptx/flow.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace twofour::emu::ptx {
namespace {

/// Basic blocks; the last one, without code, stands for the end of the function.
struct Graph {
  std::vector<int> first;  // position of each block
  std::vector<std::vector<int>> next, previous;
};

/// `all_ends`: else only the last of the branches that end the function leads to the end.
Graph blocks(int count, std::span<const Branch> branches, bool all_ends) {
  Graph g;
  std::vector<bool> starts(std::size_t(count) + 1);
  starts[0] = starts[std::size_t(count)] = true;
  for (const Branch& b : branches) {
    starts[std::size_t(b.at) + 1] = true;
    for (const int t : b.targets) starts[std::size_t(t)] = true;
  }
  std::vector<int> block_of(std::size_t(count) + 1);
  for (int i = 0; i <= count; ++i) {
    if (starts[std::size_t(i)]) g.first.push_back(i);
    block_of[std::size_t(i)] = int(g.first.size()) - 1;
  }
  const int end = int(g.first.size()) - 1;
  g.next.resize(g.first.size());
  g.previous.resize(g.first.size());
  const auto link = [&](int from, int to) {
    g.next[std::size_t(from)].push_back(to);
    g.previous[std::size_t(to)].push_back(from);
  };
  const auto ends = [](const Branch& b) { return b.targets.empty() && !b.falls_through; };
  const auto last_end = std::find_if(branches.rbegin(), branches.rend(), ends);
  std::size_t b = 0;
  for (int block = 0; block < end; ++block) {
    const int last = g.first[std::size_t(block) + 1] - 1;
    while (b < branches.size() && branches[b].at < last) ++b;
    if (b == branches.size() || branches[b].at != last) {
      link(block, block + 1);
      continue;
    }
    for (const int t : branches[b].targets) link(block, block_of[std::size_t(t)]);
    if (branches[b].falls_through) link(block, block + 1);
    if (ends(branches[b]) && (all_ends || &branches[b] == &*last_end)) link(block, end);
  }
  return g;
}

/// Immediate post-dominators after Lengauer and Tarjan, "A fast algorithm for finding dominators in a
/// flowgraph", with path compression only. Blocks are numbered by a walk backwards from the end, which is 0.
class PostDominators {
 public:
  explicit PostDominators(const Graph& g) : g_(g), number_(g.first.size(), -1) {
    walk();
    const std::size_t n = block_.size();
    semi_.resize(n);
    std::iota(semi_.begin(), semi_.end(), 0);
    best_ = semi_;
    above_.assign(n, -1);
    dominator_.assign(n, 0);
    waiting_.resize(n);
    for (int v = int(n) - 1; v > 0; --v) settle(v);
    for (std::size_t v = 1; v < n; ++v)
      if (dominator_[v] != semi_[v]) dominator_[v] = dominator_[std::size_t(dominator_[v])];
  }

  /// Of each block; -1 for those from which the end is not reached.
  std::vector<int> blocks() const {
    std::vector<int> out(number_.size(), -1);
    for (std::size_t v = 0; v < block_.size(); ++v)
      out[std::size_t(block_[v])] = block_[std::size_t(dominator_[v])];
    return out;
  }

 private:
  void walk() {
    std::vector<std::pair<int, std::size_t>> stack;
    const auto enter = [&](int block, int parent) {
      number_[std::size_t(block)] = int(block_.size());
      block_.push_back(block);
      parent_.push_back(parent);
      stack.push_back({block, 0});
    };
    enter(int(number_.size()) - 1, -1);
    while (!stack.empty()) {
      auto& [block, child] = stack.back();
      const auto& previous = g_.previous[std::size_t(block)];
      if (child == previous.size()) {
        stack.pop_back();
        continue;
      }
      const int p = previous[child++];
      if (number_[std::size_t(p)] < 0) enter(p, number_[std::size_t(block)]);
    }
  }

  void settle(int v) {
    int& semi = semi_[std::size_t(v)];
    for (const int next : g_.next[std::size_t(block_[std::size_t(v)])])
      if (const int n = number_[std::size_t(next)]; n >= 0)
        semi = std::min(semi, semi_[std::size_t(best(n))]);
    waiting_[std::size_t(semi)].push_back(v);
    const int parent = parent_[std::size_t(v)];
    above_[std::size_t(v)] = parent;
    for (const int w : std::exchange(waiting_[std::size_t(parent)], {})) {
      const int u = best(w);
      dominator_[std::size_t(w)] = semi_[std::size_t(u)] < semi_[std::size_t(w)] ? u : parent;
    }
  }

  /// The one with the least semi-dominator on the path from v up to, without, the root of its tree so far.
  int best(int v) {
    path_.clear();
    for (int u = v; above_[std::size_t(u)] >= 0; u = above_[std::size_t(u)]) path_.push_back(u);
    for (std::size_t k = path_.size(); k-- > 1;) {
      const auto up = std::size_t(path_[k]), down = std::size_t(path_[k - 1]);
      if (semi_[std::size_t(best_[up])] < semi_[std::size_t(best_[down])]) best_[down] = best_[up];
      above_[down] = above_[up];
    }
    return best_[std::size_t(v)];
  }

  const Graph& g_;
  std::vector<int> number_, block_, parent_, semi_, best_, above_, dominator_;
  std::vector<std::vector<int>> waiting_;  ///< for the dominator: by semi-dominator
  std::vector<int> path_;
};

std::vector<int> post_dominators(const Graph& g) {
  return PostDominators(g).blocks();
}

}  // namespace

std::vector<int> meeting_points(int count, std::span<const Branch> branches) {
  const Graph usual = blocks(count, branches, false), complete = blocks(count, branches, true);
  const std::vector<int> usual_parent = post_dominators(usual), complete_parent = post_dominators(complete);
  std::vector<int> out;
  for (const Branch& b : branches) {
    const auto block =
        std::size_t(std::upper_bound(usual.first.begin(), usual.first.end(), b.at) - usual.first.begin() - 1);
    const int meeting = usual_parent[block] >= 0 ? usual_parent[block] : complete_parent[block];
    const bool none = meeting < 0 || usual.first[std::size_t(meeting)] == count;
    out.push_back(none ? -1 : usual.first[std::size_t(meeting)]);
  }
  return out;
}

}  // namespace twofour::emu::ptx
