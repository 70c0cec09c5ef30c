#include "twofour/isa/evidence.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

using enum Architecture;

Fidelity grade(const char* name, Architecture architecture = ampere) {
  return evidence(find_instruction(name), architecture).fidelity;
}

TEST(Evidence, GradesByWhatStandsBehindARule) {
  EXPECT_EQ(grade("m16n8k16.f32.f16.f16.f32"), Fidelity::hardware);
  EXPECT_EQ(grade("m16n8k16.f32.bf16.bf16.f32", hopper), Fidelity::hardware);
  EXPECT_EQ(grade("m16n8k32.s32.s8.s8.s32"), Fidelity::defined);
  EXPECT_EQ(grade("sp.m16n8k128.s32.s4.s4.s32"), Fidelity::defined);
  EXPECT_EQ(grade("m8n8k4.f64.f64.f64.f64"), Fidelity::defined);
  EXPECT_EQ(grade("ldmatrix.m8n8.x4.shared.b16"), Fidelity::defined);
  EXPECT_EQ(grade("sp.m16n8k32.f32.f16.f16.f32"), Fidelity::inferred);
  EXPECT_EQ(grade("m16n8k32.f32.e4m3.e5m2.f32", ada), Fidelity::inferred);
}

// wmma is as sure as what it is lowered to, where that was read off machine code.
TEST(Evidence, OfWmmaIsThatOfItsLowering) {
  EXPECT_EQ(grade("wmma.mma.row.col.m16n16k16.f16.f32"), Fidelity::hardware);
  EXPECT_EQ(grade("wmma.mma.col.row.m8n32k16.s32.u8.u8.s32"), Fidelity::defined);
  EXPECT_EQ(grade("wmma.mma.row.col.m16n16k16.f16.f32", hopper), Fidelity::inferred);
}

TEST(Evidence, OfTheQuadPairInstructionChangesWithTheGeneration) {
  EXPECT_EQ(grade("m8n8k4.f32.f16.f16.f32", volta), Fidelity::hardware);
  EXPECT_THROW(grade("m8n8k4.f32.f16.f16.f32", turing), Error);
  EXPECT_EQ(grade("m8n8k4.f32.f16.f16.f32"), Fidelity::inferred);
}

TEST(Evidence, IsRefusedWhereThereIsNoRule) {
  EXPECT_THROW(grade("m16n8k32.f32.e4m3.e4m3.f32"), Error);
  EXPECT_THROW(grade("m16n8k16.f32.bf16.bf16.f32", turing), Error);
}

TEST(Evidence, StrictRefusesWhatIsInferred) {
  EXPECT_NO_THROW(require_measured(find_instruction("m16n8k16.f32.f16.f16.f32"), ampere));
  EXPECT_THROW(require_measured(find_instruction("sp.m16n8k32.f32.f16.f16.f32"), ampere), Error);
}

}  // namespace
}  // namespace twofour::isa
