#include "twofour/emu/timing/gemm_table.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

std::string predict(const std::string& text) {
  return predict_gemms(isa::CsvTable::parse("in.csv", text), a100, Launch::graph);
}

std::string refusal(const std::string& text) {
  try {
    predict(text);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(GemmTable, AppendsColumnsAndKeepsTheRest) {
  const auto out =
      predict("name,M,N,K,dtype,\"a, b\"\r\nfirst,512,512,512,f16,\"x, \"\"y\"\"\"\r\nsecond,1,2,3,s8,\n");
  const auto first = gemm_latency({512, 512, 512, isa::ElementType::f16}, a100);
  const auto second = gemm_latency({1, 2, 3, isa::ElementType::s8}, a100);
  EXPECT_EQ(
      out,
      fmt::format(
          "name,M,N,K,dtype,\"a, b\",predicted_us,low_us,high_us\nfirst,512,512,512,f16,\"x, \"\"y\"\"\","
          "{:.4f},{:.4f},{:.4f}\nsecond,1,2,3,s8,,{:.4f},{:.4f},{:.4f}\n",
          first.microseconds, first.low_us, first.high_us, second.microseconds, second.low_us,
          second.high_us));
}

TEST(GemmTable, ReadsTheSparseColumn) {
  const auto table =
      isa::CsvTable::parse("in.csv", "M,N,K,dtype,sparse\n1,2,64,f16,1\n1,2,64,f16,0\n1,2,64,s4,true\n");
  EXPECT_TRUE(gemm_problem(table, table.rows()[0], Launch::graph).sparse);
  EXPECT_FALSE(gemm_problem(table, table.rows()[1], Launch::graph).sparse);
  EXPECT_TRUE(gemm_problem(table, table.rows()[2], Launch::graph).sparse);
}

TEST(GemmTable, RefusalsNameFileLineAndColumn) {
  EXPECT_TRUE(refusal("").starts_with("in.csv:1:1: "));
  EXPECT_NE(refusal("M,N,dtype\n1,2,f16\n").find("in.csv:1:1: column 'K' is missing"), std::string::npos);
  EXPECT_TRUE(refusal("M,N,K,dtype,M\n").starts_with("in.csv:1:13: column 'M' appears twice"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2,3,f16\n1,2,3\n").starts_with("in.csv:3:5: the row has 3 fields"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2x,3,f16\n").starts_with("in.csv:2:3: N is '2x', not an integer"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,,3,f16\n").starts_with("in.csv:2:3: N is ''"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2,0,f16\n").starts_with("in.csv:2:5: K must be at least 1"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n99999999999999999999,2,0,f16\n").starts_with("in.csv:2:1: M is"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2,3,int8\n").starts_with("in.csv:2:7: unknown dtype 'int8'"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2,3,f64\n").starts_with("in.csv:2:7: "));
  EXPECT_TRUE(refusal("M,N,K,dtype,sparse\n1,2,3,b1,1\n").starts_with("in.csv:2:7: "));
  EXPECT_TRUE(refusal("M,N,K,dtype,sparse\n1,2,3,f16,2:4\n").starts_with("in.csv:2:11: sparse is '2:4'"));
  EXPECT_TRUE(refusal("M,N,K,dtype\n1,2,3,\"f16\n").starts_with("in.csv:2:7: the quote is not closed"));
  EXPECT_NE(refusal("M,N,K,dtype,predicted_us\n1,2,3,f16,4\n").find("'predicted_us' already"),
            std::string::npos);
}

}  // namespace
}  // namespace twofour::emu
