#include "twofour/nas/search/pareto_pass.h"

#include <algorithm>
#include <span>

namespace twofour::nas {
namespace {

constexpr std::uint32_t leaf = std::uint32_t(1) << 31;  ///< bit of a decision in Node::left
constexpr std::size_t buffer_size = 1 << 20;            ///< sums that wait for dominance

/// How a partial choice came about: two others together, or a decision (| leaf) and its value.
struct Node {
  std::uint32_t left = 0, right = 0;
};

/// A partial choice.
struct Partial {
  std::int64_t latency = 0, cost = 0;
  Node from;
};
struct Entry {
  std::int64_t latency = 0, cost = 0;
  std::uint32_t node = 0;
};
using Set = std::vector<Entry>;  ///< latency rises, cost falls

/// Keeps what nothing beats or equals in both, latency rising.
void keep_undominated(std::vector<Partial>& list) {
  std::ranges::stable_sort(list, [](const Partial& a, const Partial& b) {
    return a.latency != b.latency ? a.latency < b.latency : a.cost < b.cost;
  });
  std::size_t kept = 0;
  for (const Partial& p : list)
    if (kept == 0 || p.cost < list[kept - 1].cost) list[kept++] = p;
  list.resize(kept);
}

/// Whether a partial choice can still lead to one within the budget and not above the best known, where the
/// rest sums up to at least `rest` in each weighted sum.
class Test {
 public:
  Test(const PassBounds& bounds, std::vector<Int128> rest) : bounds_(bounds), rest_(std::move(rest)) {
    for (std::size_t k = 0; k < rest_.size(); ++k) {
      const WeightedSum& w = *bounds.sums[k];
      limit_.push_back(w.p() * bounds.cost + w.q() * bounds.budget - rest_[k]);
    }
  }
  bool passes(std::int64_t latency, std::int64_t cost) const {
    for (std::size_t k = 0; k < limit_.size(); ++k)
      if (bounds_.sums[k]->p() * cost + bounds_.sums[k]->q() * latency > limit_[k]) return false;
    return true;
  }
  /// The least cost of a choice that it leads to.
  long double bound(const Partial& x) const {
    long double best = 0;
    for (std::size_t k = 0; k < rest_.size(); ++k) {
      const Int128 p = bounds_.sums[k]->p(), q = bounds_.sums[k]->q();
      if (p == 0) continue;
      const Int128 sum = p * x.cost + q * (Int128(x.latency) - bounds_.budget) + rest_[k];
      best = std::max(best, static_cast<long double>(sum) / static_cast<long double>(p));
    }
    return best;
  }

 private:
  const PassBounds& bounds_;
  std::vector<Int128> rest_, limit_;
};

class Pass {
 public:
  Pass(const FactorProblem& problem, const BucketTree& tree, const PassBounds& bounds, std::size_t width,
       const EliminationLimits& limits)
      : problem_(problem), tree_(tree), bounds_(bounds), width_(width), limits_(limits) {}

  PassResult run() {
    messages_.resize(tree_.buckets.size());
    for (std::size_t b = 0; b < tree_.buckets.size() && result_.within_limits; ++b) {
      messages_[b].resize(tree_.buckets[b].rows);
      for (std::uint32_t row = 0; row < tree_.buckets[b].rows && result_.within_limits; ++row) fill(b, row);
      for (const auto& in : tree_.buckets[b].messages) messages_[std::size_t(in.table)] = {};
    }
    if (result_.within_limits && !messages_.back().empty() && !messages_.back()[0].empty())
      result_.choice = trace(messages_.back()[0].back().node);
    return std::move(result_);
  }

 private:
  /// The set of one row of a bucket's message: over all values of its decision.
  void fill(std::size_t b, std::uint32_t row) {
    std::vector<Partial> all;
    for (int v = 0; v < tree_.buckets[b].values && result_.within_limits; ++v) add_value(b, row, v, all);
    keep_undominated(all);
    narrow(all, Test(bounds_, rests(b, row, 0, tree_.buckets[b].messages.size())));
    messages_[b][row] = store(all);
  }

