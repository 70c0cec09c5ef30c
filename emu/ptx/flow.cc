#include "twofour/emu/ptx/flow.h"

#include <algorithm>
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

/// Blocks from which the end is reached, each after all it leads to where there are no loops (the end first),
/// by a walk backwards without recursion.
std::vector<int> backward_order(const Graph& g) {
  std::vector<int> order;
  std::vector<char> seen(g.first.size());
  std::vector<std::pair<int, std::size_t>> stack{{int(g.first.size()) - 1, 0}};
  seen.back() = 1;
  while (!stack.empty()) {
    auto& [block, child] = stack.back();
    const auto& previous = g.previous[std::size_t(block)];
    if (child == previous.size()) {
      order.push_back(block);
      stack.pop_back();
      continue;
    }
    const int p = previous[child++];
    if (!std::exchange(seen[std::size_t(p)], char{1})) stack.push_back({p, 0});
  }
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<int> post_dominators(const Graph& g) {
  const std::vector<int> order = backward_order(g);
  std::vector<int> rank(g.first.size(), -1), parent(g.first.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) rank[std::size_t(order[i])] = int(i);
  const int end = int(g.first.size()) - 1;
  parent[std::size_t(end)] = end;
  const auto meet = [&](int a, int b) {
    while (a != b) {
      while (rank[std::size_t(a)] > rank[std::size_t(b)]) a = parent[std::size_t(a)];
      while (rank[std::size_t(b)] > rank[std::size_t(a)]) b = parent[std::size_t(b)];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const int block : order) {
      if (block == end) continue;
      int found = -1;
      for (const int n : g.next[std::size_t(block)])
        if (parent[std::size_t(n)] >= 0) found = found < 0 ? n : meet(n, found);
      if (found != parent[std::size_t(block)]) {
        parent[std::size_t(block)] = found;
        changed = true;
      }
    }
  }
  return parent;
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
