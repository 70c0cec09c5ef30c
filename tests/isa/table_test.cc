#include <gtest/gtest.h>

#include <set>

#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::isa {
namespace {

TEST(Table, HoldsTheDocumentedRowsOfTheLargeShapes) {
  for (const char* name :
       {"m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.f16.f16.f32", "m16n8k16.f32.bf16.bf16.f32",
        "sp.m16n8k32.f32.bf16.bf16.f32", "m16n8k8.f32.tf32.tf32.f32", "sp.m16n8k16.f32.tf32.tf32.f32",
        "m16n8k32.s32.s8.s8.s32", "sp.m16n8k64.s32.s8.s8.s32", "m16n8k64.s32.s4.s4.s32",
        "sp.m16n8k128.s32.s4.s4.s32", "m16n8k256.s32.b1.b1.s32.and", "m16n8k256.s32.b1.b1.s32.xor"})
    EXPECT_EQ(short_name(find_instruction(name)), name);
}

TEST(Table, NamesAreUniqueAndFindTheirRow) {
  std::set<std::string> names;
  for (const auto& row : instructions()) {
    EXPECT_TRUE(names.insert(short_name(row)).second) << short_name(row);
    EXPECT_TRUE(ptx_name(row) == short_name(row) || names.insert(ptx_name(row)).second) << ptx_name(row);
    EXPECT_EQ(&find_instruction(short_name(row)), &row);
    EXPECT_EQ(&find_instruction(ptx_name(row)), &row);
  }
}

// Spellings from the PTX ISA and from machine code that ptxas emits for sm_80.
TEST(Table, SpellsPtxAndSass) {
  const auto& sp = find_instruction("sp.m16n8k32.f32.bf16.bf16.f32");
  EXPECT_EQ(ptx_name(sp), "mma.sp.sync.aligned.m16n8k32.row.col.f32.bf16.bf16.f32");
  EXPECT_EQ(sass_name(sp), "HMMA.SP.16832.F32.BF16");
  const auto& xor256 = find_instruction("m16n8k256.s32.b1.b1.s32.xor");
  EXPECT_EQ(ptx_name(xor256), "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc");
  EXPECT_EQ(sass_name(xor256), "BMMA.168256.XOR.POPC");
  EXPECT_EQ(sass_name(find_instruction("sp.m16n8k128.s32.s4.u4.s32")), "IMMA.SP.168128.S4.U4");
  EXPECT_EQ(sass_name(find_instruction("m16n8k8.f32.tf32.tf32.f32")), "HMMA.1688.F32.TF32");
  EXPECT_EQ(sass_name(find_instruction("m8n8k4.f64.f64.f64.f64")), "DMMA.884");
}

struct RegisterCase {
  const char* name;
  int a, b, c;
};
// PTX ISA 9.1, the operand lists of 9.7.14.
TEST(Table, CountsRegisters) {
  for (const RegisterCase& want : {RegisterCase{"m16n8k16.f32.f16.f16.f32", 4, 2, 4},
                                   {"m16n8k16.f16.f16.f16.f16", 4, 2, 2},
                                   {"m16n8k4.f32.tf32.tf32.f32", 2, 1, 4},
                                   {"m8n8k16.s32.s8.s8.s32", 1, 1, 2},
                                   {"m16n8k256.s32.b1.b1.s32.and", 4, 2, 4},
                                   {"m8n8k4.f64.f64.f64.f64", 2, 2, 4},
                                   {"sp.m16n8k32.f32.f16.f16.f32", 4, 4, 4},
                                   {"sp.m16n8k8.f32.tf32.tf32.f32", 2, 2, 4},
                                   {"sp.m16n8k128.s32.s4.s4.s32", 4, 4, 4}}) {
    const auto& i = find_instruction(want.name);
    EXPECT_EQ(registers(i, Operand::a), want.a) << want.name;
    EXPECT_EQ(registers(i, Operand::b), want.b) << want.name;
    EXPECT_EQ(registers(i, Operand::c), want.c) << want.name;
  }
}

// The A100's peaks follow from the intervals: FMA of an instruction / interval * 4 sub-cores.
TEST(Table, IntervalsGiveThePublishedPeaks) {
  const auto a100 = load_machine("a100-sxm4-80gb");
  const auto per_cycle = [&](const char* name) {
    const auto& i = find_instruction(name);
    return 4 * i.fma() / issue_timing(i, a100).interval;
  };
  EXPECT_EQ(per_cycle("m16n8k16.f32.f16.f16.f32"), 1024);
  EXPECT_EQ(per_cycle("sp.m16n8k32.f32.f16.f16.f32"), 2048);
  EXPECT_EQ(per_cycle("m16n8k8.f32.tf32.tf32.f32"), 512);
  EXPECT_EQ(per_cycle("m16n8k32.s32.s8.s8.s32"), 2048);
  EXPECT_EQ(per_cycle("m16n8k64.s32.s4.s4.s32"), 4096);
  EXPECT_EQ(per_cycle("m16n8k256.s32.b1.b1.s32.xor"), 16384);
  EXPECT_EQ(per_cycle("m8n8k4.f64.f64.f64.f64"), 64);
}

TEST(Table, ReadsQualifiersWherePtxAllowsThem) {
  const auto& s8 = find_instruction("m16n8k32.s32.s8.s8.s32");
  for (const char* text : {"mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32",
                           "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32.satfinite {%r0,%r1,%r2,%r3}, ...",
                           "m16n8k32.s32.s8.s8.s32.satfinite"}) {
    const auto spelling = parse_spelling(text);
    EXPECT_EQ(spelling.instruction, &s8) << text;
    EXPECT_TRUE(spelling.satfinite) << text;
  }
  EXPECT_FALSE(parse_spelling("m16n8k32.s32.s8.s8.s32").satfinite);
  const auto wmma = parse_spelling("wmma.mma.sync.aligned.row.col.m8n8k4.rm.f64.f64.f64.f64 {d0,d1}");
  EXPECT_EQ(wmma.instruction, &find_instruction("wmma.mma.row.col.m8n8k4.f64.f64.f64.f64"));
  EXPECT_EQ(wmma.rounding, Rounding::downward);
  EXPECT_EQ(parse_spelling("cp.async.ca.shared.global 16, src-size").instruction->movement.copy,
            "ca.shared.global 16, src-size");
  for (const char* wrong : {"m16n8k16.f32.f16.f16.f32.satfinite", "m16n8k256.s32.b1.b1.s32.xor.satfinite",
                            "m16n8k16.f32.f16.f16.f32.rz", "m8n8k4.rz.rn.f64.f64.f64.f64", "", "satfinite"})
    EXPECT_THROW(parse_spelling(wrong), Error) << wrong;
}

TEST(Table, UnknownNameIsRefusedWithCloseRows) {
  try {
    find_instruction("m16n8k8.f32.f16.f16.f64");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("m16n8k8.f32.f16.f16.f32"), std::string::npos) << e.what();
  }
}

TEST(Element, UnknownTypeListsTheKnownOnes) {
  try {
    parse_element("fp16");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("bf16"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofour::isa
