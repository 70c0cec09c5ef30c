#include "twofour/nas/compress/obs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using isa::ElementType;
using isa::Sparsity;
using Floats = std::vector<float>;

Floats normal(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value;
  Floats v(n);
  for (float& x : v) x = value(random);
  return v;
}

/// Of correlated inputs, rectified as activations are: x = max(0, A z + noise).
InputMoments correlated(std::int64_t k, unsigned seed, std::int64_t samples = 0) {
  if (samples == 0) samples = 4 * k;
  const std::int64_t rank = k / 4 + 1;
  const Floats a = normal(std::size_t(k * rank), seed), z = normal(std::size_t(rank * samples), seed + 1),
               noise = normal(std::size_t(k * samples), seed + 2);
  InputMoments m{k, Floats(std::size_t(k * k), 0.0f), Floats(std::size_t(k), 0.0f)};
  for (std::int64_t s = 0; s < samples; ++s) {
    Floats x(std::size_t(k), 0.0f);
    for (std::int64_t i = 0; i < k; ++i) {
      float sum = 0.5f * noise[std::size_t(s * k + i)];
      for (std::int64_t j = 0; j < rank; ++j)
        sum += a[std::size_t(i * rank + j)] * z[std::size_t(s * rank + j)];
      x[std::size_t(i)] = std::max(sum, 0.0f);
      m.mean[std::size_t(i)] += x[std::size_t(i)] / float(samples);
    }
    for (std::int64_t i = 0; i < k; ++i)
      for (std::int64_t j = 0; j < k; ++j)
        m.gram[std::size_t(i * k + j)] += x[std::size_t(i)] * x[std::size_t(j)] / float(samples);
  }
  return m;
}

InputMoments diagonal(const Floats& d) {
  InputMoments m{std::int64_t(d.size()), Floats(d.size() * d.size(), 0.0f), Floats(d.size(), 0.0f)};
  for (std::size_t i = 0; i < d.size(); ++i) m.gram[i * d.size() + i] = d[i];
  return m;
}

double error_of(const Floats& a, const Floats& b, std::size_t row, const InputMoments& m) {
  const auto k = std::size_t(m.columns);
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j)
      sum += double(a[row * k + i] - b[row * k + i]) * double(m.gram[i * k + j]) *
             double(a[row * k + j] - b[row * k + j]);
  return sum;
}

/// Least squares by Gaussian elimination in double: the least error of a row that keeps these columns.
double least_error(const Floats& w, std::size_t row, const std::vector<std::size_t>& kept,
                   const InputMoments& m) {
  const auto k = std::size_t(m.columns), n = kept.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) a[i][j] = m.gram[kept[i] * k + kept[j]];
    for (std::size_t j = 0; j < k; ++j) a[i][n] += double(m.gram[kept[i] * k + j]) * double(w[row * k + j]);
  }
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t i = 0; i < n; ++i) {
      if (i == p) continue;
      const double f = a[i][p] / a[p][p];
      for (std::size_t j = p; j <= n; ++j) a[i][j] -= f * a[p][j];
    }
  Floats best(w.begin() + std::ptrdiff_t(row * k), w.begin() + std::ptrdiff_t((row + 1) * k));
  std::vector<double> e(best.begin(), best.end());
  for (std::size_t i = 0; i < n; ++i) e[kept[i]] -= a[i][n] / a[i][i];
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j) sum += e[i] * double(m.gram[i * k + j]) * e[j];
  return sum;
}

/// The best mask of all, each with exact least squares.
double best_mask_error(const Floats& w, std::size_t row, Sparsity form, const InputMoments& m) {
  const int width = isa::group_columns(form), unit = form == Sparsity::pairs_of_eight ? 2 : 1;
  double best = INFINITY;
  for (unsigned bits = 0; bits < 1u << m.columns; ++bits) {
    std::vector<std::size_t> kept;
    bool legal = true;
    for (int g = 0; g < m.columns && legal; g += width) {
      int units = 0;
      for (int u = g; u < g + width; u += unit) {
        const unsigned unit_bits = bits >> u & ((1u << unit) - 1);
        legal = legal && (unit_bits == 0 || unit_bits == (1u << unit) - 1);
        units += unit_bits != 0;
        for (int i = u; i < u + unit && unit_bits != 0; ++i) kept.push_back(std::size_t(i));
      }
      legal = legal && units == (width == 2 ? 1 : 2);
    }
    if (legal) best = std::min(best, least_error(w, row, kept, m));
  }
  return best;
}

