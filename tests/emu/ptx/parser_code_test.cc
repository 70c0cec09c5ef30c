// Bodies: registers, scopes, labels, operands, calls.
#include <gtest/gtest.h>

#include <bit>

#include "parser_helpers.h"

namespace twofour::emu::ptx {
namespace {

using Kind = Operand::Kind;

TEST(PtxCode, OpcodeModifiersAndText) {
  const Function f = kernel_of(R"(.reg .b32 r<9>; .reg .pred p;
  @!p  mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32
       {r0, r1}, // four
       {r2}, /* and */ {r3}, {r4}, r5, 0x1;)");
  const Instruction& i = f.code.at(0);
  EXPECT_EQ(i.opcode, "mma");
  EXPECT_EQ(i.modifiers, (std::vector<std::string>{"sp::ordered_metadata", "sync", "aligned", "m16n8k32",
                                                   "row", "col", "f32", "f16", "f16", "f32"}));
  EXPECT_TRUE(i.has("row"));
  EXPECT_FALSE(i.has("sp"));
  EXPECT_EQ(
      i.text,
      "@!p mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {r0, r1}, {r2}, {r3}, "
      "{r4}, r5, 0x1");
  EXPECT_EQ(f.registers.at(i.predicate).name, "p");
  EXPECT_TRUE(i.predicate_negated);
  EXPECT_EQ(i.at.line, 6);
  EXPECT_EQ(i.at.column, 3);
  EXPECT_EQ(i.operands.at(1).at.line, 8);
  EXPECT_EQ(i.operands.at(1).at.column, 8);
}

TEST(PtxCode, OnlyMentionedRegistersAreNumbered) {
  const Function f = kernel_of(R"(.reg .b32 %r<1000000>, x, unused; .reg .f64 %fd<3>;
    mov.b32 x, %r999999; mov.b32 %r7, x; abs.f64 %fd2, %fd0;)");
  ASSERT_EQ(f.registers.size(), 5u);
  const std::pair<const char*, Type> expected[] = {{"x", Type::b32},
                                                   {"%r999999", Type::b32},
                                                   {"%r7", Type::b32},
                                                   {"%fd2", Type::f64},
                                                   {"%fd0", Type::f64}};
  for (std::size_t n = 0; n < 5; ++n) {
    EXPECT_EQ(f.registers[n].name, expected[n].first);
    EXPECT_EQ(f.registers[n].type, expected[n].second);
  }
  EXPECT_EQ(f.code[1].operands[1].reg, 0);
}

TEST(PtxCode, RangesOfRegistersMayEndInDigits) {
  const Function f =
      kernel_of(".reg .b32 r<5>; .reg .b64 r1<3>; .reg .f32 q; mov.b32 r1, r12; mov.b32 r10, r4;");
  const auto type_of = [&](int code, int operand) {
    return f.registers.at(f.code.at(code).operands.at(operand).reg).type;
  };
  EXPECT_EQ(type_of(0, 0), Type::b32);
  EXPECT_EQ(type_of(0, 1), Type::b64);
  EXPECT_EQ(type_of(1, 0), Type::b64);
  EXPECT_EQ(type_of(1, 1), Type::b32);
}

TEST(PtxCode, InnerScopesHideOuterNames) {
  const Function f = kernel_of(R"(.reg .b32 %r<4>, t; .shared .b8 s[4];
    mov.b32 t, %r1;
    { .reg .f32 t, %r<2>; .shared .b8 s[8];
      mov.b32 t, %r1; mov.b32 %r2, s;
      { .reg .b64 %r1; mov.b64 %r1, %r2; } }
    { .reg .f64 t; mov.b64 t, %r1; }
    mov.b32 t, s;)");
  const auto reg = [&](int code, int operand) {
    return f.registers.at(f.code.at(code).operands.at(operand).reg);
  };
  EXPECT_EQ(reg(0, 0).name, "t");
  EXPECT_EQ(reg(0, 1).name, "%r1");
  EXPECT_EQ(reg(1, 0).name, "t#2");
  EXPECT_EQ(reg(1, 0).type, Type::f32);
  EXPECT_EQ(reg(1, 1).name, "%r1#2");
  EXPECT_EQ(reg(1, 1).type, Type::f32);
  EXPECT_EQ(reg(2, 0).name, "%r2");
  EXPECT_EQ(f.code[2].operands[1].symbol, "s#2");
  EXPECT_EQ(reg(3, 0).type, Type::b64);
  EXPECT_EQ(f.code[3].operands[1].reg, f.code[2].operands[0].reg);
  EXPECT_EQ(reg(4, 0).type, Type::f64);
  EXPECT_EQ(f.code[4].operands[1].reg, f.code[0].operands[1].reg);
  EXPECT_EQ(f.code[5].operands[0].reg, f.code[0].operands[0].reg);
  EXPECT_EQ(f.code[5].operands[1].symbol, "s");
  ASSERT_EQ(f.variables.size(), 2u);
  EXPECT_EQ(f.variables[1].name, "s#2");
  EXPECT_EQ(f.variables[1].bytes, 8);
}

TEST(PtxCode, NamesOfAFunctionDifferFromThoseOfTheModule) {
  const Module m = module_of(R"(.shared .b32 s;
    .entry a(.param .b32 s) { .reg .b32 r; ld.param.b32 r, [s]; { .local .b32 s; mov.b32 r, s; } }
    .entry b() { .reg .b32 r; .global .b32 g = 3; mov.b32 r, s; mov.b32 r, g; })");
  const Function &a = m.functions.at(0), &b = m.functions.at(1);
  EXPECT_EQ(a.parameters[0].name, "s#2");
  EXPECT_EQ(a.code[0].operands[1].symbol, "s#2");
  EXPECT_EQ(a.code[1].operands[1].symbol, "s#3");
  EXPECT_EQ(b.code[0].operands[1].symbol, "s");
  EXPECT_EQ(b.code[1].operands[1].symbol, "g#b");
  ASSERT_NE(m.variable("g#b"), nullptr);
  EXPECT_EQ(m.variable("g#b")->initial.at(0), 3);
  EXPECT_TRUE(b.variables.empty());
}

TEST(PtxCode, LabelsArePositions) {
  const Function f = kernel_of(R"(.reg .pred p;
    top: bra.uni end;
    { bra l; bra top; l: { bra l; l: ret; } @p bra l; }
    l: bra l;
    end:)");
  // 0: bra end, 1: bra l, 2: bra top, 3: bra l (innermost), 4: ret, 5: bra l, 6: bra l (outermost)
  ASSERT_EQ(f.code.size(), 7u);
  const int targets[] = {7, 3, 0, 4, -1, 3, 6};
  for (int n : {0, 1, 2, 3, 5, 6}) {
    EXPECT_EQ(f.code[n].operands.at(0).kind, Kind::label);
    EXPECT_EQ(f.code[n].operands.at(0).target, targets[n]) << n;
  }
  EXPECT_EQ(f.labels.back(), (std::pair<std::string, int>{"end", 7}));
}

TEST(PtxCode, BranchTargets) {
  const Function f = kernel_of(R"(.reg .b32 i; .reg .pred p;
    t: .branchtargets a, b, a;
    @p brx.idx i, t;
    { t: .branchtargets b; brx.idx.uni i, t; }
    a: ret;
    b: ret;)");
  ASSERT_EQ(f.branch_targets.size(), 2u);
  EXPECT_EQ(f.branch_targets[0].first, "t");
  EXPECT_EQ(f.branch_targets[0].second, (std::vector{2, 3, 2}));
  EXPECT_EQ(f.branch_targets[1].second, (std::vector{3}));
  EXPECT_EQ(f.code[0].operands.at(1).kind, Kind::label);
  EXPECT_EQ(f.code[0].operands.at(1).target, 0);
  EXPECT_EQ(f.code[0].operands.at(1).symbol, "t");
  EXPECT_EQ(f.code[1].operands.at(1).target, 1);
}

TEST(PtxCode, Specials) {
  EXPECT_EQ(operand_of("%tid.x").special, Special::tid_x);
  EXPECT_EQ(operand_of("%nctaid.z").special, Special::nctaid_z);
  EXPECT_EQ(operand_of("%cluster_ctaid.y").special, Special::cluster_ctaid_y);
  EXPECT_EQ(operand_of("%lanemask_ge").special, Special::lanemask_ge);
  EXPECT_EQ(operand_of("%clock64").kind, Kind::special);
  EXPECT_EQ(operand_of("%envreg31").integer, 31);
  EXPECT_EQ(operand_of("%reserved_smem_offset_1").integer, 1);
  const Operand hidden = operand_of("%laneid", ".reg .b64 %laneid; ");
  EXPECT_EQ(hidden.kind, Kind::reg) << "a register may have the name of a special one";
}

TEST(PtxCode, Integers) {
  const std::pair<const char*, std::int64_t> rows[] = {
      {"12", 12},
      {"-1", -1},
      {"0x1F", 31},
      {"0X1fU", 31},
      {"017", 15},
      {"0b101", 5},
      {"0", 0},
      {"0U", 0},
      {"4294967295U", 4294967295},
      {"0xFFFFFFFFFFFFFFFF", -1},
      {"WARP_SZ", 32},
      {"(1 << 4) + 2 * 3 - 1", 21},
      {"~0", -1},
      {"!0", 1},
      {"!3", 0},
      {"7 / 2 % 2", 1},
      {"-7 / 2", -3},
      {"(-9223372036854775807 - 1) / -1", INT64_MIN},
      {"9223372036854775808 / -1", 0},
      {"0xFFFFFFFFFFFFFFFF / 2", INT64_MAX},
      {"-1 >> 1", -1},
      {"0xFFFFFFFFFFFFFFFF >> 63", 1},
      {"(.u64) -1 > 1", 1},
      {"(.s64) 0xFFFFFFFFFFFFFFFF < 1", 1},
      {"1 < 2 == 1 && 0 || 0", 0},
      {"6 & 3 | 8 ^ 1", 11},
      {"1 ? 2 : 3", 2},
      {"0 ? 2 : 1 != 1 ? 4 : 5", 5},
      {"1 >= 1 == 1 <= 1", 1},
  };
  for (const auto& [text, value] : rows) {
    const Operand o = operand_of(text);
    EXPECT_EQ(o.kind, Kind::integer) << text;
    EXPECT_EQ(o.integer, value) << text;
  }
}

TEST(PtxCode, Reals) {
  const Operand f = operand_of("0f3F800000"), d = operand_of("0dC000000000000000"),
                s = operand_of("-0F3f800000");
  EXPECT_EQ(f.kind, Kind::real);
  EXPECT_TRUE(f.single);
  EXPECT_EQ(f.bits64, 0x3F800000u);
  EXPECT_FALSE(d.single);
  EXPECT_EQ(std::bit_cast<double>(d.bits64), -2.0);
  EXPECT_EQ(s.bits64, 0xBF800000u);
  EXPECT_EQ(std::bit_cast<double>(operand_of("-1.5e-3").bits64), -1.5e-3);
  EXPECT_EQ(std::bit_cast<double>(operand_of("25E+1").bits64), 250.0);
}

TEST(PtxCode, SymbolsAndAddresses) {
  const std::string var = ".shared .b32 v[4]; .reg .b64 a; ";
  const Operand symbol = operand_of("v+8", var);
  EXPECT_EQ(symbol.kind, Kind::symbol);
  EXPECT_EQ(symbol.symbol, "v");
  EXPECT_EQ(symbol.offset, 8);
  EXPECT_EQ(operand_of("v-4", var).offset, -4);
  EXPECT_EQ(operand_of("k").symbol, "k") << "a function has an address";

  const Operand plain = operand_of("[a]", var), plus = operand_of("[a+-8]", var),
                minus = operand_of("[a-4+2]", var);
  EXPECT_EQ(plain.kind, Kind::address);
  EXPECT_EQ(plain.reg, 1) << "r is mentioned before it";
  EXPECT_EQ(plus.offset, -8);
  EXPECT_EQ(minus.offset, -2);
  const Operand named = operand_of("[v + 2*4]", var), number = operand_of("[16]", var);
  EXPECT_EQ(named.symbol, "v");
  EXPECT_EQ(named.reg, -1);
  EXPECT_EQ(named.offset, 8);
  EXPECT_EQ(number.kind, Kind::address);
  EXPECT_TRUE(number.symbol.empty() && number.reg == -1);
  EXPECT_EQ(number.offset, 16);
  const Operand tensor = operand_of("[a, {1, 2}]", var);
  ASSERT_EQ(tensor.parts.size(), 1u);
  EXPECT_EQ(tensor.parts[0].parts.at(1).integer, 2);
}

TEST(PtxCode, VectorsPairsAndNothing) {
  const Function f = kernel_of(R"(.reg .b32 r<4>; .reg .pred p, q;
    shfl.sync.idx.b32 r0|p, r1, 0, 31, -1;
    setp.lt.and.s32 p|_, r0, r1, !q;
    st.v4.b32 [r3], {r0, _, 5, r1};
    atom.add.u32 _, [r3], 1;)");
  const Operand& pair = f.code[0].operands[0];
  EXPECT_EQ(pair.kind, Kind::vector);
  EXPECT_TRUE(pair.pair);
  ASSERT_EQ(pair.parts.size(), 2u);
  EXPECT_EQ(f.registers[pair.parts[1].reg].name, "p");
  EXPECT_EQ(f.code[1].operands[0].parts.at(1).kind, Kind::nothing);
  EXPECT_TRUE(f.code[1].operands[3].negated);
  EXPECT_EQ(f.registers[f.code[1].operands[3].reg].name, "q");
  const Operand& vector = f.code[2].operands[1];
  EXPECT_FALSE(vector.pair);
  ASSERT_EQ(vector.parts.size(), 4u);
  EXPECT_EQ(vector.parts[1].kind, Kind::nothing);
  EXPECT_EQ(vector.parts[2].integer, 5);
  EXPECT_EQ(f.code[3].operands[0].kind, Kind::nothing);
}

TEST(PtxCode, VectorRegisters) {
  const Function f = kernel_of(R"(.reg .v4 .f32 v; .reg .v2 .b32 w<3>; .reg .f32 x;
    mov.f32 x, v.z; mov.f32 v.a, x; mov.b64 w2, w1.y;)");
  ASSERT_EQ(f.registers.size(), 9u);
  const auto reg = [&](const Operand& o) { return f.registers.at(o.reg).name; };
  EXPECT_EQ(reg(f.code[0].operands[1]), "v.z");
  EXPECT_EQ(reg(f.code[1].operands[0]), "v.w");
  const Operand& whole = f.code[2].operands[0];
  EXPECT_EQ(whole.kind, Kind::vector);
  EXPECT_EQ(reg(whole.parts.at(0)), "w2.x");
  EXPECT_EQ(reg(whole.parts.at(1)), "w2.y");
  EXPECT_EQ(reg(f.code[2].operands[1]), "w1.y");
}

TEST(PtxCode, Calls) {
  const Module m = module_of(R"(.func (.param .b32 r) f(.param .b32 a, .param .b64 b);
    .func g();
    .entry k() { .reg .b64 %rd<2>; .reg .pred p;
      { .param .b32 a; .param .b64 b; .param .b32 r;
        call.uni (r), f, (a, b); }
      { .param .b32 a; .param .b64 b; .param .b32 r;
        proto: .callprototype (.param .b32 _) _ (.param .b32 _, .param .align 8 .b8 _[8]) .noreturn;
        @p call (r), %rd1, (a, 7), proto; }
      call g; call g, ();
      list: .calltargets f, g;
      call %rd0, list;
      ret; })");
  const Function& k = m.functions.at(2);
  ASSERT_EQ(k.calls.size(), 5u);
  const Call& direct = k.calls[0].second;
  EXPECT_EQ(k.calls[0].first, 0);
  EXPECT_TRUE(direct.uniform);
  EXPECT_EQ(direct.function, "f");
  EXPECT_EQ(direct.results.at(0).symbol, "r");
  EXPECT_EQ(direct.arguments.at(1).symbol, "b");
  EXPECT_TRUE(k.code[0].operands.empty());
  const Call& indirect = k.calls[1].second;
  EXPECT_FALSE(indirect.uniform);
  EXPECT_TRUE(indirect.function.empty());
  EXPECT_EQ(k.registers.at(indirect.target_register).name, "%rd1");
  EXPECT_EQ(indirect.results.at(0).symbol, "r#2");
  EXPECT_EQ(indirect.arguments.at(1).integer, 7);
  EXPECT_EQ(indirect.prototype, "proto");
  EXPECT_GE(k.code[1].predicate, 0);
  EXPECT_EQ(k.calls[2].second.function, "g");
  EXPECT_TRUE(k.calls[3].second.arguments.empty());
  EXPECT_EQ(k.calls[4].second.prototype, "list");
  EXPECT_EQ(k.calls[4].first, 4);
}

TEST(PtxCode, AFunctionMayCallItself) {
  EXPECT_EQ(module_of(".func f() { call f; }").functions.at(0).calls.at(0).second.function, "f");
}

}  // namespace
}  // namespace twofour::emu::ptx
