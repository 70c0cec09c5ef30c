#pragma once
#include <random>

#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// Small spaces for tests that try every candidate.
struct RandomSpace {
  Space space;
  std::uint64_t salt = 0;  ///< of made_up_latency
  DecisionCosts costs;     ///< multiples of 1/64, few different ones, some negative
};

/// A network of a stem, up to three residual or plain blocks (some with a projection, some depthwise) and a
/// classifier, with two or three options a layer, some tied; with `shapes` kernels and widths too.
RandomSpace random_space(std::mt19937& random, bool shapes);

/// A latency that is a function of the layer's shape and option alone, without any order; 1 to 100 us.
emu::Latency made_up_latency(const Layer& layer, Option option, std::uint64_t salt);

/// By trying every candidate and forming every network; no code of the search or of SpaceLatency.
struct Tried {
  Candidate candidate;
  std::int64_t units = 0;  ///< latency in 2^-20 us
  double cost = 0;
};
std::vector<Tried> try_all(const RandomSpace& space);

}  // namespace twofour::nas
