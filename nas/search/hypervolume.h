#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace twofour::nas {

/// A network as a point of two things to keep low: latency, and loss. For an accuracy give its negative, or 1
/// - accuracy.
struct FrontPoint {
  double latency = 0, loss = 0;
};

/// Indices of the points that no other point beats (one no worse in both and better in one), by rising
/// latency; of equal points the first. Throws Error for a point that is not a number.
std::vector<std::size_t> pareto_front(std::span<const FrontPoint> points);

/// The area that the points dominate below and left of the reference point (Zitzler and Thiele, 1998). Points
/// that do not lie below the reference in both add nothing. Throws Error as pareto_front.
double hypervolume(std::span<const FrontPoint> points, FrontPoint reference);

}  // namespace twofour::nas
