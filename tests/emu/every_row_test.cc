// Every row of the instruction table on the registers of a warp, against the oracle with its own layouts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oracle_warp.h"
#include "parallel.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

std::vector<isa::Instruction> rows(bool sparse_only) {
  std::vector<isa::Instruction> out;
  for (const auto& i : oracle::covered_rows())
    if (i.is_sparse() || !sparse_only) out.push_back(i);
  return out;
}

std::string compare(const isa::Instruction& i, const MmaOperands& x, const NumericOptions& options,
                    const std::string& where) {
  const Fragment got = execute(i, x, options);
  const Fragment want =
      oracle::execute(i, x, {.architecture = options.architecture, .satfinite = options.satfinite});
  if (oracle::same(i, got, want)) return "";
  return fmt::format("{} {} differs, selector {}", isa::short_name(i), where, x.selector);
}

TEST(EveryRow, EqualsTheOracleWithEverySelector) {
  const auto all = rows(false);
  EXPECT_GE(all.size(), 63u);
  const auto check = [&](int n) -> std::string {
    const auto& i = all[std::size_t(n)];
    std::mt19937 random{unsigned(n)};
    for (int trial = 0; trial < 24 / std::min(case_stride, 8); ++trial) {
      MmaOperands x = oracle::random_registers(i, random);
      if (i.is_sparse()) x.selector = trial % i.selectors();
      NumericOptions options{.architecture = oracle::home(i)};
      options.satfinite = trial % 2 == 1 && !isa::is_float(i.a) && i.a != ElementType::b1;
      const auto complaint = compare(i, x, options, fmt::format("trial {}", trial));
      if (!complaint.empty()) return complaint;
    }
    return "";
  };
  EXPECT_EQ(first_complaint(int(all.size()), check), "");
}

// Each byte of each lane takes all 256 values, so each group of each row meets all 16 codes beside all
// others: the six ordered ones, the descending ones, and those that select one element twice.
TEST(EveryRow, EveryMetadataByteSelectsAsDocumented) {
  const auto all = rows(true);
  EXPECT_GE(all.size(), 24u);
  const auto check = [&](int number) -> std::string {
    const int n = number * case_stride, value = n % 256;
    const auto& i = all[std::size_t(n) / 256];
    std::mt19937 random{unsigned(n)};
    MmaOperands x = oracle::random_registers(i, random);
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      x.metadata[lane] = 0;
      for (std::uint32_t byte = 0; byte < 4; ++byte)
        x.metadata[lane] |= ((std::uint32_t(value) + 37 * lane + 11 * byte) & 0xff) << (8 * byte);
    }
    for (int selector = 0; selector < i.selectors(); ++selector) {
      x.selector = selector;
      const auto complaint =
          compare(i, x, {.architecture = oracle::home(i)}, fmt::format("metadata byte {:#04x}", value));
      if (!complaint.empty()) return complaint;
    }
    return "";
  };
  EXPECT_EQ(first_complaint(int(all.size()) * 256 / case_stride, check), "");
}

}  // namespace
}  // namespace twofour::emu
