#include "timing_peers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace twofour::perf {
namespace {

using emu::GemmProblem;

class Roofline : public Peer {
 public:
  explicit Roofline(const isa::Machine& machine) : machine_(machine) {}
  const char* name() const override { return "roofline"; }
  double predict(const GemmProblem& p) const override {
    const auto l = emu::gemm_latency(p, machine_);
    return machine_.launch_graph_us + std::max(l.tensor_floor_us, l.dram_floor_us);
  }

 private:
  isa::Machine machine_;
};

class Neighbours : public Peer {
 public:
  explicit Neighbours(const std::vector<emu::Measurement>& training) {
    for (const auto& m : training) rows_.push_back({place(m.problem), std::log(m.microseconds)});
  }
  const char* name() const override { return "5 neighbours"; }
  double predict(const GemmProblem& p) const override {
    constexpr std::size_t count = 5;
    const auto at = place(p);
    std::vector<std::pair<double, double>> near;  // squared distance, log time
    near.reserve(rows_.size());
    for (const auto& [x, y] : rows_) {
      double distance = 0;
      for (std::size_t i = 0; i < 3; ++i) distance += (x[i] - at[i]) * (x[i] - at[i]);
      near.emplace_back(distance, y);
    }
    std::partial_sort(near.begin(), near.begin() + count, near.end());
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double weight = 1 / (std::sqrt(near[i].first) + 1e-3);
      sum += weight * near[i].second;
      weights += weight;
    }
    return std::exp(sum / weights);
  }

 private:
  using Place = std::array<double, 3>;
  static Place place(const GemmProblem& p) {
    return {std::log2(double(p.m)), std::log2(double(p.n)), std::log2(double(p.k))};
  }
  std::vector<std::pair<Place, double>> rows_;
};

constexpr std::size_t features = 10, bins = 64, depth = 6, trees = 400;
constexpr double shrinkage = 0.1, least_rows = 8;
using Row = std::array<double, features>;

Row features_of(const GemmProblem& p) {
  const double m = double(p.m), n = double(p.n), k = double(p.k);
  const auto waves = [&](double tm, double tn) { return std::ceil(m / tm) * std::ceil(n / tn) / 108; };
  return {std::log2(m),     std::log2(n),    std::log2(k),    std::log2(m * n),           std::log2(m * k),
          std::log2(n * k), std::fmod(m, 8), waves(128, 256), std::ceil(waves(256, 128)), waves(64, 64)};
}

/// A complete binary tree: 2^depth - 1 splits in breadth order, then its leaves.
struct Tree {
  std::array<std::uint8_t, 1u << depth> feature{}, bin{};
  std::array<double, 1u << depth> leaf{};
};

class Boosted : public Peer {
 public:
  explicit Boosted(const std::vector<emu::Measurement>& training) {
    const auto n = training.size();
    std::vector<Row> rows(n);
    std::vector<double> left(n);
    for (std::size_t i = 0; i < n; ++i) {
      rows[i] = features_of(training[i].problem);
      left[i] = std::log(training[i].microseconds);
    }
    for (std::size_t f = 0; f < features; ++f) cut(f, rows);
    base_ = std::accumulate(left.begin(), left.end(), 0.0) / static_cast<double>(n);
    std::vector<Bins> binned(n);
    for (std::size_t i = 0; i < n; ++i) {
      binned[i] = bin(rows[i]);
      left[i] -= base_;
    }
    for (std::size_t t = 0; t < trees; ++t) grow(binned, left);
  }
  const char* name() const override { return "boosted trees"; }
  double predict(const GemmProblem& p) const override {
    const auto b = bin(features_of(p));
    double sum = base_;
    for (const auto& tree : trees_) sum += shrinkage * tree.leaf[leaf_of(tree, b)];
    return std::exp(sum);
  }

 private:
  using Bins = std::array<std::uint8_t, features>;

  void cut(std::size_t f, const std::vector<Row>& rows) {
    std::vector<double> values;
    for (const auto& row : rows) values.push_back(row[f]);
    std::sort(values.begin(), values.end());
    for (std::size_t b = 1; b < bins; ++b) cuts_[f][b - 1] = values[b * (values.size() - 1) / bins];
  }
  Bins bin(const Row& row) const {
    Bins b;
    for (std::size_t f = 0; f < features; ++f)
      b[f] = static_cast<std::uint8_t>(std::lower_bound(cuts_[f].begin(), cuts_[f].end(), row[f]) -
                                       cuts_[f].begin());
    return b;
  }
  static std::size_t leaf_of(const Tree& tree, const Bins& b, std::size_t levels = depth) {
    std::size_t node = 0;
    for (std::size_t d = 0; d < levels; ++d) node = 2 * node + 1 + (b[tree.feature[node]] > tree.bin[node]);
    return node - ((1u << levels) - 1);
  }
  struct Sum {
    double sum = 0, count = 0;
    double gain() const { return count > 0 ? sum * sum / (count + 1) : 0; }
  };

  void grow(const std::vector<Bins>& rows, std::vector<double>& left) {
    Tree tree;
    std::vector<std::array<std::array<Sum, bins>, features>> histogram;
    for (std::size_t level = 0; level < depth; ++level) {
      const std::size_t nodes = 1u << level;
      histogram.assign(nodes, {});
      for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& h = histogram[leaf_of(tree, rows[i], level)];
        for (std::size_t f = 0; f < features; ++f) {
          auto& sum = h[f][rows[i][f]];
          sum.sum += left[i];
          ++sum.count;
        }
      }
      for (std::size_t node = 0; node < nodes; ++node) split(tree, nodes - 1 + node, histogram[node]);
    }
    std::array<Sum, 1u << depth> leaves{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& leaf = leaves[leaf_of(tree, rows[i])];
      leaf.sum += left[i];
      ++leaf.count;
    }
    for (std::size_t l = 0; l < leaves.size(); ++l) tree.leaf[l] = leaves[l].sum / (leaves[l].count + 1);
    for (std::size_t i = 0; i < rows.size(); ++i) left[i] -= shrinkage * tree.leaf[leaf_of(tree, rows[i])];
    trees_.push_back(tree);
  }

  /// The split of largest gain; without one, every row goes left.
  static void split(Tree& tree, std::size_t node, const std::array<std::array<Sum, bins>, features>& h) {
    tree.bin[node] = bins;
    double best = 0;
    for (std::size_t f = 0; f < features; ++f) {
      Sum all, low;
      for (const auto& s : h[f]) all.sum += s.sum, all.count += s.count;
      for (std::size_t b = 0; b + 1 < bins; ++b) {
        low.sum += h[f][b].sum;
        low.count += h[f][b].count;
        const Sum high{all.sum - low.sum, all.count - low.count};
        if (low.count < least_rows || high.count < least_rows) continue;
        const double gain = low.gain() + high.gain() - all.gain();
        if (gain <= best) continue;
        best = gain;
        tree.feature[node] = static_cast<std::uint8_t>(f);
        tree.bin[node] = static_cast<std::uint8_t>(b);
      }
    }
  }

  std::array<std::array<double, bins - 1>, features> cuts_{};
  double base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace

std::unique_ptr<Peer> roofline(const isa::Machine& machine) {
  return std::make_unique<Roofline>(machine);
}
std::unique_ptr<Peer> nearest_neighbours(const std::vector<emu::Measurement>& training) {
  return std::make_unique<Neighbours>(training);
}
std::unique_ptr<Peer> boosted_trees(const std::vector<emu::Measurement>& training) {
  return std::make_unique<Boosted>(training);
}

}  // namespace twofour::perf
