#include "twofour/runtime/device_facts.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "twofour/runtime/cuda_abi.h"
#include "twofour/runtime/device_prop.h"

namespace twofour::runtime {
namespace {

// Sizes and offsets in bytes, as g++ gives them with the headers of the CUDA toolkits 12.4 and 13.0.
static_assert(sizeof(DeviceProp12) == 1032 && sizeof(DeviceProp13) == 1008);
static_assert(offsetof(DeviceProp12, clock_khz) == 348 && offsetof(DeviceProp12, sms) == 388);
static_assert(offsetof(DeviceProp13, total_constant) == 352 && offsetof(DeviceProp13, sms) == 384);
static_assert(sizeof(cudaFuncAttributes) == 144 && sizeof(cudaPointerAttributes) == 24);
static_assert(sizeof(cudaLaunchAttribute) == 72 && sizeof(cudaLaunchConfig_t) == 56);

const DeviceFacts& a100() {
  static const DeviceFacts facts = device_facts(isa::load_machine("a100-sxm4-80gb"));
  return facts;
}

TEST(DeviceFacts, OfAnA100) {
  const DeviceProp13 p = device_prop_13(a100());
  EXPECT_STREQ(p.head.name, "NVIDIA A100-SXM4-80GB");
  EXPECT_EQ(p.major * 10 + p.minor, 80);
  EXPECT_EQ(p.sms, 108);
  EXPECT_EQ(p.head.total_global, std::size_t{80} << 30);
  EXPECT_EQ(p.shared_optin, std::size_t{163} << 10);  // 166912 bytes
  EXPECT_EQ(p.shared_per_sm, std::size_t{164} << 10);
  EXPECT_EQ(p.head.shared_per_block, std::size_t{48} << 10);
  EXPECT_EQ(p.threads_per_sm, 2048);
  EXPECT_EQ(p.ctas_per_sm, 32);
  EXPECT_EQ(p.head.max_block_size[2], 64);
  EXPECT_EQ(p.max_grid_size[1], 65535);
}

TEST(DeviceFacts, BothLayoutsAndTheAttributesAgree) {
  for (const auto& name : isa::machine_names()) {
    const DeviceFacts f = device_facts(isa::load_machine(name));
    const DeviceProp12 a = device_prop_12(f);
    const DeviceProp13 b = device_prop_13(f);
    EXPECT_NE(f.name, name) << "has no name of its own";
    EXPECT_EQ(a.sms, b.sms);
    EXPECT_EQ(a.shared_optin, b.shared_optin);
    EXPECT_EQ(a.clusters, b.clusters);
    EXPECT_EQ(device_attribute(f, 16), a.sms);
    EXPECT_EQ(device_attribute(f, 13), a.clock_khz);
    EXPECT_EQ(device_attribute(f, 97), int(b.shared_optin));
    EXPECT_EQ(device_attribute(f, 37), b.bus_bits);
    // Two transfers a clock over the bus: the peak, above what reads reach.
    const double peak = 2e3 * f.memory_khz * f.memory_bus_bits / 8 / 1e9;
    EXPECT_GT(peak, isa::load_machine(name).dram_read_gbs) << name;
    EXPECT_LT(peak, isa::load_machine(name).dram_read_gbs * 1.35) << name;
  }
  EXPECT_FALSE(device_attribute(a100(), 0).has_value());
  EXPECT_FALSE(device_attribute(a100(), 100000).has_value());
}

// By hand: 64 warps, 32 CTAs, 164 KiB an SM; every CTA takes 1 KiB more than it asks for, in steps of 128.
TEST(DeviceFacts, CtasOfAnSm) {
  EXPECT_EQ(active_ctas(a100(), 1024, 0), 2);
  EXPECT_EQ(active_ctas(a100(), 32, 0), 32);
  EXPECT_EQ(active_ctas(a100(), 96, 0), 21);
  EXPECT_EQ(active_ctas(a100(), 33, 0), 32);
  EXPECT_EQ(active_ctas(a100(), 128, 48 << 10), 3);
  EXPECT_EQ(active_ctas(a100(), 128, 40 << 10), 4);
  EXPECT_EQ(active_ctas(a100(), 128, (40 << 10) + 1), 3);
  EXPECT_EQ(active_ctas(a100(), 128, 163 << 10), 1);
  EXPECT_EQ(active_ctas(a100(), 128, (163 << 10) + 1), 0);
  EXPECT_EQ(active_ctas(a100(), 1025, 0), 0);
}

}  // namespace
}  // namespace twofour::runtime
