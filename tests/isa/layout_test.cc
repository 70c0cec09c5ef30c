#include "twofour/isa/layout.h"

#include <gtest/gtest.h>

namespace twofour::isa {
namespace {

TEST(Layout, EveryOperandOfEveryRowCoversItsTileOnce) {
  for (const auto& i : instructions())
    for (const auto o : {Operand::a, Operand::b, Operand::c, Operand::d})
      EXPECT_TRUE(!has_fragment(i, o) || is_bijective(i, o)) << short_name(i) << " operand " << int(o);
}

struct Place {
  const char* name;
  Operand operand;
  int lane, index;
  Coordinate at;
};
// Read off the tables and figures of the PTX ISA (9.7.14.4 and 9.7.14.5), written as numbers.
TEST(Layout, AgreesWithThePtxTables) {
  for (const Place& p : {
           Place{"m16n8k16.f32.f16.f16.f32", Operand::a, 0, 0, {0, 0}},
           {"m16n8k16.f32.f16.f16.f32", Operand::a, 0, 2, {8, 0}},
           {"m16n8k16.f32.f16.f16.f32", Operand::a, 0, 4, {0, 8}},
           {"m16n8k16.f32.f16.f16.f32", Operand::a, 31, 7, {15, 15}},
           {"m16n8k16.f32.f16.f16.f32", Operand::b, 6, 3, {13, 1}},
           {"m16n8k16.f32.f16.f16.f32", Operand::c, 9, 2, {10, 2}},
           {"m16n8k8.f32.tf32.tf32.f32", Operand::a, 5, 1, {9, 1}},
           {"m16n8k8.f32.tf32.tf32.f32", Operand::a, 5, 2, {1, 5}},
           {"m16n8k32.s32.s8.s8.s32", Operand::a, 1, 4, {8, 4}},
           {"m16n8k32.s32.s8.s8.s32", Operand::a, 1, 8, {0, 20}},
           {"m16n8k32.s32.s8.s8.s32", Operand::b, 4, 5, {17, 1}},
           {"m16n8k64.s32.s4.s4.s32", Operand::a, 2, 16, {0, 48}},
           {"m16n8k256.s32.b1.b1.s32.xor", Operand::a, 1, 64, {0, 160}},
           {"m8n8k4.f64.f64.f64.f64", Operand::a, 7, 0, {1, 3}},
           {"m8n8k4.f64.f64.f64.f64", Operand::c, 7, 1, {1, 7}},
           {"m8n8k16.s32.s8.s8.s32", Operand::a, 3, 3, {0, 15}},
           {"sp.m16n8k32.f32.f16.f16.f32", Operand::a, 3, 4, {0, 14}},
           {"sp.m16n8k32.f32.f16.f16.f32", Operand::b, 1, 6, {26, 0}},
       }) {
    EXPECT_EQ(coordinate(find_instruction(p.name), p.operand, p.lane, p.index), p.at)
        << p.name << " operand " << int(p.operand) << " lane " << p.lane << " element " << p.index;
  }
}

}  // namespace
}  // namespace twofour::isa
