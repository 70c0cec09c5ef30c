#pragma once
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// One GEMM that was measured twice: with a 2:4 sparse A and with a dense one.
struct SparsePair {
  GemmProblem dense;  ///< launch: stream
  double sparse_us, dense_us;
  bool held_out;  ///< its shape was never seen by a fit
  int line;

  double speedup() const { return dense_us / sparse_us; }
};

/// Rows of a file with columns M, N, K, dtype, sparse_us and dense_us (data/timing/rtx3090_sparse_pairs.csv).
/// Held out by a hash of the shape, 4 of 10: repeats of a shape stay on one side.
std::vector<SparsePair> load_sparse_pairs(const std::string& path);

/// What the model says of a pair.
struct PairPrediction {
  Latency sparse, dense;
  double speedup() const { return dense.microseconds / sparse.microseconds; }
};
PairPrediction predict_pair(const SparsePair& pair, const isa::Machine& machine,
                            const TimingConstants& constants = fitted_constants);

}  // namespace twofour::emu
