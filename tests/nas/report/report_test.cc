#include "twofour/nas/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stack>

#include "twofour/nas/report/svg.h"

namespace twofour::nas {
namespace {

Report sample() {
  Report r;
  r.network = "net <1> & \"co\"";
  r.data_set = "data & set";
  r.machine = "a100";
  r.batch = 64;
  r.seeds = {18446744073709551615u};
  const std::vector<LayerRow> layers{
      {"stem", "3x3 1->16 /1 @8x8", 16, 50176, 9, "int8", 10, 9, 11, "launch", "defined"},
      {"conv<script>", "3x3 16->16 /1 @8x8", 16, 784, 144, "int4-4:8", 30, 27, 36, "DRAM", "<inferred>"}};
  const auto row = [&](std::string group, std::string method, double budget, double us, double accuracy) {
    NetworkRow n{
        .seed = r.seeds[0], .group = std::move(group), .method = std::move(method), .budget = budget};
    n.latency_us = us;
    n.low_us = 0.9 * us;
    n.high_us = 1.2 * us;
    n.latency_batch1_us = us / 4;
    n.accuracy = accuracy;
    n.layers = layers;
    n.check = OutputCheck{100, 123456, 0, 0.9};
    return n;
  };
  r.networks = {row("uniform", "fp16", 0, 90, 0.91), row("uniform", "int8-2:4", 0, 60, 0.9),
                row("MSPS", "exact", 0.75, 40, 0.8985), row("MSPS", "ran<dom", 0.75, 44, 0.88)};
  r.networks[2].predicted_cost = 0.75;
  r.searches = {{r.seeds[0], "MSPS", "exact", 0.75, 12345, 1.5, "optimal"}};
  r.uncertainty = {{r.seeds[0], "MSPS", 0.75, "all <low>", 3, 10, std::nullopt, false},
                   {r.seeds[0], "MSPS", 0.75, "all high", 1, 10, 0.125, true}};
  r.training = {{r.seeds[0], "fp32", 1, 0.8, 0.7},
                {r.seeds[0], "fp32", 2, 0.6, 0.8},
                {r.seeds[0], "fine-tune", 1, 0.7, std::nullopt}};
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

TEST(Report, JsonHoldsEveryField) {
  const auto j = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ(j["schema_version"], 2);
  EXPECT_EQ(j["network"], "net <1> & \"co\"");
  EXPECT_EQ(j["networks"][2]["name"], "MSPS exact 0.75x");
  EXPECT_EQ(j["networks"][2]["layers"][1]["option"], "int4-4:8");
  EXPECT_EQ(j["networks"][2]["layers"][1]["high_us"], 36);
  EXPECT_EQ(j["networks"][0]["layers"][0]["n"], 50176);
  EXPECT_EQ(j["networks"][0]["latency_batch1_us"], 22.5);
  EXPECT_TRUE(j["networks"][0]["predicted_cost"].is_null());
  EXPECT_EQ(j["networks"][2]["predicted_cost"], 0.75);
  EXPECT_EQ(j["networks"][3]["check"]["compared"], 123456);
  EXPECT_EQ(j["searches"][0]["evaluations"], 12345);
  EXPECT_EQ(j["uncertainty"][0]["meets_budget"], false);
  EXPECT_TRUE(j["uncertainty"][0]["regret"].is_null());
  EXPECT_EQ(j["uncertainty"][1]["regret"], 0.125);
  EXPECT_EQ(j["training"][1]["accuracy"], 0.8);
  EXPECT_EQ(j["against_uniform_sparse_int8"][2]["method"], "exact");
  EXPECT_EQ(j["against_uniform_sparse_int8"][2]["speedup"], 1.5);
  EXPECT_EQ(j["seeds"][0], 18446744073709551615u);
  EXPECT_EQ(j["seconds"]["train"], 12.5);
  EXPECT_EQ(j["versions"]["twofour"], "0.1.0");
  Report broken_text = sample();
  broken_text.notes = {"\xff"};
  EXPECT_TRUE(nlohmann::json::accept(to_json(broken_text)));
}

TEST(Report, TextAlignsColumns) {
  const std::string text = to_text(sample());
  EXPECT_TRUE(text.starts_with("net <1> & \"co\" on a100, batch 64"));
  const std::size_t first = text.find("stem "), second = text.find("conv<script> ");
  const auto line = [&](std::size_t at) { return text.substr(at, text.find('\n', at) - at); };
  EXPECT_EQ(line(first).find("10.00") + 5, line(second).find("30.00") + 5);
  EXPECT_NE(text.find("1.50x"), std::string::npos);
  EXPECT_NE(text.find("3 of 10"), std::string::npos);
  EXPECT_NE(text.find("note: a <note>"), std::string::npos);
}

TEST(Report, HtmlIsWellFormedEscapedAndSelfContained) {
  const std::string html = to_html(sample());
  expect_balanced(html);
  EXPECT_EQ(html.find("conv<script>"), std::string::npos);
  EXPECT_NE(html.find("conv&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find("ran<dom"), std::string::npos);
  EXPECT_EQ(html.find("<note>"), std::string::npos);
  EXPECT_EQ(html.find("<low>"), std::string::npos);
  EXPECT_NE(html.find("net &lt;1&gt; &amp; &quot;co&quot;"), std::string::npos);
  for (const char* outside : {"<script", "http:", "https:", "src=", "url(", "@import", "<link"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("18446744073709551615"), std::string::npos);
  EXPECT_NE(html.find("123,456"), std::string::npos);
  EXPECT_NE(html.find("1.50×"), std::string::npos);
}

TEST(Report, EmptyReportsStillGiveAPage) {
  expect_balanced(to_html({}));
  EXPECT_NO_THROW(to_text({}));
  EXPECT_TRUE(nlohmann::json::parse(to_json({}))["networks"].empty());
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
