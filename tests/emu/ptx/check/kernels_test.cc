// Every entry of kernels.json under every tool: broken ones are found by theirs, the others are clean.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::kernels::Kernel;

const std::vector<Tool> tested{Tool::memcheck,  Tool::racecheck, Tool::synccheck,
                               Tool::initcheck, Tool::metacheck, Tool::bankcheck};

struct Pair {
  Tool tool;
  const Kernel* kernel;
};

std::vector<Pair> pairs(bool (*wanted)(Tool, const Kernel&)) {
  std::vector<Pair> found;
  for (const Tool tool : tested)
    for (const Kernel& k : all_kernels())
      if (wanted(tool, k)) found.push_back({tool, &k});
  return found;
}

std::string name_of(const testing::TestParamInfo<Pair>& info) {
  return std::string(name(info.param.tool)) + "_" + info.param.kernel->entry;
}

class Broken : public testing::TestWithParam<Pair> {};

TEST_P(Broken, IsFoundByItsTool) {
  const auto& [tool, kernel] = GetParam();
  const ptx::kernels::Broken& broken = kernel->broken;
  const Checked checked = run_under(tool, *kernel);
  ASSERT_EQ(checked.findings.size(), 1u) << text(checked);
  const Finding& f = checked.findings.front();
  EXPECT_EQ(f.tool, tool);
  EXPECT_EQ(f.error, broken.error);
  EXPECT_EQ(f.kernel, kernel->entry);
  EXPECT_TRUE(f.file.ends_with(kernel->file)) << f.file;
  EXPECT_NE(f.statement.find(broken.instruction), std::string::npos) << f.statement;
  EXPECT_NE(f.detail.find(broken.space), std::string::npos) << f.detail;
  if (broken.warp >= 0) {
    EXPECT_EQ(f.warp, broken.warp);
  }
  if (!broken.block_index.empty()) {
    EXPECT_EQ((std::vector{f.block.x, f.block.y, f.block.z}), broken.block_index);
  }
  std::uint32_t lanes = 0;
  for (const int lane : broken.lanes) lanes |= 1u << lane;
  if (lanes != 0) {
    EXPECT_EQ(lanes_text(f.lanes), lanes_text(lanes));
  }
  EXPECT_NE(f.lanes, 0u);
  EXPECT_EQ(checked.explained, !checked.failure.empty()) << checked.failure;
}
INSTANTIATE_TEST_SUITE_P(Kernels, Broken, testing::ValuesIn(pairs([](Tool tool, const Kernel& k) {
                           return k.broken.tool == name(tool);
                         })),
                         name_of);

class Correct : public testing::TestWithParam<Pair> {};

TEST_P(Correct, IsClean) {
  const auto& [tool, kernel] = GetParam();
  const Checked checked = run_under(tool, *kernel);
  EXPECT_TRUE(checked.findings.empty()) << text(checked);
  EXPECT_EQ(checked.failure, "");
}
// sgemm stores A's tile transposed: lanes t and t + 1 of a store lie 64 words apart, so 8 lanes share a bank.
INSTANTIATE_TEST_SUITE_P(Kernels, Correct, testing::ValuesIn(pairs([](Tool tool, const Kernel& k) {
                           return !k.is_broken && (tool != Tool::bankcheck || k.entry != "sgemm");
                         })),
                         name_of);

TEST(Bankcheck, StoresOfTransposedTiles) {
  const Kernel& sgemm = kernel_named("sgemm");
  const Checked checked = run_under(Tool::bankcheck, sgemm);
  std::int64_t m = 0, n = 0, k = 0;
  for (const auto& p : sgemm.parameters) (p.name == "m" ? m : p.name == "n" ? n : k) = p.value;
  const auto stores = std::uint64_t(m / 64 * (n / 64) * 8 * (k / 8));  // blocks, warps, chunks
  ASSERT_EQ(checked.findings.size(), 2u) << text(checked);
  for (const Finding& f : checked.findings) {
    EXPECT_EQ(f.error, "8-way bank conflict");
    EXPECT_EQ(f.count, stores);
    EXPECT_NE(f.detail.find(fmt::format("{} wavefronts where {} would do", 8 * stores, stores)),
              std::string::npos)
        << f.detail;
  }
}

}  // namespace
}  // namespace twofour::emu::check::test
