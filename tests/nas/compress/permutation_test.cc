#include "twofour/nas/compress/permutation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using isa::Sparsity;

MagnitudeMatrix uniform(std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(0, 1);
  MagnitudeMatrix m{rows, columns, {}};
  for (std::int64_t i = 0; i < rows * columns; ++i) m.values.push_back(value(random));
  return m;
}

/// The sum of what the best half of the given columns keeps in each row, pairs taken as one.
double kept_of_group(const MagnitudeMatrix& m, const std::vector<int>& columns, int unit) {
  double sum = 0;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    std::vector<double> size;
    for (std::size_t i = 0; i < columns.size(); i += std::size_t(unit)) {
      size.push_back(0);
      for (std::size_t j = i; j < i + std::size_t(unit); ++j) size.back() += m.column(columns[j])[r];
    }
    std::ranges::sort(size);
    sum += std::accumulate(size.begin() + std::ptrdiff_t(size.size() / 2), size.end(), 0.0);
  }
  return sum;
}

/// Every way to label the columns with `groups` labels of `width` columns each.
double best_of_all(const MagnitudeMatrix& m, int width, int* ways) {
  std::vector<int> label;
  for (int c = 0; c < m.columns; ++c) label.push_back(c / width);
  double best = 0;
  *ways = 0;
  do {
    std::vector<std::vector<int>> groups(std::size_t(m.columns / width));
    for (int c = 0; c < m.columns; ++c) groups[std::size_t(label[std::size_t(c)])].push_back(c);
    double sum = 0;
    for (const auto& g : groups) sum += kept_of_group(m, g, 1);
    best = std::max(best, sum);
    ++*ways;
  } while (std::ranges::next_permutation(label).found);
  return best;
}

TEST(Permutation, KeptMagnitudeIsThatOfTheEmulatorsPruning) {
  std::mt19937 random(1);
  for (const auto& [form, type] : {std::pair{Sparsity::two_of_four, isa::ElementType::s8},
                                   {Sparsity::pairs_of_eight, isa::ElementType::s4}}) {
    MagnitudeMatrix m{6, 32, std::vector<float>(6 * 32)};
    ColumnOrder order(32);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::shuffle(order, random);
    emu::PackedMatrix dense(type, 6, 32);
    for (int r = 0; r < 6; ++r)
      for (int c = 0; c < 32; ++c) {
        const int w = int(random() % 15) - 7;
        m.values[std::size_t(order[std::size_t(c)] * 6 + r)] = float(std::abs(w));
        dense.set_integer(r, c, w);
      }
    const emu::PackedMatrix pruned = emu::prune(dense);
    double kept = 0;
    for (int r = 0; r < 6; ++r)
      for (int c = 0; c < 32; ++c) kept += double(std::abs(pruned.integer(r, c)));
    EXPECT_EQ(kept_magnitude(m, form, order), kept);
  }
}

TEST(Permutation, TwoGroupsTakeTheBestOf35) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const MagnitudeMatrix m = uniform(1 + seed % 7, 8, seed);
    int ways = 0;
    const double best = best_of_all(m, 4, &ways);
    EXPECT_EQ(ways, 2 * 35);
    const Permutation found = search_permutation(m, {.escapes = 0});
    EXPECT_NEAR(found.kept_after, best, 2e-5 * best) << seed;
    EXPECT_DOUBLE_EQ(found.kept_after, kept_magnitude(m, Sparsity::two_of_four, found.order));
  }
}

TEST(Permutation, ThreeGroupsTakeTheBestOf5775) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    const MagnitudeMatrix m = uniform(1 + seed, 12, seed);
    int ways = 0;
    const double best = best_of_all(m, 4, &ways);
    EXPECT_EQ(ways, 6 * 5775);
    const Permutation found = search_permutation(m, {.window = 3, .escapes = 0});
    EXPECT_NEAR(found.kept_after, best, 2e-5 * best) << seed;
  }
}

TEST(Permutation, OneOfTwoTakesTheBestOf15) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const MagnitudeMatrix m = uniform(3, 6, seed);
    int ways = 0;
    const double best = best_of_all(m, 2, &ways);
    EXPECT_EQ(ways, 6 * 15);
    const Permutation found =
        search_permutation(m, {.form = Sparsity::one_of_two, .window = 3, .escapes = 0});
    EXPECT_NEAR(found.kept_after, best, 2e-5 * best) << seed;
  }
}

