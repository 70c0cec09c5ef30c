// Whole networks against published inference times. Only three FP16 rows were fitted on.
#include <gtest/gtest.h>

#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/network_measurements.h"

namespace twofour::nas {
namespace {

const std::string folder = TWOFOUR_SOURCE_DIR "/data/timing/";

std::vector<NetworkMeasurement> a100_rows(const std::string& precision) {
  std::vector<NetworkMeasurement> kept;
  for (const auto* file : {"a100_resnet50_tensorrt.csv", "resnet50_tensorrt_more.csv"})
    for (const auto& row : load_network_measurements(folder + file))
      if (row.machine == "a100-sxm4-80gb" && row.precision == precision) kept.push_back(row);
  return kept;
}

/// Mean absolute relative error of the rows that no fit has seen.
double held_out_error(const std::string& precision, std::size_t rows) {
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  double sum = 0;
  std::size_t count = 0;
  for (const auto& row : a100_rows(precision)) {
    if (row.fitted) continue;
    sum += std::abs(predict(row, machine).microseconds / row.microseconds - 1);
    ++count;
  }
  EXPECT_EQ(count, rows) << precision;
  return sum / static_cast<double>(count);
}

// The target that the model was built for.
TEST(NetworkAccuracy, HeldOutFp16) {
  EXPECT_LT(held_out_error("FP16", 6), 0.10);
}
TEST(NetworkAccuracy, HeldOutTf32) {
  EXPECT_LT(held_out_error("TF32", 9), 0.10);
}
TEST(NetworkAccuracy, HeldOutInt8) {
  EXPECT_LT(held_out_error("INT8", 9), 0.10);
}

// Another network, another benchmark, no host call. Its rows showed that attention is one kernel; no constant
// was fitted on them.
double bert_error(const std::string& precision) {
  const auto machine = isa::load_machine("a100-sxm4-40gb");
  double sum = 0;
  std::size_t count = 0;
  for (const auto& row : load_network_measurements(folder + "a100_bert_base_tensorrt.csv")) {
    if (row.precision != precision) continue;
    EXPECT_FALSE(row.fitted);
    sum += std::abs(predict(row, machine).microseconds / row.microseconds - 1);
    ++count;
  }
  EXPECT_EQ(count, 20u) << precision;
  return sum / static_cast<double>(count);
}

TEST(NetworkAccuracy, BertOfAnotherBenchmark) {
  EXPECT_LT(bert_error("FP16"), 0.10);
  EXPECT_LT(bert_error("INT8"), 0.10);
}

TEST(NetworkAccuracy, OnlyThreeRowsAreFitted) {
  std::vector<std::int64_t> fitted;
  for (const auto* precision : {"TF32", "FP16", "INT8"})
    for (const auto& row : a100_rows(precision))
      if (row.fitted) {
        EXPECT_EQ(row.precision, "FP16");
        fitted.push_back(row.batch);
      }
  EXPECT_EQ(fitted, (std::vector<std::int64_t>{1, 8, 64}));
}

TEST(NetworkAccuracy, RowsAreReadAsPublished) {
  const auto rows = load_network_measurements(folder + "a100_resnet50_tensorrt.csv");
  ASSERT_EQ(rows.size(), 18u);
  EXPECT_NEAR(rows[12].microseconds, 1137.0, 0.1);  // FP16, batch 8: 7036.09 images/s
  EXPECT_EQ(rows[12].type, isa::ElementType::f16);
  EXPECT_THROW(load_network_measurements(folder + "a100_s8_gemm.csv"), Error);
}

TEST(NetworkAccuracy, TheFitIsAWeightedMedian) {
  // Residuals 10, 20, 60 of measurements 100, 100, 1000: weights 1/100, 1/100, 1/1000.
  EXPECT_DOUBLE_EQ(fitted_call_us({90, 80, 940}, {100, 100, 1000}), 20);
}

}  // namespace
}  // namespace twofour::nas
