#include <gtest/gtest.h>

#include "twofour/isa/error.h"
#include "twofour/nas/search/solver.h"

namespace twofour::nas {
namespace {

void expect_refused(const std::string& text, const std::string& words) {
  try {
    parse_table(text, "t.csv");
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos)
        << "wanted: " << words << "\ngot: " << e.what();
  }
}

TEST(Table, ReadsColumnsInAnyOrderWithQuotesAndCrlf) {
  const CostTable t = parse_table(
      "latency_ms,tie,option,layer,cost\r\n1.5,g,int8,\"conv, \"\"one\"\"\",-2e-3\r\n\r\n2,g,int4,\"conv, "
      "\"\"one\"\"\",0\r\n"
      "3,,int8,b,\"4\"",
      "t.csv");
  ASSERT_EQ(t.layers.size(), 2u);
  EXPECT_EQ(t.layers[0].name, "conv, \"one\"");
  EXPECT_EQ(t.layers[0].tie, "g");
  ASSERT_EQ(t.layers[0].options.size(), 2u);
  EXPECT_EQ(t.layers[0].options[0].name, "int8");
  EXPECT_EQ(t.layers[0].options[0].cost, -2e-3);
  EXPECT_EQ(t.layers[0].options[1].latency_ms, 2);
  EXPECT_EQ(t.layers[1].tie, "");
  EXPECT_EQ(t.layers[1].options[0].cost, 4);
}

TEST(Table, GathersLinesOfALayerAndTakesAByteOrderMark) {
  const CostTable t =
      parse_table("\xef\xbb\xbflayer,option,cost,latency_ms\na,x,1,1\nb,x,1,1\na,y,2,0\n", "t.csv");
  ASSERT_EQ(t.layers.size(), 2u);
  EXPECT_EQ(t.layers[0].options.size(), 2u);
}

TEST(Table, NamesFileLineAndField) {
  const std::string head = "layer,option,cost,latency_ms\n";
  expect_refused(head + "a,x,1,1\na,y,one,1\n", "t.csv:3:5: cost is 'one', not a number");
  expect_refused(head + "a,x,1,nan\n", "t.csv:2:7: latency_ms is 'nan'");
  expect_refused(head + "a,x,inf,1\n", "t.csv:2:5: cost is 'inf'");
  expect_refused(head + "a,x,1e999,1\n", "t.csv:2:5: cost is '1e999'");
  expect_refused(head + "a,x,1,-0.5\n", "t.csv:2:7: latency_ms is -0.5; a latency is at least 0");
  expect_refused(head + "a,x,1,\n", "t.csv:2:7: latency_ms is ''");
  expect_refused(head + "a,x,1,1 ms\n", "t.csv:2:7: latency_ms is '1 ms'");
  expect_refused(head + "a,x,1,1\n\na,x,2,2\n", "t.csv:4:3: option 'x' of layer 'a' appears twice");
  expect_refused(head + ",x,1,1\n", "t.csv:2:1: layer is empty");
  expect_refused(head + "a,,1,1\n", "t.csv:2:3: option is empty");
  expect_refused(head + "a,x,1\n", "t.csv:2:5: the row has 3 fields, the header 4");
  expect_refused(head + "a,x,1,1,1\n", "t.csv:2:9: the row has 5 fields");
  expect_refused(head + "a,\"x,1,1\n", "t.csv:2:3: the quote is not closed");
  expect_refused(head + "a,\"x\"y,1,1\n", "t.csv:2:6: expected a comma after the closing quote");
  expect_refused(head + "a,x\"y,1,1\n", "t.csv:2:4: a quote in the middle");
}

TEST(Table, RefusesBadHeadersAndTies) {
  expect_refused("", "t.csv:1:1: the table is empty");
  expect_refused("\n\r\n", "t.csv:1:1: the table is empty");
  expect_refused("layer,option,cost,latency_ms\n", "t.csv: the search table has no layers");
  expect_refused("layer,option,cost\na,x,1\n", "t.csv:1:1: column 'latency_ms' is missing");
  expect_refused("layer,option,cost,latency_ms,bits\n", "t.csv:1:30: unknown column 'bits'");
  expect_refused("layer,option,cost,latency_ms,cost\n", "t.csv:1:30: column 'cost' appears twice");
  const std::string head = "layer,option,cost,latency_ms,tie\n";
  expect_refused(head + "a,x,1,1,g\na,y,1,1,h\n", "t.csv:3:9: tie is 'h'");
  expect_refused(head + "a,x,1,1,g\nb,y,1,1,g\n", "tie 'g': layer 'b' shares no option");
}

TEST(Table, RefusesAFileThatIsNotThere) {
  EXPECT_THROW(read_table("/nonexistent/table.csv"), Error);
}

}  // namespace
}  // namespace twofour::nas
