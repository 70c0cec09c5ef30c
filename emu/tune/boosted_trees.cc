#include "twofour/emu/tune/boosted_trees.h"

#include <numeric>

namespace twofour::emu {
namespace {

/// Sum and number of the residuals of a bin of a leaf, or of several.
struct Moment {
  double sum = 0, count = 0;
  void operator+=(const Moment& other) {
    sum += other.sum;
    count += other.count;
  }
};

}  // namespace

BoostedTrees::Question BoostedTrees::best_question(const BinnedFeatures& features,
                                                   std::span<const std::size_t> rows,
                                                   std::span<const double> residuals,
                                                   std::span<const std::size_t> leaves,
                                                   std::size_t leaf_count) const {
  constexpr std::size_t bins = BinnedFeatures::bins;
  const auto score = [](const Moment& m) { return m.sum * m.sum / (m.count + shrinkage); };
  Question best;
  double most = -1;
  std::vector<Moment> histogram(leaf_count * bins);
  for (std::size_t column = 0; column < features.columns(); ++column) {
    std::fill(histogram.begin(), histogram.end(), Moment{});
    for (std::size_t i = 0; i < rows.size(); ++i)
      histogram[leaves[i] * bins + features.row(rows[i])[column]] += {residuals[i], 1};
    std::array<double, bins> gain{};
    for (std::size_t leaf = 0; leaf < leaf_count; ++leaf) {
      const std::span<const Moment> of_leaf(histogram.data() + leaf * bins, bins);
      Moment all, below;
      for (const Moment& m : of_leaf) all += m;
      if (all.count == 0) continue;
      for (std::size_t cut = 0; cut + 1 < bins; ++cut) {
        below += of_leaf[cut];
        gain[cut] += score(below) + score({all.sum - below.sum, all.count - below.count});
      }
    }
    for (std::size_t cut = 0; cut + 1 < bins; ++cut)
      if (gain[cut] > most) {
        most = gain[cut];
        best = {static_cast<std::uint16_t>(column), static_cast<std::uint8_t>(cut)};
      }
  }
  return best;
}

BoostedTrees::Tree BoostedTrees::grow(const BinnedFeatures& features, std::span<const std::size_t> rows,
                                      std::span<const double> residuals) const {
  Tree tree;
  std::vector<std::size_t> leaves(rows.size(), 0);
  for (std::size_t level = 0; level < depth; ++level) {
    const Question q = best_question(features, rows, residuals, leaves, std::size_t{1} << level);
    tree.questions[level] = q;
    for (std::size_t i = 0; i < rows.size(); ++i)
      leaves[i] = 2 * leaves[i] + (features.row(rows[i])[q.column] > q.cut);
  }
  std::vector<Moment> moments(tree.leaves.size());
  for (std::size_t i = 0; i < rows.size(); ++i) moments[leaves[i]] += {residuals[i], 1};
  for (std::size_t leaf = 0; leaf < moments.size(); ++leaf)
    tree.leaves[leaf] = rate * moments[leaf].sum / (moments[leaf].count + shrinkage);
  return tree;
}

BoostedTrees::BoostedTrees(const BinnedFeatures& features, std::span<const std::size_t> rows,
                           std::span<const double> targets, std::mt19937_64& random) {
  base_ = std::accumulate(targets.begin(), targets.end(), 0.0) / static_cast<double>(targets.size());
  std::vector<double> residuals(targets.begin(), targets.end());
  for (double& residual : residuals) residual -= base_;
  std::vector<std::size_t> some_rows;
  std::vector<double> some_residuals;
  for (std::size_t t = 0; t < trees; ++t) {
    some_rows.clear();
    some_residuals.clear();
    const std::size_t take = std::min(sample, rows.size());
    for (std::size_t i = 0; i < take; ++i) {
      const std::size_t at = rows.size() <= sample ? i : below(rows.size(), random);
      some_rows.push_back(rows[at]);
      some_residuals.push_back(residuals[at]);
    }
    const Tree& tree = trees_.emplace_back(grow(features, some_rows, some_residuals));
    for (std::size_t i = 0; i < rows.size(); ++i)
      residuals[i] -= tree.leaves[leaf_of(tree, features.row(rows[i]))];
  }
}

}  // namespace twofour::emu
