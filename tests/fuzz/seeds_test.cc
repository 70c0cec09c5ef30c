// Every fuzz target on its committed seeds, on these with a few bytes changed or cut, and on random bytes.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <vector>

#include "targets.h"
#include "twofour/isa/file.h"

namespace twofour::fuzz {
namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> seeds(const Target& target) {
  std::vector<Input> all;
  const auto folder = std::filesystem::path(TWOFOUR_SOURCE_DIR) / target.seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string bytes = isa::read_file(entry.path());
    all.emplace_back(bytes.begin(), bytes.end());
  }
  return all;
}

Input changed(Input input, std::mt19937& random) {
  for (unsigned n = 0; n < 1 + random() % 4 && !input.empty(); ++n)
    input[random() % input.size()] = std::uint8_t(random());
  if (random() % 4 == 0) input.resize(random() % (input.size() + 1));
  return input;
}

Input noise(std::mt19937& random) {
  Input input(random() % 300);
  for (auto& byte : input) byte = std::uint8_t(random());
  return input;
}

class Fuzz : public testing::TestWithParam<Target> {};

TEST_P(Fuzz, AnswersSeedsAndBytesNearThem) {
  const Target& target = GetParam();
  std::mt19937 random(41);
  const auto all = seeds(target);
  ASSERT_FALSE(all.empty());
  for (const auto& seed : all) {
    ASSERT_NO_THROW(target.run(seed));
    for (int n = 0; n < 60; ++n) ASSERT_NO_THROW(target.run(changed(seed, random)));
  }
  for (int n = 0; n < 200; ++n) ASSERT_NO_THROW(target.run(noise(random)));
  ASSERT_NO_THROW(target.run({}));
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, testing::ValuesIn(targets),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace twofour::fuzz
