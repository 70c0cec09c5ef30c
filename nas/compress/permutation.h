#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "twofour/isa/instruction.h"

/// Channel permutation before pruning (Pool and Yu, "Channel Permutations for N:M Sparsity", NeurIPS 2021):
/// the order of the columns decides which weights share a group, hence how much magnitude the sparse form
/// keeps.
namespace twofour::nas {

/// Magnitudes, column after column. To permute the channels of a tensor, the weights of all sparse layers
/// that read it are stacked: a row for every (layer, o, r, s), a column for every input channel.
struct MagnitudeMatrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;  ///< not negative; columns x rows

  const float* column(std::int64_t c) const { return values.data() + c * rows; }
};

/// By place: which column of the original stands there.
using ColumnOrder = std::vector<int>;

/// Sum of the magnitudes that pruning keeps when the columns stand in that order: of each 4 consecutive the 2
/// largest (two_of_four), of each 2 the larger (one_of_two), of each 4 pairs the 2 with the largest sum
/// (pairs_of_eight). Throws Error unless the columns are whole groups and the order is a permutation.
double kept_magnitude(const MagnitudeMatrix& matrix, isa::Sparsity form, const ColumnOrder& order);

/// What the best half of every row adds up to: no order keeps more.
double kept_bound(const MagnitudeMatrix& matrix);

struct PermutationSettings {
  isa::Sparsity form = isa::Sparsity::two_of_four;
  /// Groups that are regrouped together, 2 or 3. Of 2:4 these are 35 and 5,775 regroupings; all windows of 3
  /// of S groups number S^3/6, which is for narrow matrices.
  int window = 2;
  int escapes = 100;  ///< perturbations after the search has converged
  std::uint64_t seed = 1;
  std::function<bool()> stop = {};  ///< may be empty; true: end with the best order so far
};

struct Permutation {
  ColumnOrder order;
  double kept_before = 0, kept_after = 0, bound = 0;
  std::int64_t windows = 0;  ///< windows whose regroupings were compared

  /// Part of the gap between the given order and the bound that was closed: 0 to 1.
  double efficacy() const {
    return bound > kept_before ? (kept_after - kept_before) / (bound - kept_before) : 0;
  }
};

/// Takes the best regrouping of every window of groups, applies those with the largest gain that share no
/// group, compares the windows that were touched again, until none gains; then swaps a few columns at random,
/// converges again, and keeps what is better. pairs_of_eight: the windows regroup pairs, and swap single
/// columns between pairs. The result depends on the settings alone, not on the number of threads. Errors as
/// kept_magnitude.
Permutation search_permutation(const MagnitudeMatrix& matrix, const PermutationSettings& settings);

}  // namespace twofour::nas
