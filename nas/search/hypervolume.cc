#include "twofour/nas/search/hypervolume.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "twofour/isa/error.h"

namespace twofour::nas {

std::vector<std::size_t> pareto_front(std::span<const FrontPoint> points) {
  for (std::size_t i = 0; i < points.size(); ++i)
    if (std::isnan(points[i].latency) || std::isnan(points[i].loss))
      fail("point {} of a front has a value that is not a number; leave it out", i);
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return points[a].latency != points[b].latency ? points[a].latency < points[b].latency
                                                  : points[a].loss < points[b].loss;
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order)
    if (front.empty() || points[i].loss < points[front.back()].loss) front.push_back(i);
  return front;
}

double hypervolume(std::span<const FrontPoint> points, FrontPoint reference) {
  double area = 0, floor = reference.loss;
  for (const std::size_t i : pareto_front(points)) {
    const FrontPoint& p = points[i];
    if (p.latency >= reference.latency || p.loss >= floor) continue;
    area += (reference.latency - p.latency) * (floor - p.loss);
    floor = p.loss;
  }
  return area;
}

}  // namespace twofour::nas
