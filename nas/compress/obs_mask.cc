#include "twofour/nas/compress/obs_mask.h"

#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using Eigen::Index;
using Eigen::MatrixXf;
using Eigen::VectorXf;

/// H = R R^T with R upper triangular: the Cholesky factor of H with rows and columns in reverse.
MatrixXf upper_factor(const MatrixXf& hessian) {
  const Eigen::LLT<MatrixXf> llt(hessian.reverse());
  if (llt.info() != Eigen::Success)
    fail("the moments of a layer's inputs are not positive definite; use more damping");
  return MatrixXf(llt.matrixL()).reverse();
}

/// What one group of columns needs, the same for every row. The error that a change d of the group's weights
/// adds, later columns compensating, is |Q^T d|^2 with Q the group's block of R.
struct GroupForms {
  struct Choice {
    MatrixXf cost;    ///< of pruned weights w: w^T cost w, the kept ones compensating
    MatrixXf answer;  ///< change of the kept weights: answer * w
  };
  std::vector<Choice> choices;
  Eigen::MatrixXf
      shift;  ///< from c = R(earlier, group)^T e(earlier) to the change that the earlier ones ask for
};

MatrixXf block(const MatrixXf& m, const std::vector<int>& rows, const std::vector<int>& columns) {
  return m(rows, columns);
}

GroupForms group_forms(const MatrixXf& r, Index first, const GroupChoices& choices) {
  const MatrixXf q = r.block(first, first, choices.width, choices.width);
  const MatrixXf h = q * q.transpose();
  GroupForms forms;
  forms.shift = q.transpose().inverse();
  for (std::size_t i = 0; i < choices.kept.size(); ++i) {
    const auto &kept = choices.kept[i], &pruned = choices.pruned[i];
    const MatrixXf kp = block(h, kept, pruned);
    const MatrixXf answer = -block(h, kept, kept).inverse() * kp;
    forms.choices.push_back({block(h, pruned, pruned) + kp.transpose() * answer, answer});
  }
  return forms;
}

constexpr Index block_rows = 16;

/// Some rows through all groups. error = w - w^ of the columns behind.
class RowBlock {
 public:
  RowBlock(const RowMatrix& weights, Index first_row, const MatrixXf& r, const GroupChoices& choices,
           Mask& mask)
      : weights_(weights),
        first_row_(first_row),
        r_(r),
        choices_(choices),
        mask_(mask),
        error_(RowMatrix::Zero(std::min(block_rows, weights.rows() - first_row), weights.cols())) {}

  void run(const std::vector<GroupForms>& forms) {
    for (std::size_t g = 0; g < forms.size(); ++g) {
      const Index at = Index(g) * choices_.width;
      const MatrixXf c = error_.leftCols(at) * r_.block(0, at, at, choices_.width);
      for (Index row = 0; row < error_.rows(); ++row) take_best(row, at, forms[g], c.row(row).transpose());
    }
  }

 private:
  void take_best(Index row, Index at, const GroupForms& forms, const VectorXf& c) {
    const VectorXf asked = forms.shift * c;
    const VectorXf w = weights_.row(first_row_ + row).segment(at, choices_.width).transpose() + asked;
    std::size_t best = 0;
    float least = INFINITY;
    for (std::size_t i = 0; i < forms.choices.size(); ++i) {
      const VectorXf p = w(choices_.pruned[i]);
      const float cost = p.dot(forms.choices[i].cost * p);
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    VectorXf change(choices_.width);
    const VectorXf p = w(choices_.pruned[best]);
    change(choices_.pruned[best]) = p;
    change(choices_.kept[best]) = forms.choices[best].answer * p;
    error_.row(row).segment(at, choices_.width) = (change - asked).transpose();
    for (const int column : choices_.kept[best]) mask_(first_row_ + row, at + column) = true;
  }

  const RowMatrix& weights_;
  Index first_row_;
  const MatrixXf& r_;
  const GroupChoices& choices_;
  Mask& mask_;
  RowMatrix error_;
};

}  // namespace

GroupChoices group_choices(isa::Sparsity form) {
  GroupChoices choices;
  choices.width = isa::group_columns(form);
  const int unit = form == isa::Sparsity::pairs_of_eight ? 2 : 1, units = choices.width / unit;
  for (int a = 0; a < units; ++a)
    for (int b = a + 1; b < (units == 2 ? a + 2 : units); ++b) {
      choices.kept.emplace_back();
      choices.pruned.emplace_back();
      for (int c = 0; c < choices.width; ++c) {
        const bool keep = c / unit == a || (units == 4 && c / unit == b);
        (keep ? choices.kept : choices.pruned).back().push_back(c);
      }
    }
  return choices;
}

Mask magnitude_masks(const RowMatrix& weights, isa::Sparsity form) {
  if (form == isa::Sparsity::dense) return Mask::Constant(weights.rows(), weights.cols(), true);
  const GroupChoices choices = group_choices(form);
  Mask mask = Mask::Constant(weights.rows(), weights.cols(), false);
  for (Index row = 0; row < weights.rows(); ++row)
    for (Index at = 0; at < weights.cols(); at += choices.width) {
      float most = -1;
      const std::vector<int>* best = nullptr;
      for (const auto& kept : choices.kept) {
        float sum = 0;
        for (const int c : kept) sum += std::abs(weights(row, at + c));
        if (sum > most) {
          most = sum;
          best = &kept;
        }
      }
      for (const int c : *best) mask(row, at + c) = true;
    }
  return mask;
}

Mask obs_masks(const RowMatrix& weights, const MatrixXf& hessian, isa::Sparsity form) {
  if (form == isa::Sparsity::dense) return Mask::Constant(weights.rows(), weights.cols(), true);
  const GroupChoices choices = group_choices(form);
  const MatrixXf r = upper_factor(hessian);
  std::vector<GroupForms> forms;
  for (Index at = 0; at < weights.cols(); at += choices.width) forms.push_back(group_forms(r, at, choices));
  Mask mask = Mask::Constant(weights.rows(), weights.cols(), false);
#pragma omp parallel for schedule(dynamic)
  for (Index first = 0; first < weights.rows(); first += block_rows)
    RowBlock(weights, first, r, choices, mask).run(forms);
  return mask;
}

}  // namespace twofour::nas
