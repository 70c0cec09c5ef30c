#include "twofour/nas/search/hypervolume.h"

#include <gtest/gtest.h>

#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

TEST(ParetoFront, KeepsWhatNothingBeats) {
  //                                    0        1        2        3        4        5        6
  const std::vector<FrontPoint> points{{4, 1}, {1, 4}, {2, 2}, {3, 2}, {2, 3}, {2, 2}, {5, 1}};
  EXPECT_EQ(pareto_front(points), (std::vector<std::size_t>{1, 2, 0}));
  EXPECT_TRUE(pareto_front({}).empty());
}

TEST(Hypervolume, HandComputed) {
  // Against (5, 5): (1,4) covers 4 x 1; (2,2) adds 3 x 2; (4,1) adds 1 x 1.
  const std::vector<FrontPoint> points{{4, 1}, {1, 4}, {2, 2}, {3, 2}, {2, 3}};
  EXPECT_DOUBLE_EQ(hypervolume(points, {5, 5}), 11);
  // Against (3, 3): only (2,2) lies below in both.
  EXPECT_DOUBLE_EQ(hypervolume(points, {3, 3}), 1);
  EXPECT_DOUBLE_EQ(hypervolume(points, {1, 1}), 0);
  EXPECT_DOUBLE_EQ(hypervolume({}, {1, 1}), 0);
}

TEST(Hypervolume, AccuracyAsItsNegative) {
  // 0.9 at 10 us and 0.8 at 5 us against 0.5 at 20 us: 10 * 0.4 + 5 * 0.3.
  const std::vector<FrontPoint> points{{10, -0.9}, {5, -0.8}};
  EXPECT_NEAR(hypervolume(points, {20, -0.5}), 15 * 0.3 + 10 * 0.1, 1e-12);
}

TEST(Hypervolume, RefusesWhatIsNotANumber) {
  const std::vector<FrontPoint> points{{1, 1}, {1, std::nan("")}};
  EXPECT_THROW(hypervolume(points, {2, 2}), Error);
}

}  // namespace
}  // namespace twofour::nas