std::vector<std::size_t> nonzeros(const Floats& w, std::size_t row, std::size_t k) {
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < k; ++i)
    if (w[row * k + i] != 0) at.push_back(i);
  return at;
}

std::string refusal(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Obs, EqualMomentsGiveMagnitudePruning) {
  const Floats w = normal(6 * 32, 1);
  for (const Sparsity form : {Sparsity::two_of_four, Sparsity::one_of_two}) {
    const auto m = diagonal(Floats(32, 2.0f));
    const ObsSettings settings{.form = form};
    const auto obs = compress_weights(w, 6, m, settings), plain = round_weights(w, 6, m, settings);
    for (std::size_t i = 0; i < w.size(); ++i) EXPECT_FLOAT_EQ(obs.weights[i], plain.weights[i]) << i;
    EXPECT_NEAR(obs.error, plain.error, 1e-5 * plain.error);
  }
}

/// On a diagonal nothing can compensate: the largest h w^2 stay, as they are.
TEST(Obs, DiagonalMomentsWeighTheMagnitudes) {
  const Floats w = normal(5 * 16, 2);
  Floats h = normal(16, 3);
  for (float& x : h) x = x * x + 0.1f;
  const auto found = compress_weights(w, 5, diagonal(h), {.form = Sparsity::two_of_four, .damping = 0});
  for (std::size_t first = 0; first < w.size(); first += 4) {
    std::vector<std::pair<float, std::size_t>> score;
    for (std::size_t i = first; i < first + 4; ++i) score.emplace_back(h[i % 16] * w[i] * w[i], i);
    std::ranges::sort(score);
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_FLOAT_EQ(found.weights[score[i].second], i < 2 ? 0 : w[score[i].second]);
  }
}

/// Kept weights are the exact least-squares solution of their mask; the mask is near the best of all.
TEST(Obs, SmallProblemsAgainstEveryMask) {
  for (const auto& [form, k] : {std::pair{Sparsity::two_of_four, 4},
                                {Sparsity::two_of_four, 8},
                                {Sparsity::pairs_of_eight, 8},
                                {Sparsity::one_of_two, 6}}) {
    double found_sum = 0, best_sum = 0, plain_sum = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
      constexpr std::size_t rows = 4;
      const Floats w = normal(rows * std::size_t(k), 100 + seed);
      const InputMoments m = correlated(k, 10 * seed, 64);
      const auto found = compress_weights(w, rows, m, {.form = form, .damping = 1e-6});
      plain_sum += found.plain_error;
      for (std::size_t r = 0; r < rows; ++r) {
        const double error = error_of(w, found.weights, r, m), best = best_mask_error(w, r, form, m);
        EXPECT_NEAR(error, least_error(w, r, nonzeros(found.weights, r, std::size_t(k)), m),
                    1e-3 * error + 1e-5);
        EXPECT_GE(error, best * (1 - 1e-3) - 1e-5);
        if (k == isa::group_columns(form)) {  // one group: every choice was compared
          EXPECT_NEAR(error, best, 1e-3 * best + 1e-5);
        }
        found_sum += error;
        best_sum += best;
      }
    }
    EXPECT_LT(found_sum, 1.25 * best_sum) << k;
    EXPECT_LT(found_sum, 0.7 * plain_sum) << k;
  }
}

TEST(Obs, CodesObeyTheSparseFormAndTheirRange) {
  for (const auto& [form, bits, type] : {std::tuple{Sparsity::two_of_four, 8, ElementType::s8},
                                         {Sparsity::pairs_of_eight, 4, ElementType::s4}}) {
    const auto found =
        compress_weights(normal(8 * 48, 7), 8, correlated(48, 8), {.form = form, .bits = bits});
    emu::PackedMatrix codes(type, 8, 48);
    int largest = 0;
    for (std::int64_t r = 0; r < 8; ++r)
      for (std::int64_t c = 0; c < 48; ++c) {
        const int code = found.codes[std::size_t(r * 48 + c)];
        largest = std::max(largest, std::abs(code));
        codes.set_integer(r, c, code);
        EXPECT_EQ(found.weights[std::size_t(r * 48 + c)], float(code) * found.steps[std::size_t(r)]);
      }
    EXPECT_EQ(emu::count_violations(codes, nullptr), 0);
    EXPECT_LE(largest, bits == 8 ? 127 : 7);
    EXPECT_GE(largest, bits == 8 ? 100 : 6);
  }
}

