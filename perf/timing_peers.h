#pragma once
#include <array>
#include <memory>
#include <vector>

#include "twofour/emu/timing/measurements.h"

namespace twofour::perf {

/// What else predicts a GEMM's time: the mechanistic model is printed beside these. Times in microseconds.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual const char* name() const = 0;
  virtual double predict(const emu::GemmProblem& problem) const = 0;
};

/// Launch, and the larger of the multiply-adds at peak and the bytes at the measured DRAM bandwidth.
std::unique_ptr<Peer> roofline(const isa::Machine& machine);

/// Mean of log time over the 5 nearest training rows in (log M, log N, log K), weighted by 1 / distance.
std::unique_ptr<Peer> nearest_neighbours(const std::vector<emu::Measurement>& training);

/// 400 regression trees of depth 6 on the squared error of log time, shrinkage 0.1, histograms of 64 bins.
std::unique_ptr<Peer> boosted_trees(const std::vector<emu::Measurement>& training);

}  // namespace twofour::perf
