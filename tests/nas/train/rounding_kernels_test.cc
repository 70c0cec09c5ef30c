#include "twofour/nas/train/rounding_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "twofour/nas/train/quantise.h"

namespace twofour::nas {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Values on both sides of half codes, outside the range, zeros of both signs and infinities, then random
/// ones.
std::vector<float> adversarial(float step, float low, float high, std::size_t count) {
  std::vector<float> values{0.0f, -0.0f, infinity, -infinity, 3e38f, -3e38f, 1e-45f};
  for (float code = low - 1; code <= high + 1; ++code)
    for (float v : {(code + 0.5f) * step, code * step})
      for (float x : {std::nextafter(v, -infinity), v, std::nextafter(v, infinity)}) values.push_back(x);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(1.5f * low - 1, 1.5f * high);
  while (values.size() < count) values.push_back(uniform(random) * step);
  values.resize(count);
  return values;
}

std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

/// The order in which sums are documented to be taken: sixteen partial sums, element i to the i % 16th.
template <class T>
double lane_sum(const std::vector<T>& terms) {
  T partial[16] = {};
  for (std::size_t i = 0; i < terms.size(); ++i) partial[i % 16] += terms[i];
  double sum = 0;
  for (T p : partial) sum += double(p);
  return sum;
}

/// Round by the textbook: floor first, then clamp.
float nearest(float v, float low, float high) {
  return std::min(std::max(std::floor(v + 0.5f), low), high);
}

TEST(RoundActivations, IsCodeTimesStepForEveryBitWidth) {
  for (int bits = 1; bits <= 8; ++bits)
    for (float step : {0.5f, 0.1f, 3.7f}) {
      const float levels = float((1 << bits) - 1);
      const auto x = adversarial(step, 0, levels, 2003);
      std::vector<float> y(x.size(), -1.0f);
      round_activations(x.data(), std::int64_t(x.size()), step, levels, y.data());
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(y[i], activation_code(x[i], 1 / step, levels) * step) << bits << " " << step << " " << x[i];
    }
}

TEST(RoundActivations, NanStaysNan) {
  std::vector<float> x(37, 1.0f), y(37);
  x[3] = x[36] = NAN;
  round_activations(x.data(), 37, 0.5f, 15, y.data());
  for (std::size_t i = 0; i < 37; ++i) EXPECT_EQ(std::isnan(y[i]), i == 3 || i == 36) << i;
}

TEST(ActivationGradients, FollowTheDefinitionBitForBit) {
  for (std::size_t n : {1u, 16u, 255u, 256u, 257u, 2003u}) {
    const float step = 0.1f, levels = 15, inverse = 1 / step;
    auto x = adversarial(step, 0, levels, n);
    for (float& v : x) v = std::clamp(v, -1e6f, 1e6f);  // infinity minus infinity is tested above
    const auto g = random_floats(n, 3);
    std::vector<float> gx(n), terms(n);
    const double sum = activation_gradients(x.data(), g.data(), std::int64_t(n), step, levels, gx.data());
    for (std::size_t i = 0; i < n; ++i) {
      const float v = x[i] * inverse, code = activation_code(x[i], inverse, levels);
      const bool inside = v >= 0 && v <= levels;
      ASSERT_EQ(gx[i], inside ? g[i] : 0.0f) << x[i];
      terms[i] = g[i] * (inside ? code - v : code);
    }
    EXPECT_EQ(sum, lane_sum(terms)) << n;
  }
}

TEST(WeightRowCodes, AreTheNearestOfTheLevelsForEveryBitWidth) {
  for (int bits = 2; bits <= 8; ++bits)
    for (float step : {0.5f, 0.1f}) {
      const float high = float((1 << (bits - 1)) - 1);
      const auto w = adversarial(step, -high, high, 2003);
      std::vector<float> codes(w.size());
      weight_row_codes({w.data(), nullptr, std::int64_t(w.size()), step, high, false}, codes.data());
      for (std::size_t i = 0; i < w.size(); ++i)
        ASSERT_EQ(codes[i], nearest(w[i] * (1 / step), -high, high)) << bits << " " << w[i];
    }
}

TEST(WeightRowCodes, PrunedWeightsAreZero) {
  const std::vector<float> w{5, 6, -7, 8}, keep{0, 1, 1, 0};
  std::vector<float> codes(4);
  weight_row_codes({w.data(), keep.data(), 4, 2, 7, false}, codes.data());
  EXPECT_EQ(codes, (std::vector<float>{0, 3, -3, 0}));  // -3.5 rounds upwards
}

TEST(WeightRowCodes, SingleBitsAreSigns) {
  const std::vector<float> w{0.1f, -0.0f, 0.0f, -9};
  std::vector<float> codes(4);
  weight_row_codes({w.data(), nullptr, 4, 2, 1, true}, codes.data());
  EXPECT_EQ(codes, (std::vector<float>{1, 1, 1, -1}));
}

TEST(WeightRowGradients, FollowTheDefinitionBitForBit) {
  const float step = 0.3f, high = 3, inverse = 1 / step, share = 0.25f, decay = 0.01f;
  for (std::size_t n : {4u, 300u, 1152u}) {
    const auto w = random_floats(n, 5), g = random_floats(n, 6);
    for (bool sparse : {false, true}) {
      std::vector<float> keep(n, 1.0f), gw(n), terms(n);
      if (sparse) magnitude_mask(w.data(), std::int64_t(n), {4, 1}, keep.data());
      const double sum =
          weight_row_gradients({w.data(), sparse ? keep.data() : nullptr, std::int64_t(n), step, high, false},
                               g.data(), share, decay, gw.data());
      for (std::size_t i = 0; i < n; ++i) {
        const float v = w[i] * keep[i] * inverse, code = nearest(v, -high, high);
        const bool inside = std::abs(v) <= high;
        ASSERT_EQ(gw[i], keep[i] == 0 ? share * g[i] + decay * w[i] : inside ? g[i] : 0.0f) << i;
        terms[i] = g[i] * (inside ? code - v : code);
      }
      EXPECT_EQ(sum, lane_sum(terms)) << n << " " << sparse;
    }
  }
}

TEST(WeightRowGradients, SingleBitsPassEverythingAndTheirStepTakesTheSign) {
  const std::vector<float> w{0.5f, -100, 0, -2}, g{1, 2, 4, 8};
  std::vector<float> gw(4);
  EXPECT_EQ(weight_row_gradients({w.data(), nullptr, 4, 0.5f, 1, true}, g.data(), 1, 0, gw.data()),
            1 - 2 + 4 - 8);
  EXPECT_EQ(gw, g);
}

TEST(RoundingError, IsTheSumOfSquares) {
  for (std::size_t n : {3u, 1000u}) {
    const auto values = random_floats(n, 8);
    std::vector<double> terms;
    for (float v : values) {
      const float error = nearest(v * (1 / 0.3f), -3, 3) * 0.3f - v;
      terms.push_back(double(error) * double(error));
    }
    EXPECT_EQ(rounding_error(values.data(), std::int64_t(n), 0.3f, -3, 3), lane_sum(terms)) << n;
  }
}

}  // namespace
}  // namespace twofour::nas
