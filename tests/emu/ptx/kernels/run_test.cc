// Every kernel of examples/kernels on the emulated device.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "checks.h"
#include "run.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx::kernels {
namespace {

const std::vector<Kernel>& all() {
  static const auto kernels = load_kernels();
  return kernels;
}
std::vector<const Kernel*> chosen(bool broken) {
  std::vector<const Kernel*> found;
  for (const auto& k : all())
    if (k.is_broken == broken && k.check.reference != "hello") found.push_back(&k);
  return found;
}
std::string name_of(const testing::TestParamInfo<const Kernel*>& info) {
  return info.param->entry;
}

class Correct : public testing::TestWithParam<const Kernel*> {};

TEST_P(Correct, EqualsItsReference) {
  const Case before = make_case(*GetParam());
  EXPECT_EQ(mismatch(before, Runner().run(before)), "");
}
INSTANTIATE_TEST_SUITE_P(Kernels, Correct, testing::ValuesIn(chosen(false)), name_of);

TEST(Kernels, HelloPrints) {
  const auto hello =
      std::find_if(all().begin(), all().end(), [](const Kernel& k) { return k.entry == "hello"; });
  const Case before = make_case(*hello);
  const auto* x = before.buffers.at("x").as<float>();
  std::vector<std::string> expected, got;
  for (int i = 0; i < 5; ++i) {
    char line[80];
    std::snprintf(line, sizeof line, "hello %d of 5: %.3f %s!", i, double(x[i]), i % 2 ? "odd" : "even");
    expected.push_back(line);
  }
  std::string text;
  DeviceOptions options;
  options.print = [&](std::string_view part) { text += part; };
  Runner(options).run(before);
  std::istringstream printed(text);
  for (std::string line; std::getline(printed, line);) got.push_back(line);
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, expected);
}

class BrokenKernel : public testing::TestWithParam<const Kernel*> {};

/// What the device says of a kernel; empty if it ran to its end.
std::string refusal(const Kernel& kernel) {
  DeviceOptions options;
  options.instruction_limit = 1'000'000;
  Runner runner(options);
  const Case data = make_case(kernel);
  try {
    for (const auto& p : kernel.parameters)
      for (const auto& k : all())
        if (k.entry == p.after) return runner.run_pair(make_case(k), data), "";
    return runner.run(data), "";
  } catch (const Error& error) {
    return error.what();
  }
}

// Memory errors and endless loops need no checker to be refused, at their place. The others end.
TEST_P(BrokenKernel, IsRefusedAtItsPlaceOrEnds) {
  const Broken& broken = GetParam()->broken;
  const std::string message = refusal(*GetParam());
  const auto names = [&](const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << "no " << part << " in: " << message;
  };
  if (broken.tool != "memcheck" && broken.tool != "limit") {
    EXPECT_EQ(message, "");
    return;
  }
  names("kernel " + GetParam()->entry);
  if (broken.tool != "limit") names(broken.instruction);
  if (broken.warp >= 0) names("warp " + std::to_string(broken.warp));
  if (!broken.lanes.empty()) names("lane " + std::to_string(broken.lanes.front()));
}
INSTANTIATE_TEST_SUITE_P(Kernels, BrokenKernel, testing::ValuesIn(chosen(true)), name_of);

}  // namespace
}  // namespace twofour::emu::ptx::kernels
