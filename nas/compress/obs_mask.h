#pragma once
#include <Eigen/Dense>
#include <vector>

#include "twofour/isa/instruction.h"

namespace twofour::nas {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Mask = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  ///< true: kept

/// The kept units of a group, every choice once, lower ones first: {0,1}, {0,2}, .. of four; {0}, {1} of two.
struct GroupChoices {
  int width = 0;                               ///< columns of a group
  std::vector<std::vector<int>> kept, pruned;  ///< columns within the group, by choice
};
GroupChoices group_choices(isa::Sparsity form);

/// Keeps the units with the largest sum of magnitudes; ties keep the lower ones.
Mask magnitude_masks(const RowMatrix& weights, isa::Sparsity form);

/// One sweep over the groups: each row takes the choice that adds least to e^T H e, later columns being free
/// to compensate, earlier ones fixed. hessian: K x K, positive definite.
Mask obs_masks(const RowMatrix& weights, const Eigen::MatrixXf& hessian, isa::Sparsity form);

}  // namespace twofour::nas
