#pragma once
#include <vector>

#include "twofour/nas/search/bucket_tree.h"
#include "twofour/nas/search/decimal_grid.h"

namespace twofour::nas {

/// The least p * cost + q * latency, exactly, by elimination; p and q are below 2^54. With p and q the
/// Lagrangian relaxation of a budget: p * cost + q * (latency - budget) is a lower bound of p * (least cost
/// within it).
class WeightedSum {
 public:
  WeightedSum(const BucketTree& tree, Int128 p, Int128 q);

  Int128 p() const { return p_; }
  Int128 q() const { return q_; }
  /// A choice that has the least sum; of equal ones the lowest values, in the order of elimination.
  std::vector<int> choice(int decisions) const;
  /// The least sum of everything below a bucket, by row of its message.
  const std::vector<Int128>& below(std::size_t bucket) const { return below_[bucket]; }
  /// The least sum of everything else, by row of the bucket's message: call find_outside() first.
  const std::vector<Int128>& outside(std::size_t bucket) const { return outside_[bucket]; }
  void find_outside();

 private:
  Int128 at(std::size_t bucket, std::uint32_t row, int value) const;

  const BucketTree& tree_;
  Int128 p_, q_;
  std::vector<std::vector<Int128>> below_, outside_;
  std::vector<std::vector<int>> best_;  ///< by bucket and row
};

}  // namespace twofour::nas