/// A converged order cannot gain by any swap of two columns, whatever the form.
TEST(Permutation, NoSwapImprovesTheResult) {
  for (const Sparsity form : {Sparsity::two_of_four, Sparsity::one_of_two, Sparsity::pairs_of_eight}) {
    for (const int columns : {8, 32}) {
      const MagnitudeMatrix m = uniform(20, columns, 3);
      const Permutation found = search_permutation(m, {.form = form, .escapes = 3});
      EXPECT_GT(found.kept_after, found.kept_before);
      for (int a = 0; a < columns; ++a)
        for (int b = a + 1; b < columns; ++b) {
          ColumnOrder order = found.order;
          std::swap(order[std::size_t(a)], order[std::size_t(b)]);
          EXPECT_LE(kept_magnitude(m, form, order), found.kept_after * (1 + 3e-5));
        }
    }
  }
}

/// Efficacy of the published search on uniform values is about 35 %; the bound is that of unconstrained
/// pruning.
TEST(Permutation, EfficacyOnUniformValues) {
  double sum = 0, square = 0;
  constexpr int seeds = 20;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const Permutation found = search_permutation(uniform(128, 64, seed), {});
    // Means of order statistics: rank i of n uniform values is i / (n + 1).
    EXPECT_NEAR(found.bound, 128 * (33 + 64) * 16 / 65.0, 50);
    EXPECT_NEAR(found.kept_before, 128 * 16 * 1.4, 50);
    sum += found.efficacy();
    square += found.efficacy() * found.efficacy();
  }
  const double mean = sum / seeds, deviation = std::sqrt(square / seeds - mean * mean);
  EXPECT_GE(mean, 0.33);
  RecordProperty("efficacy", fmt::format("{:.4f} +- {:.4f}", mean, deviation));
}

TEST(Permutation, EscapesDoNotHurtAndSeedsAreRepeatable) {
  const MagnitudeMatrix m = uniform(40, 64, 9);
  const Permutation plain = search_permutation(m, {.escapes = 0}),
                    more = search_permutation(m, {.escapes = 40});
  EXPECT_GT(more.kept_after, plain.kept_after);
  EXPECT_GT(more.windows, plain.windows);
  EXPECT_EQ(more.kept_after, kept_magnitude(m, Sparsity::two_of_four, more.order));  // what did not help is undone
  EXPECT_EQ(search_permutation(m, {.escapes = 40}).order, more.order);
  EXPECT_NE(search_permutation(m, {.escapes = 40, .seed = 2}).order, more.order);
}

TEST(Permutation, ThreadsDoNotChangeTheResult) {
  const MagnitudeMatrix m = uniform(300, 128, 4);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = search_permutation(m, {.escapes = 2}).order;
  omp_set_num_threads(3);
  EXPECT_EQ(search_permutation(m, {.escapes = 2}).order, one);
  omp_set_num_threads(threads);
}

TEST(Permutation, StopEndsTheSearch) {
  int asked = 0;
  const auto found = search_permutation(uniform(16, 64, 1), {.stop = [&] { return ++asked > 1; }});
  EXPECT_LE(asked, 4);
  EXPECT_GE(found.kept_after, found.kept_before);
}

TEST(Permutation, BadInputIsRefused) {
  const auto error_of = [](const auto& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(error_of([] { search_permutation(uniform(2, 10, 1), {}); }),
              testing::HasSubstr("whole groups of 4"));
  EXPECT_THAT(error_of([] { search_permutation(uniform(2, 8, 1), {.window = 4}); }),
              testing::HasSubstr("2 or 3"));
  EXPECT_THAT(error_of([] { search_permutation(uniform(2, 8, 1), {.form = Sparsity::dense}); }),
              testing::HasSubstr("no groups"));
  EXPECT_THAT(error_of([] {
                kept_magnitude(uniform(2, 4, 1), Sparsity::two_of_four, {0, 1, 1, 3});
              }),
              testing::HasSubstr("not a permutation"));
}

}  // namespace
}  // namespace twofour::nas
