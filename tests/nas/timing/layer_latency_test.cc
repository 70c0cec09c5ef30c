#include "twofour/nas/timing/layer_latency.h"

#include <gtest/gtest.h>

#include "twofour/emu/timing/stream_latency.h"
#include "twofour/nas/graph/network_zoo.h"

namespace twofour::nas {
namespace {

const isa::Machine& machine() {
  static const isa::Machine m = isa::load_machine("a100-sxm4-80gb");
  return m;
}

/// A stream of the tensors and the multiply-adds on fp32 lanes, written out.
TEST(LayerLatency, DepthwiseLayersStream) {
  const Network n = network_by_name("mobilenetv2", 224, 3, 1000);
  const Layer& l = n.layers[4];
  ASSERT_EQ(l.name, "block2.depthwise");  // 96 channels, 112x112 to 56x56
  for (const auto& [option, bytes] : {std::pair(Option::int8, 1.0), {Option::fp16, 2.0}})
    for (const int batch : {1, 64}) {
      const double in = 112.0 * 112 * 96 * batch, out = 56.0 * 56 * 96 * batch;
      const double moved = (in + out + 96 * 9) * bytes;
      const emu::Latency want =
          emu::stream_latency({.dram_bytes = moved, .l2_bytes = moved, .fma = out * 9}, machine());
      EXPECT_DOUBLE_EQ(layer_latency(l, option, batch, machine()).microseconds, want.microseconds);
    }
}

TEST(LayerLatency, APoolIsAKernelOfItsOwn) {
  const Network n = network_by_name("resnet50", 224, 3, 1000);
  Layer l = n.layers[1];
  ASSERT_EQ(l.pool.kind, PoolKind::max);
  const double bytes = 8.0 * 64 * (112 * 112 + 56 * 56);
  const emu::Latency with = layer_latency(l, Option::int8, 8, machine()),
                     pool = emu::stream_latency({.dram_bytes = bytes, .l2_bytes = bytes}, machine());
  l.pool = {};
  const emu::Latency without = layer_latency(l, Option::int8, 8, machine());
  EXPECT_DOUBLE_EQ(with.microseconds, without.microseconds + pool.microseconds);
  EXPECT_DOUBLE_EQ(with.low_us, without.low_us + pool.low_us);
  EXPECT_DOUBLE_EQ(with.high_us, without.high_us + pool.high_us);
  EXPECT_GT(pool.microseconds, 1);
}

}  // namespace
}  // namespace twofour::nas
