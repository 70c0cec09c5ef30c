#include "twofour/isa/fragment_places.h"

#include <gtest/gtest.h>

namespace twofour::isa {
namespace {

struct Expected {
  const char* instruction;
  Operand operand;
  int row, col;
  int lane, reg, element, bit, bits;
};

// Read off the fragment figures of PTX ISA 9.1, 9.7.14 (g = lane / 4, t = lane % 4).
TEST(FragmentPlaces, AgreeWithTheFigures) {
  using enum Operand;
  for (const Expected& e :
       {// m16n8k16 f16, A: rows g and g + 8 in registers 0 and 1, k + 8 in registers 2 and 3.
        Expected{"m16n8k16.f32.f16.f16.f32", a, 0, 0, 0, 0, 0, 0, 16},
        Expected{"m16n8k16.f32.f16.f16.f32", a, 10, 3, 9, 1, 1, 16, 16},
        Expected{"m16n8k16.f32.f16.f16.f32", a, 5, 14, 23, 2, 0, 0, 16},
        Expected{"m16n8k16.f32.f16.f16.f32", a, 15, 15, 31, 3, 1, 16, 16},
        Expected{"m16n8k16.f32.f16.f16.f32", b, 9, 6, 24, 1, 1, 16, 16},
        // C: f32 an element a register; f16 columns 2t and 2t + 1 in one.
        Expected{"m16n8k16.f32.f16.f16.f32", c, 12, 5, 18, 3, 0, 0, 32},
        Expected{"m16n8k16.f16.f16.f16.f16", d, 12, 5, 18, 1, 1, 16, 16},
        // Four bytes, eight nibbles, 32 bits a register.
        Expected{"m16n8k32.s32.s8.s8.s32", a, 9, 22, 5, 3, 2, 16, 8},
        Expected{"m16n8k32.s32.s8.s8.s32", b, 31, 7, 31, 1, 3, 24, 8},
        Expected{"m16n8k64.s32.s4.s4.s32", a, 0, 45, 1, 2, 5, 20, 4},
        Expected{"m16n8k256.s32.b1.b1.s32.xor", b, 200, 3, 14, 1, 8, 8, 1},
        Expected{"m16n8k8.f32.tf32.tf32.f32", a, 9, 6, 6, 3, 0, 0, 32},
        // Sparse A is a dense A of its kept half; B is whole.
        Expected{"sp.m16n8k32.f32.f16.f16.f32", a, 3, 11, 13, 2, 1, 16, 16},
        Expected{"sp.m16n8k32.f32.f16.f16.f32", b, 27, 2, 9, 3, 1, 16, 16},
        Expected{"m8n8k16.s32.s8.s8.s32", a, 6, 13, 27, 0, 1, 8, 8}}) {
    const FragmentMap map = fragment_map(find_instruction(e.instruction), e.operand);
    ASSERT_EQ(map.at(e.row, e.col).size(), 1u);
    const FragmentPlace p = map.at(e.row, e.col)[0];
    EXPECT_EQ(std::tie(p.lane, p.reg, p.element, p.bit, p.bits),
              std::tie(e.lane, e.reg, e.element, e.bit, e.bits))
        << e.instruction << " " << e.row << "," << e.col << ": " << place_text(p);
    EXPECT_EQ(p.count, 1);
  }
}

TEST(FragmentPlaces, DoublesTakeTwoRegisters) {
  const Instruction& i = find_instruction("m8n8k4.f64.f64.f64.f64");
  const FragmentPlace p = fragment_map(i, Operand::c).at(2, 5)[0];  // lane 4 * 2 + 2, second element
  EXPECT_EQ(p, (FragmentPlace{10, 1, 2, 2, 0, 0, 32}));
  EXPECT_EQ(place_text(p), "lane 10 registers 2 and 3");
}

TEST(FragmentPlaces, HoldEveryElementOfEveryLane) {
  for (const Instruction& i : instructions())
    for (const Operand o : {Operand::a, Operand::b, Operand::c, Operand::d}) {
      const FragmentMap map = fragment_map(i, o);
      int held = 0;
      for (const auto& places : map.places) {
        EXPECT_FALSE(places.empty()) << short_name(i);
        held += int(places.size());
      }
      EXPECT_EQ(held, 32 * elements_per_lane(i, o)) << short_name(i);
    }
}

}  // namespace
}  // namespace twofour::isa
