#include "twofour/nas/timing/network_table.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

TEST(NetworkTable, HasEveryLegalOptionAndTheChosenOnes) {
  const Network network = resnet_small(1, 16, 1, 8);
  std::vector<Option> chosen(network.layers.size(), Option::int8);
  chosen[1] = Option::int4_sparse, chosen[2] = Option::bf16;
  const auto rows = network_table(network, chosen, 16, a100);
  std::size_t expected = 0, marked = 0, next = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    expected += legal_options(network, i).size() + (chosen[i] == Option::bf16 ? 1 : 0);
  ASSERT_EQ(rows.size(), expected);
  for (const NetworkTableRow& r : rows) {
    while (network.layers[next].name != r.layer) ++next;
    EXPECT_EQ(r.latency.microseconds, layer_latency(network.layers[next], r.option, 16, a100).microseconds);
    EXPECT_EQ(r.chosen, r.option == chosen[next]);
    marked += r.chosen ? 1 : 0;
  }
  EXPECT_EQ(marked, chosen.size());
  EXPECT_THROW(network_table(network, {}, 1, a100), Error);
}

TEST(NetworkTable, CsvByHand) {
  NetworkTableRow row{"a,b", Option::int8_sparse, true, {}};
  row.latency.microseconds = 1.25, row.latency.low_us = 1, row.latency.high_us = 2.00006;
  row.latency.bound = emu::Bound::dram;
  EXPECT_EQ(network_csv({row}),
            "layer,option,chosen,latency_us,low_us,high_us,bound,fidelity\n"
            "\"a,b\",int8-2:4,1,1.2500,1.0000,2.0001,DRAM,estimated\n");
}

}  // namespace
}  // namespace twofour::nas
