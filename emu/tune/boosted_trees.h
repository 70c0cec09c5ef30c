#pragma once
#include <array>
#include <random>
#include <span>
#include <vector>

#include "twofour/emu/tune/features.h"

namespace twofour::emu {

/// Regression by gradient boosting of symmetric trees (Friedman, 2001; one question a level, as CatBoost's):
/// each tree asks `depth` questions "is this feature's bin above the cut" and adds what its leaf holds.
class BoostedTrees {
 public:
  /// Fits squared error. rows are schedules of the features, targets one number each.
  BoostedTrees(const BinnedFeatures& features, std::span<const std::size_t> rows,
               std::span<const double> targets, std::mt19937_64& random);

  double predict(const std::uint8_t* row) const {
    double sum = base_;
    for (const Tree& tree : trees_) sum += tree.leaves[leaf_of(tree, row)];
    return sum;
  }

 private:
  static constexpr std::size_t depth = 6, trees = 50, sample = 512;
  static constexpr double rate = 0.2, shrinkage = 1;  ///< of a step; of leaves with few rows

  struct Question {
    std::uint16_t column = 0;
    std::uint8_t cut = 0;
  };
  struct Tree {
    std::array<Question, depth> questions{};
    std::array<double, std::size_t{1} << depth> leaves{};
  };

  static std::size_t leaf_of(const Tree& tree, const std::uint8_t* row) {
    std::size_t leaf = 0;
    for (const Question& q : tree.questions) leaf = 2 * leaf + (row[q.column] > q.cut);
    return leaf;
  }
  Question best_question(const BinnedFeatures& features, std::span<const std::size_t> rows,
                         std::span<const double> residuals, std::span<const std::size_t> leaves,
                         std::size_t leaf_count) const;
  Tree grow(const BinnedFeatures& features, std::span<const std::size_t> rows,
            std::span<const double> residuals) const;

  double base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace twofour::emu
