#include "twofour/emu/timing/latency_cache.h"

#include <gtest/gtest.h>

#include <bit>
#include <thread>
#include <vector>

namespace twofour::emu {
namespace {

using isa::ElementType;

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

/// More problems than the first table of the map holds; neighbours differ in one field.
std::vector<GemmProblem> many_problems(std::int64_t count) {
  std::vector<GemmProblem> problems;
  for (std::int64_t i = 0; i < count; ++i) {
    GemmProblem p;
    p.m = 64 * (1 + i % 7);
    p.n = 1 << (i / 7 % 9);
    p.k = 64 * (1 + i / 63);
    p.type = i % 2 == 0 ? ElementType::f16 : ElementType::s8;
    p.sparse = i % 3 == 0;
    p.output_bits = i % 5 == 0 ? 32 : 16;
    p.batch = 1 + i % 4;
    p.launch = static_cast<Launch>(i % 4);
    problems.push_back(p);
  }
  return problems;
}

void expect_same_bits(double a, double b) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a), std::bit_cast<std::uint64_t>(b));
}

TEST(LatencyCache, AnswersAreTheModels) {
  LatencyCache cache(a100);
  for (int pass = 0; pass < 2; ++pass)
    for (const auto& p : many_problems(1500)) {
      const Latency expected = gemm_latency(p, a100);
      const Latency& got = cache.latency(p);
      expect_same_bits(got.microseconds, expected.microseconds);
      expect_same_bits(cache.microseconds(p), expected.microseconds);
      EXPECT_EQ(got.schedule, expected.schedule);
      EXPECT_EQ(got.bound, expected.bound);
    }
  EXPECT_EQ(cache.size(), 1500u);
}

TEST(LatencyCache, EveryFieldOfAProblemCounts) {
  LatencyCache cache(a100);
  const GemmProblem p{512, 512, 512, ElementType::f16};
  std::vector<GemmProblem> others(8, p);
  others[0].m = 513;
  others[1].n = 513;
  others[2].k = 513;
  others[3].type = ElementType::bf16;
  others[4].sparse = true;
  others[5].output_bits = 32;
  others[6].batch = 2;
  others[7].launch = Launch::kernel;
  cache.latency(p);
  for (const auto& other : others)
    expect_same_bits(cache.microseconds(other), gemm_latency(other, a100).microseconds);
  EXPECT_EQ(cache.size(), 9u);
}

TEST(LatencyCache, ConstantsAndMachineAreItsOwn) {
  const GemmProblem p{4096, 4096, 4096, ElementType::f16};
  auto constants = fitted_constants;
  constants.l2_efficiency /= 4;
  LatencyCache slow(a100, constants);
  expect_same_bits(slow.microseconds(p), gemm_latency(p, a100, constants).microseconds);
  EXPECT_GT(slow.microseconds(p), LatencyCache(a100).microseconds(p));
}

TEST(LatencyCache, ReferencesStayValidWhileItGrows) {
  LatencyCache cache(a100);
  const auto problems = many_problems(3000);
  const Latency& first = cache.latency(problems[0]);
  const double before = first.microseconds;
  for (const auto& p : problems) cache.latency(p);
  EXPECT_EQ(&cache.latency(problems[0]), &first);
  expect_same_bits(first.microseconds, before);
}

TEST(LatencyCache, ABatchEqualsSingleCalls) {
  const auto problems = many_problems(2500);
  LatencyCache cache(a100);
  std::vector<double> cold(problems.size()), warm(problems.size());
  cache.microseconds(problems, cold);
  cache.microseconds(problems, warm);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    expect_same_bits(cold[i], gemm_latency(problems[i], a100).microseconds);
    expect_same_bits(warm[i], cold[i]);
  }
}

TEST(LatencyCache, ABatchNamesTheFirstProblemThatIsRefused) {
  auto problems = many_problems(300);
  problems[290].m = 0;
  problems[117].type = ElementType::f64;
  LatencyCache cache(a100);
  std::vector<double> out(problems.size());
  try {
    cache.microseconds(problems, out);
    FAIL() << "not refused";
  } catch (const BatchError& error) {
    EXPECT_EQ(error.index, 117u);
    EXPECT_NE(std::string(error.what()).find("f64"), std::string::npos) << error.what();
  }
  EXPECT_EQ(cache.size(), 298u);
  expect_same_bits(out[299], gemm_latency(problems[299], a100).microseconds);
  EXPECT_THROW(cache.microseconds(problems, std::span(out).first(10)), Error);
}

TEST(LatencyCache, ThreadsAgree) {
  const auto problems = many_problems(1200);
  LatencyCache cache(a100);
  constexpr std::size_t threads = 8;
  std::vector<std::vector<const Latency*>> seen(threads);
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 0; t < threads; ++t)
      pool.emplace_back([&, t] {
        for (std::size_t i = 0; i < problems.size(); ++i)  // each in its own order
          seen[t].push_back(&cache.latency(problems[(i * (2 * t + 1) + t * 100) % problems.size()]));
      });
  }
  EXPECT_EQ(cache.size(), problems.size());
  for (std::size_t t = 0; t < threads; ++t)
    for (std::size_t i = 0; i < problems.size(); ++i) {
      const auto& p = problems[(i * (2 * t + 1) + t * 100) % problems.size()];
      ASSERT_EQ(seen[t][i], &cache.latency(p));
      if (t == 0) expect_same_bits(seen[t][i]->microseconds, gemm_latency(p, a100).microseconds);
    }
}

}  // namespace
}  // namespace twofour::emu
