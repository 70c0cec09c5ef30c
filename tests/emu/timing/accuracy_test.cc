// The model against measured A100 GEMMs of weight shapes that its constants were never fitted on.
#include <gtest/gtest.h>

#include <cmath>

#include "twofour/emu/timing/measurements.h"

namespace twofour::emu {
namespace {

const std::string folder = TWOFOUR_SOURCE_DIR "/data/timing/";

struct Error {
  double mean = 0, bias = 0;
  std::size_t rows = 0;
};

template <class Keep>
Error error_of(const std::vector<Measurement>& rows, const std::string& machine_name, Keep keep) {
  const auto machine = isa::load_machine(machine_name);
  Error error;
  for (const auto& row : rows) {
    if (!keep(row)) continue;
    const double relative = gemm_latency(row.problem, machine).microseconds / row.microseconds - 1;
    error.mean += std::abs(relative);
    error.bias += relative;
    ++error.rows;
  }
  error.mean /= static_cast<double>(error.rows);
  error.bias /= static_cast<double>(error.rows);
  return error;
}

bool held_out(const Measurement& m) {
  return m.held_out;
}

TEST(Accuracy, SplitKeepsWeightShapesApart) {
  const auto rows = load_measurements(folder + "a100_bf16_gemm.csv", Launch::as_measured);
  std::size_t out = 0;
  for (const auto& row : rows) {
    EXPECT_EQ(row.held_out, is_held_out(row.problem.n, row.problem.k));
    out += row.held_out;
  }
  EXPECT_GT(out, rows.size() / 4);
  EXPECT_LT(out, rows.size() / 2);
}

TEST(Accuracy, HeldOutBf16) {
  const auto error = error_of(load_measurements(folder + "a100_bf16_gemm.csv", Launch::as_measured),
                              "a100-sxm4-80gb", held_out);
  EXPECT_GT(error.rows, 5000u);
  EXPECT_LT(error.mean, 0.07);
  EXPECT_LT(std::abs(error.bias), 0.04);
}

TEST(Accuracy, HeldOutS8) {
  const auto error = error_of(load_measurements(folder + "a100_s8_gemm.csv", Launch::as_measured),
                              "a100-sxm4-80gb", held_out);
  EXPECT_GT(error.rows, 1000u);
  EXPECT_LT(error.mean, 0.075);
  EXPECT_LT(std::abs(error.bias), 0.04);
}

double coverage(const std::string& file, Launch launch, const std::string& machine_name, bool held_out_only) {
  const auto machine = isa::load_machine(machine_name);
  double inside = 0, all = 0;
  for (const auto& row : load_measurements(folder + file, launch)) {
    if (held_out_only && !row.held_out) continue;
    const auto l = gemm_latency(row.problem, machine);
    inside += l.low_us <= row.microseconds && row.microseconds <= l.high_us;
    ++all;
  }
  return inside / all;
}

// The band was made to hold 80 % of the training rows.
TEST(Accuracy, BandHoldsHeldOutRows) {
  EXPECT_NEAR(coverage("a100_bf16_gemm.csv", Launch::as_measured, "a100-sxm4-80gb", true), 0.8, 0.04);
  EXPECT_NEAR(coverage("a100_s8_gemm.csv", Launch::as_measured, "a100-sxm4-80gb", true), 0.8, 0.04);
}

// What was counted is not what the fit saw: the wider band must hold at least as much.
TEST(Accuracy, WiderBandHoldsRowsOfAnotherKind) {
  EXPECT_GE(coverage("a100_f16_gemm_kernel_only.csv", Launch::kernel, "a100-sxm4-80gb", false), 0.76);
  EXPECT_GE(coverage("a100_square_16384.csv", Launch::kernel, "a100-sxm4-40gb", false), 0.76);
}

TEST(Accuracy, ValidationShapesAreApartFromBothOthers) {
  const auto rows = load_measurements(folder + "a100_bf16_gemm.csv", Launch::as_measured);
  std::size_t validation = 0, training = 0;
  for (const auto& row : rows) {
    EXPECT_FALSE(row.validation && row.held_out);
    EXPECT_EQ(row.validation, is_validation(row.problem.n, row.problem.k));
    validation += row.validation;
    training += !row.validation && !row.held_out;
  }
  EXPECT_GT(validation, training / 5);
  EXPECT_LT(validation, training / 2);
}

// Another source, another library version, free clocks: kernels alone.
TEST(Accuracy, UntouchedF16Kernels) {
  const auto error = error_of(load_measurements(folder + "a100_f16_gemm_kernel_only.csv", Launch::kernel),
                              "a100-sxm4-80gb", [](const Measurement&) { return true; });
  EXPECT_GT(error.rows, 25000u);
  EXPECT_LT(error.mean, 0.12);
}

TEST(Accuracy, UntouchedSquare) {
  const auto error = error_of(load_measurements(folder + "a100_square_16384.csv", Launch::kernel),
                              "a100-sxm4-40gb", [](const Measurement&) { return true; });
  EXPECT_EQ(error.rows, 9u);
  EXPECT_LT(error.mean, 0.10);
}

}  // namespace
}  // namespace twofour::emu
