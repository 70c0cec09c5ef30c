// Every entry of kernels.json under every tool: broken ones are found by theirs, the others are clean.
#include <gtest/gtest.h>

#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::kernels::Kernel;

const std::vector<Tool> tested{};

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
INSTANTIATE_TEST_SUITE_P(Kernels, Correct, testing::ValuesIn(pairs([](Tool tool, const Kernel& k) {
                           return !k.is_broken && tool != Tool::bankcheck;
                         })),
                         name_of);

}  // namespace
}  // namespace twofour::emu::check::test