TEST(Obs, OneBitCodesAreSigns) {
  const auto found = compress_weights(normal(4 * 12, 7), 4, correlated(12, 8), {.bits = 1});
  for (const int code : found.codes) EXPECT_EQ(std::abs(code), 1);
  EXPECT_LT(found.error, found.plain_error);
}

/// Two columns that are nearly one input: what one weight lost in rounding, the other must give back.
TEST(Obs, RoundingErrorsCancel) {
  InputMoments m{2, {1, 0.999f, 0.999f, 1}, {0, 0}};
  const auto found = compress_weights({1.4f, 1.4f}, 1, m, {.bits = 4, .damping = 0, .steps = {1}});
  EXPECT_EQ(int(found.codes[0]) + int(found.codes[1]), 3);  // 2.8, not 1 + 1
}

TEST(Obs, GivenStepsAreTaken) {
  const Floats steps{0.5f, 0.25f};
  const auto found = compress_weights(normal(2 * 8, 1), 2, correlated(8, 2), {.bits = 8, .steps = steps});
  EXPECT_EQ(found.steps, steps);
}

/// Compensation never did worse than magnitude and rounding on 60 random layers of correlated inputs, and on
/// average took off more than a third of the error.
TEST(Obs, ErrorIsBelowMagnitudeAndRounding) {
  double ratio = 0;
  int layers = 0;
  for (unsigned seed = 0; seed < 10; ++seed)
    for (const auto& [form, bits] : {std::pair{Sparsity::two_of_four, 8},
                                     {Sparsity::two_of_four, 0},
                                     {Sparsity::pairs_of_eight, 4},
                                     {Sparsity::dense, 4},
                                     {Sparsity::dense, 2},
                                     {Sparsity::one_of_two, 0}}) {
      const InputMoments m = correlated(32, 50 + seed);
      const auto found = compress_weights(normal(16 * 32, seed), 16, m, {.form = form, .bits = bits});
      EXPECT_LT(found.error, found.plain_error) << seed << ", " << bits;
      EXPECT_LE(found.pruned_error, found.error * (1 + 1e-3) + 1e-4);
      ratio += found.error / found.plain_error;
      ++layers;
    }
  EXPECT_LT(ratio / layers, 0.66);
}

TEST(Obs, DeadInputsAndZeroMomentsAreLegal) {
  InputMoments m = correlated(16, 1);
  for (std::size_t i = 0; i < 16; ++i) m.gram[i * 16 + 3] = m.gram[3 * 16 + i] = 0;
  const auto found = compress_weights(normal(4 * 16, 1), 4, m, {.form = Sparsity::two_of_four, .bits = 8});
  EXPECT_TRUE(std::ranges::all_of(found.weights, [](float x) { return std::isfinite(x); }));
  const auto zero = compress_weights(normal(4 * 16, 1), 4, diagonal(Floats(16, 0.0f)), {.bits = 8});
  EXPECT_EQ(zero.error, 0);
}

TEST(Obs, CentredMomentsAreTheCovariance) {
  const InputMoments m = centred({2, {5, 1, 1, 3}, {2, 1}});
  EXPECT_EQ(m.gram, (Floats{1, -1, -1, 2}));
}

TEST(Obs, BadInputIsRefused) {
  const InputMoments m = correlated(12, 1);
  const Floats w = normal(24, 1);
  EXPECT_THAT(refusal([&] { compress_weights(w, 3, m, {}); }), testing::HasSubstr("3 rows of 12"));
  EXPECT_THAT(refusal([&] { compress_weights(w, 2, m, {.form = Sparsity::pairs_of_eight}); }),
              testing::HasSubstr("whole groups of 8"));
  EXPECT_THAT(refusal([&] { compress_weights(w, 2, m, {.bits = 8, .steps = {1}}); }),
              testing::HasSubstr("1 steps"));
  EXPECT_THAT(refusal([&] {
                compress_weights(w, 2, m, {.bits = 8, .steps = {1, 0}});
              }),
              testing::HasSubstr("positive"));
  EXPECT_THAT(refusal([&] { compress_weights(w, 2, m, {.stop = [] { return true; }}); }),
              testing::HasSubstr("stopped"));
  InputMoments bad = m;
  bad.gram[5] = NAN;
  EXPECT_THAT(refusal([&] { compress_weights(w, 2, bad, {}); }), testing::HasSubstr("not finite"));
}

}  // namespace
}  // namespace twofour::nas
