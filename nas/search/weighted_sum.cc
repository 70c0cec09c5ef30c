#include "twofour/nas/search/weighted_sum.h"

#include <algorithm>

namespace twofour::nas {

WeightedSum::WeightedSum(const BucketTree& tree, Int128 p, Int128 q)
    : tree_(tree), p_(p), q_(q), below_(tree.buckets.size()), best_(tree.buckets.size()) {
  for (std::size_t b = 0; b < tree.buckets.size(); ++b) {
    const Bucket& bucket = tree.buckets[b];
    for (std::uint32_t row = 0; row < bucket.rows; ++row) {
      Int128 least = at(b, row, 0);
      int best = 0;
      for (int v = 1; v < bucket.values; ++v)
        if (const Int128 sum = at(b, row, v); sum < least) {
          least = sum;
          best = v;
        }
      below_[b].push_back(least);
      best_[b].push_back(best);
    }
  }
}

/// Sum of a bucket's own factors and the messages that it reads.
Int128 WeightedSum::at(std::size_t bucket, std::uint32_t row, int value) const {
  const Bucket& b = tree_.buckets[bucket];
  const std::size_t own = std::size_t(row) * std::size_t(b.values) + std::size_t(value);
  Int128 sum = p_ * tree_.cost[bucket][own] + q_ * tree_.latency[bucket][own];
  for (const auto& in : b.messages)
    sum += below_[std::size_t(in.table)][in.offset[row] + std::uint32_t(value) * in.stride];
  return sum;
}

std::vector<int> WeightedSum::choice(int decisions) const {
  std::vector<int> value(std::size_t(decisions), 0);
  std::vector<std::uint32_t> row(tree_.buckets.size(), 0);
  for (std::size_t b = tree_.buckets.size(); b-- > 0;) {
    const Bucket& bucket = tree_.buckets[b];
    const int v = best_[b][row[b]];
    if (bucket.decision >= 0) value[std::size_t(bucket.decision)] = v;
    for (const auto& in : bucket.messages)
      row[std::size_t(in.table)] = in.offset[row[b]] + std::uint32_t(v) * in.stride;
  }
  return value;
}

void WeightedSum::find_outside() {
  constexpr Int128 none = Int128(1) << 126;
  outside_.resize(tree_.buckets.size());
  for (std::size_t b = 0; b < outside_.size(); ++b) outside_[b].assign(tree_.buckets[b].rows, none);
  outside_.back() = {0};
  for (std::size_t b = tree_.buckets.size(); b-- > 0;) {
    const Bucket& bucket = tree_.buckets[b];
    for (std::uint32_t row = 0; row < bucket.rows; ++row)
      for (int v = 0; v < bucket.values; ++v) {
        const Int128 sum = outside_[b][row] + at(b, row, v);
        for (const auto& in : bucket.messages) {
          const std::size_t entry = in.offset[row] + std::uint32_t(v) * in.stride;
          Int128& least = outside_[std::size_t(in.table)][entry];
          least = std::min(least, sum - below_[std::size_t(in.table)][entry]);
        }
      }
  }
}

}  // namespace twofour::nas
