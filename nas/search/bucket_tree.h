#pragma once
#include <cstdint>
#include <vector>

#include "twofour/nas/search/factors.h"

namespace twofour::nas {

/// Variable elimination (Dechter, "Bucket elimination", Artificial Intelligence 113, 1999): decisions leave
/// one after the other, the one first that couples the fewest values of others. A bucket gathers what depends
/// on its decision and hands a message on: a table over `scope`, the decisions that are still there and met
/// in the bucket. What a row's best value is depends on nothing else.
struct Bucket {
  /// A table that the bucket reads: where its entry lies for row r and value v: offset[r] + v * stride.
  struct Input {
    int table = 0;  ///< latency factor, or bucket whose message it is
    std::vector<std::uint32_t> offset;
    std::uint32_t stride = 0;
  };

  int decision = -1;  ///< -1: the root, which reads the messages without scope
  int values = 1;
  std::vector<int> scope;  ///< the first one's values run fastest
  std::uint32_t rows = 1;  ///< of the message: all values of the scope
  std::vector<Input> factors, messages;
};

/// Buckets in the order of elimination; the last one is the root. Every message is read once, by a later
/// bucket.
struct BucketTree {
  explicit BucketTree(const FactorProblem& problem);

  std::vector<Bucket> buckets;
  /// Cost and latency of the bucket's own factors, by row * values + value.
  std::vector<std::vector<std::int64_t>> cost, latency;
};

}  // namespace twofour::nas
