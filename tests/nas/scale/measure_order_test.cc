#include "twofour/nas/scale/measure_order.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

TEST(MeasureOrder, TextBringsItBack) {
  const MeasureOrder order = order_from(to_text(MeasureOrder{12345678901234567890u, {3, 0, 12}}));
  EXPECT_EQ(order.number, 12345678901234567890u);
  EXPECT_EQ(order.candidate, (Candidate{3, 0, 12}));
  EXPECT_EQ(order_from(to_text(MeasureOrder{1, {}})).candidate, Candidate{});
  EXPECT_THROW(order_from("no number"), Error);
}

TEST(MeasureAnswer, NumbersComeBackBitForBit) {
  for (const double x :
       {0.1 + 0.2, 1e-310, std::numeric_limits<double>::infinity(), 0.0, 2.302585092994046}) {
    const Measurement m{x, 1.0 / 3};
    EXPECT_EQ(std::get<Measurement>(answer_from(to_text(MeasureAnswer{7, m})).result), m);
  }
  const MeasureAnswer nan = answer_from(to_text(MeasureAnswer{7, Measurement{std::nan(""), 0}}));
  EXPECT_TRUE(std::isnan(std::get<Measurement>(nan.result).loss));
  EXPECT_EQ(nan.number, 7u);
}

TEST(MeasureAnswer, ErrorsComeBackAsTheyWere) {
  const std::string text = "disk full\nsecond line 1 2";
  EXPECT_EQ(std::get<std::string>(answer_from(to_text(MeasureAnswer{7, text})).result), text);
  EXPECT_THROW(answer_from("7"), Error);
  EXPECT_THROW(answer_from("7 0.5"), Error);
}

TEST(Greeting, IsToldFromAnswers) {
  const Fingerprint f{{"space", "a\nb"}};
  EXPECT_EQ(greeting_from(greeting(f)), f);
  EXPECT_FALSE(greeting_from(to_text(MeasureAnswer{7, Measurement{}})));
}

}  // namespace
}  // namespace twofour::nas
