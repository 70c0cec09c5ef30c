#include "twofour/nas/search/bucket_tree.h"

#include <algorithm>
#include <set>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

constexpr double max_entries = 1 << 22;  ///< of one bucket

/// The decisions that each decision meets in a factor.
std::vector<std::set<int>> neighbours(const FactorProblem& problem) {
  std::vector<std::set<int>> near(problem.cost.size());
  for (const LatencyFactor& f : problem.latency)
    for (const int a : f.decisions)
      for (const int b : f.decisions)
        if (a != b) near[std::size_t(a)].insert(b);
  return near;
}

double entries(const FactorProblem& problem, int decision, const std::set<int>& scope) {
  double n = problem.count(decision);
  for (const int d : scope) n *= problem.count(d);
  return n;
}

/// A table over decisions that has not been read yet.
struct Pending {
  bool message = false;
  int table = 0;
  std::vector<int> scope;
};

class TreeBuilder {
 public:
  TreeBuilder(const FactorProblem& problem, std::vector<Bucket>& buckets)
      : problem_(problem), buckets_(buckets), near_(neighbours(problem)), left_(problem.cost.size(), true) {
    for (int f = 0; f < int(problem.latency.size()); ++f)
      pending_.push_back({false, f, problem.latency[std::size_t(f)].decisions});
  }

  void build() {
    for (int i = 0; i < problem_.decisions(); ++i) eliminate(next());
    Bucket root;
    for (const Pending& p : pending_) add_input(root, p);
    buckets_.push_back(std::move(root));
  }

 private:
  int next() const {
    int best = -1;
    double least = 0;
    for (int d = 0; d < problem_.decisions(); ++d) {
      if (!left_[std::size_t(d)]) continue;
      const double n = entries(problem_, d, near_[std::size_t(d)]);
      if (best >= 0 && n >= least) continue;
      best = d;
      least = n;
    }
    if (least > max_entries)
      fail(
          "the decisions depend on each other too much to be decided exactly: {:.0f} combinations at once; "
          "tie fewer "
          "layers, or give fewer values",
          least);
    return best;
  }

  void eliminate(int decision) {
    auto& near = near_[std::size_t(decision)];
    Bucket bucket;
    bucket.decision = decision;
    bucket.values = problem_.count(decision);
    bucket.scope.assign(near.begin(), near.end());
    for (const int d : bucket.scope) bucket.rows *= std::uint32_t(problem_.count(d));
    for (const Pending& p : pending_)
      if (std::ranges::count(p.scope, decision) > 0) add_input(bucket, p);
    std::erase_if(pending_, [&](const Pending& p) { return std::ranges::count(p.scope, decision) > 0; });
    pending_.push_back({true, int(buckets_.size()), bucket.scope});
    for (const int a : near) {
      near_[std::size_t(a)].erase(decision);
      for (const int b : near)
        if (a != b) near_[std::size_t(a)].insert(b);
    }
    left_[std::size_t(decision)] = false;
    buckets_.push_back(std::move(bucket));
  }

  void add_input(Bucket& bucket, const Pending& pending) const {
    Bucket::Input input{pending.table, std::vector<std::uint32_t>(bucket.rows, 0), 0};
    std::uint32_t stride = 1;
    for (const int d : pending.scope) {
      if (d == bucket.decision)
        input.stride = stride;
      else
        add_offsets(bucket, d, stride, input.offset);
      stride *= std::uint32_t(problem_.count(d));
    }
    (pending.message ? bucket.messages : bucket.factors).push_back(std::move(input));
  }

  void add_offsets(const Bucket& bucket, int decision, std::uint32_t stride,
                   std::vector<std::uint32_t>& offset) const {
    std::uint32_t step = 1;
    for (const int d : bucket.scope) {
      if (d == decision) break;
      step *= std::uint32_t(problem_.count(d));
    }
    const auto count = std::uint32_t(problem_.count(decision));
    for (std::uint32_t row = 0; row < bucket.rows; ++row) offset[row] += row / step % count * stride;
  }

  const FactorProblem& problem_;
  std::vector<Bucket>& buckets_;
  std::vector<std::set<int>> near_;
  std::vector<bool> left_;
  std::vector<Pending> pending_;
};

}  // namespace

BucketTree::BucketTree(const FactorProblem& problem) {
  TreeBuilder(problem, buckets).build();
  for (const Bucket& b : buckets) {
    std::vector<std::int64_t> costs, latencies;
    for (std::uint32_t row = 0; row < b.rows; ++row)
      for (int v = 0; v < b.values; ++v) {
        std::int64_t sum = 0;
        for (const auto& in : b.factors)
          sum += problem.latency[std::size_t(in.table)].units[in.offset[row] + std::uint32_t(v) * in.stride];
        costs.push_back(b.decision < 0 ? 0 : problem.cost[std::size_t(b.decision)][std::size_t(v)]);
        latencies.push_back(sum);
      }
    cost.push_back(std::move(costs));
    latency.push_back(std::move(latencies));
  }
}

FactorChoice evaluate(const FactorProblem& problem, std::vector<int> value) {
  FactorChoice sums{std::move(value)};
  for (std::size_t d = 0; d < problem.cost.size(); ++d)
    sums.cost += problem.cost[d][std::size_t(sums.value[d])];
  for (const LatencyFactor& f : problem.latency) {
    std::size_t at = 0, stride = 1;
    for (const int d : f.decisions) {
      at += std::size_t(sums.value[std::size_t(d)]) * stride;
      stride *= std::size_t(problem.count(d));
    }
    sums.latency += f.units[at];
  }
  return sums;
}

}  // namespace twofour::nas
