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

// The targets that the model was built for: 8 % and 10 %.
TEST(Accuracy, HeldOutBf16) {
  const auto error = error_of(load_measurements(folder + "a100_bf16_gemm.csv", Launch::as_measured),
                              "a100-sxm4-80gb", held_out);
  EXPECT_GT(error.rows, 5000u);
  EXPECT_LT(error.mean, 0.08);
  EXPECT_LT(std::abs(error.bias), 0.04);
}

TEST(Accuracy, HeldOutS8) {
  const auto error = error_of(load_measurements(folder + "a100_s8_gemm.csv", Launch::as_measured),
                              "a100-sxm4-80gb", held_out);
  EXPECT_GT(error.rows, 1000u);
  EXPECT_LT(error.mean, 0.10);
  EXPECT_LT(std::abs(error.bias), 0.04);
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
