#include "twofour/nas/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stack>

#include "twofour/nas/report/svg.h"

namespace twofour::nas {
namespace {

DemoReport sample() {
  DemoReport r;
  r.network = "net <1> & \"co\"";
  r.data_set = "data & set";
  r.machine = "a100";
  r.batch = 64;
  r.budget_us = 50;
  r.layers = {{"stem", "3x3 1->16", 16, 50176, 9, "int8", 10, "launch", 0.5, "defined"},
              {"conv<script>", "3x3", 16, 784, 144, "int4-4:8", 30, "DRAM", 0.25, "<inferred>"}};
  r.networks = {{"chosen <b>", 0.9, 40, 11.25}, {"fp16", 0.91, 90, 22.5}};
  r.pareto = {{"chosen <b>", "exact", 40, 0.75, 0.9, true},
              {"fp16", "uniform", 90, std::nullopt, 0.91, false},
              {"p2", "exact", 45, 0.5, std::nullopt, false}};
  r.training = {{"fp32", 1, 0.8, 0.7}, {"fp32", 2, 0.6, 0.8}, {"fine-tune", 1, 0.7, std::nullopt}};
  r.check = OutputCheck{100, 123456, 0, 0.9};
  r.seed = 18446744073709551615u;
  r.command = "twofour-nas demo --x='1'";
  r.finished = "2025-01-01T00:00:00Z";
  r.seconds = {{"train", 12.5}};
  r.versions = {{"twofour", "0.1.0"}};
  r.notes = {"a <note>"};
  return r;
}

/// Every tag is closed, in order; fills in the names of the tags.
void expect_balanced(const std::string& html) {
  std::stack<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find_first_of(" \n"));
    if (name[0] == '!' || name == "meta" || tag.back() == '/') continue;
    if (name[0] != '/') {
      open.push(name);
    } else {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ("/" + open.top(), name);
      open.pop();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, SharesAddUpToOne) {
  const DemoReport r = sample();
  EXPECT_EQ(total_latency_us(r), 40);
  EXPECT_EQ(latency_share(r, r.layers[0]), 0.25);
  EXPECT_EQ(latency_share(DemoReport{}, LayerRow{}), 0);
}

TEST(Report, JsonHoldsEveryField) {
  const auto j = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ(j["schema_version"], 1);
  EXPECT_EQ(j["network"], "net <1> & \"co\"");
  EXPECT_EQ(j["latency_us"], 40);
  EXPECT_EQ(j["layers"][1]["option"], "int4-4:8");
  EXPECT_EQ(j["layers"][1]["share"], 0.75);
  EXPECT_EQ(j["layers"][0]["n"], 50176);
  EXPECT_EQ(j["layers"][0]["fidelity"], "defined");
  EXPECT_EQ(j["networks"][0]["latency_batch1_us"], 11.25);
  EXPECT_TRUE(j["pareto"][1]["predicted_cost"].is_null());
  EXPECT_EQ(j["pareto"][0]["chosen"], true);
  EXPECT_EQ(j["training"][1]["accuracy"], 0.8);
  EXPECT_EQ(j["check"]["compared"], 123456);
  EXPECT_EQ(j["seed"], 18446744073709551615u);
  EXPECT_EQ(j["seconds"]["train"], 12.5);
  EXPECT_EQ(j["versions"]["twofour"], "0.1.0");
  DemoReport broken_text = sample();
  broken_text.notes = {"\xff"};
  EXPECT_TRUE(nlohmann::json::accept(to_json(broken_text)));
}

TEST(Report, TextGivesTheAnswerFirstAndAlignsColumns) {
  const std::string text = to_text(sample());
  EXPECT_TRUE(text.starts_with("40.0 us a batch of 64 on a100, budget 50.0 us"));
  EXPECT_NE(text.find("accuracy 90.00 %; 0 of 123456 words differ"), std::string::npos);
  // Numbers end in the same column.
  const std::size_t first = text.find("stem "), second = text.find("conv<script> ");
  const auto line = [&](std::size_t at) { return text.substr(at, text.find('\n', at) - at); };
  EXPECT_EQ(line(first).find("25.0 %") + 6, line(second).find("75.0 %") + 6);
  EXPECT_NE(text.find("note: a <note>"), std::string::npos);
}

TEST(Report, HtmlIsWellFormedEscapedAndSelfContained) {
  const std::string html = to_html(sample());
  expect_balanced(html);
  EXPECT_EQ(html.find("conv<script>"), std::string::npos);
  EXPECT_NE(html.find("conv&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<note>"), std::string::npos);
  EXPECT_NE(html.find("net &lt;1&gt; &amp; &quot;co&quot;"), std::string::npos);
  for (const char* outside : {"<script", "http:", "https:", "src=", "url(", "@import", "<link"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("18446744073709551615"), std::string::npos);
  EXPECT_NE(html.find("123,456"), std::string::npos);
  EXPECT_NE(html.find("<td>&lt;inferred&gt;</td>"), std::string::npos);
}

TEST(Report, EmptyReportsStillGiveAPage) {
  expect_balanced(to_html({}));
  EXPECT_NO_THROW(to_text({}));
  EXPECT_TRUE(nlohmann::json::parse(to_json({}))["check"].is_null());
}

TEST(Plot, StaysInsideItsFrameForAnyData) {
  for (const auto& values :
       {std::vector<double>{1}, {0, 0, 0}, {1e-7, 2e-7}, {-5, 5, 1e6}, {1e9, 1e9 + 1}, {-3, -2}}) {
    Plot plot{"t", "x", "y", {{"s", {}, true}}};
    for (const double v : values) plot.series[0].points.push_back({v, v, "p", false});
    const std::string svg = svg_plot(plot);
    expect_balanced(svg);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
    for (std::size_t at = svg.find("cx=\""); at != std::string::npos; at = svg.find("cx=\"", at + 1)) {
      const double x = std::stod(svg.substr(at + 4)), y = std::stod(svg.substr(svg.find("cy=\"", at) + 4));
      EXPECT_GE(x, 0);
      EXPECT_LE(x, 560);
      EXPECT_GE(y, 0);
      EXPECT_LE(y, 360);
    }
  }
}

}  // namespace
}  // namespace twofour::nas