  /// Appends the partial choices in which the bucket's decision takes the value.
  void add_value(std::size_t b, std::uint32_t row, int value, std::vector<Partial>& all) {
    const Bucket& bucket = tree_.buckets[b];
    const std::size_t own = std::size_t(row) * std::size_t(bucket.values) + std::size_t(value);
    std::vector<Partial> found{{tree_.latency[b][own],
                                tree_.cost[b][own],
                                {leaf | std::uint32_t(bucket.decision & 0x7fffffff), std::uint32_t(value)}}};
    for (std::size_t m = 0; m <= bucket.messages.size() && !found.empty(); ++m) {
      const Test test(bounds_, rests(b, row, value, m));
      if (m == 0) {
        if (!test.passes(found[0].latency, found[0].cost)) return;
        continue;
      }
      const auto& in = bucket.messages[m - 1];
      found = combine(
          found, messages_[std::size_t(in.table)][in.offset[row] + std::uint32_t(value) * in.stride], test);
      narrow(found, test);
    }
    all.insert(all.end(), found.begin(), found.end());
  }

  /// What is outside of the bucket's first `done` messages sums up to at least, by weighted sum.
  std::vector<Int128> rests(std::size_t b, std::uint32_t row, int value, std::size_t done) const {
    const Bucket& bucket = tree_.buckets[b];
    std::vector<Int128> rest;
    for (const WeightedSum* w : bounds_.sums) {
      Int128 sum = w->outside(b)[row];
      for (std::size_t m = done; m < bucket.messages.size(); ++m) {
        const auto& in = bucket.messages[m];
        sum += w->below(std::size_t(in.table))[in.offset[row] + std::uint32_t(value) * in.stride];
      }
      rest.push_back(sum);
    }
    return rest;
  }

  /// Every pair that passes and that no other beats.
  std::vector<Partial> combine(const std::vector<Partial>& list, const Set& set, const Test& test) {
    std::vector<Partial> sums;
    for (const Entry& a : store(list)) {
      result_.within_limits &= (sums_ += std::int64_t(set.size())) <= limits_.sums;
      if (!result_.within_limits) return {};
      for (const Entry& b : set)
        if (test.passes(a.latency + b.latency, a.cost + b.cost))
          sums.push_back({a.latency + b.latency, a.cost + b.cost, {a.node, b.node}});
      if (sums.size() > std::max(buffer_size, 2 * kept_)) {
        keep_undominated(sums);
        kept_ = sums.size();
      }
    }
    kept_ = 0;
    keep_undominated(sums);
    return sums;
  }

  /// Leaves the `width` of least bound, in their order.
  void narrow(std::vector<Partial>& list, const Test& test) {
    if (list.size() <= width_) return;
    std::vector<long double> bounds;
    for (const Partial& p : list) bounds.push_back(test.bound(p));
    std::vector<long double> sorted = bounds;
    std::ranges::nth_element(sorted, sorted.begin() + std::ptrdiff_t(width_ - 1));
    const long double limit = sorted[width_ - 1];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (bounds[i] <= limit && kept < width_)
        list[kept++] = list[i];
      else
        result_.dropped = std::min(result_.dropped, bounds[i]);
    list.resize(kept);
  }

  Set store(const std::vector<Partial>& list) {
    Set set;
    result_.within_limits &= std::int64_t(nodes_.size() + list.size()) <= limits_.states;
    if (!result_.within_limits) return set;
    for (const Partial& p : list) {
      set.push_back({p.latency, p.cost, std::uint32_t(nodes_.size())});
      nodes_.push_back(p.from);
    }
    return set;
  }

  std::vector<int> trace(std::uint32_t root) const {
    std::vector<int> value(std::size_t(problem_.decisions()), 0);
    std::vector<std::uint32_t> open{root};
    while (!open.empty()) {
      const Node node = nodes_[open.back()];
      open.pop_back();
      if (node.left & leaf) {
        const std::uint32_t decision = node.left & ~leaf;
        if (decision < value.size()) value[decision] = int(node.right);
      } else {
        open.push_back(node.left);
        open.push_back(node.right);
      }
    }
    return value;
  }

  const FactorProblem& problem_;
  const BucketTree& tree_;
  const PassBounds& bounds_;
  std::size_t width_;
  const EliminationLimits& limits_;
  std::vector<std::vector<Set>> messages_;  ///< by bucket and row
  std::vector<Node> nodes_;
  std::int64_t sums_ = 0;
  std::size_t kept_ = 0;
  PassResult result_;
};

}  // namespace

PassResult run_pass(const FactorProblem& problem, const BucketTree& tree, const PassBounds& bounds,
                    std::size_t width, const EliminationLimits& limits) {
  return Pass(problem, tree, bounds, width, limits).run();
}

}  // namespace twofour::nas
