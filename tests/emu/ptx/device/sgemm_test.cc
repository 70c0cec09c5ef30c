// A kernel as nvcc makes it (sgemm.cu), against fused multiply-adds in order of k.
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

TEST(PtxSgemm, EqualsAChainOfFusedMultiplyAdds) {
  std::ifstream file(TWOFOUR_SOURCE_DIR "/tests/emu/ptx/device/sgemm.ptx");
  std::stringstream text;
  text << file.rdbuf();
  TestDevice t(text.str(), {.threads = 2, .instruction_limit = {}, .print = {}}, "sgemm");
  constexpr int m = 128, n = 64, k = 48;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> a(m * k), b(k * n);
  for (float& x : a) x = uniform(random);
  for (float& x : b) x = uniform(random);
  const std::uint64_t c = t.upload(std::vector<float>(m * n));
  const auto report = t.run({n / 64, m / 64, 1}, {256, 1, 1}, 0, t.upload(a), t.upload(b), c, n, k);
  EXPECT_GT(report.warp_instructions, 2u * 8 * 48 * 16);
  const auto got = t.download<float>(c, m * n);
  for (int r = 0; r < m; ++r)
    for (int q = 0; q < n; ++q) {
      float sum = 0;
      for (int i = 0; i < k; ++i) sum = std::fma(a[std::size_t(r * k + i)], b[std::size_t(i * n + q)], sum);
      ASSERT_EQ(got[std::size_t(r * n + q)], sum) << r << " " << q;
    }
}

}  // namespace
}  // namespace twofour::emu::ptx::test
