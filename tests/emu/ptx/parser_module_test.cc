// Directives of modules, variables, initial values, heads of functions.
#include <gtest/gtest.h>

#include "parser_helpers.h"

namespace twofour::emu::ptx {
namespace {

using Bytes = std::vector<std::uint8_t>;

Variable variable_of(const std::string& declaration) {
  return module_of(".visible .global .b32 foo; .func bar(); " + declaration).variables.at(1);
}

TEST(PtxModule, HeadSaysVersionTargetAndAddressSize) {
  const Module m = parse(".version 7.8 .target sm_90a, debug .address_size 32", "a.ptx");
  EXPECT_EQ(m.file, "a.ptx");
  EXPECT_EQ(m.major, 7);
  EXPECT_EQ(m.minor, 8);
  EXPECT_EQ(m.sm, 90);
  EXPECT_EQ(m.address_bits, 32);
}

TEST(PtxModule, VariablesHaveSpaceTypeAlignmentAndSize) {
  const Module m = module_of(R"(
    .global .align 16 .b8 a[24];
    .const .f64 b;
    .visible .global .v4 .f32 c[3];
    .shared .u16 d[2][3][4], e;
    .extern .shared .align 128 .b8 f[];
    .weak .global .b128 g;
    .common .global .v2 .align 4 .s8 h;
    .global .attribute(.managed) .align 4 .u32 i;
    .global .u32 j[1 << 4];
  )");
  struct Row {
    const char* name;
    Space space;
    Type type;
    int align;
    int bytes;
    bool external, visible;
  };
  const Row rows[] = {{"a", Space::global, Type::b8, 16, 24, false, false},
                      {"b", Space::constant, Type::f64, 8, 8, false, false},
                      {"c", Space::global, Type::f32, 16, 48, false, true},
                      {"d", Space::shared, Type::u16, 2, 48, false, false},
                      {"e", Space::shared, Type::u16, 2, 2, false, false},
                      {"f", Space::shared, Type::b8, 128, 0, true, false},
                      {"g", Space::global, Type::b128, 16, 16, false, true},
                      {"h", Space::global, Type::s8, 4, 2, false, true},
                      {"i", Space::global, Type::u32, 4, 4, false, false},
                      {"j", Space::global, Type::u32, 4, 64, false, false}};
  ASSERT_EQ(m.variables.size(), std::size(rows));
  for (std::size_t n = 0; n < std::size(rows); ++n) {
    const Variable& v = m.variables[n];
    SCOPED_TRACE(rows[n].name);
    EXPECT_EQ(v.name, rows[n].name);
    EXPECT_EQ(v.space, rows[n].space);
    EXPECT_EQ(v.type, rows[n].type);
    EXPECT_EQ(v.align, rows[n].align);
    EXPECT_EQ(v.bytes, rows[n].bytes);
    EXPECT_EQ(v.external, rows[n].external);
    EXPECT_EQ(v.visible, rows[n].visible);
    EXPECT_TRUE(v.initial.empty());
  }
  EXPECT_EQ(m.variable("f"), &m.variables[5]);
  EXPECT_EQ(m.variable("nothing"), nullptr);
  EXPECT_EQ(m.variables[0].at.line, 5);
  EXPECT_EQ(m.variables[0].at.column, 27);
}

TEST(PtxModule, InitialValuesAreLittleEndianBytes) {
  EXPECT_EQ(variable_of(".global .u32 x = 0x01020304;").initial, (Bytes{4, 3, 2, 1}));
  EXPECT_EQ(variable_of(".global .s16 x[3] = {-2, 1};").initial, (Bytes{0xFE, 0xFF, 1, 0}));
  EXPECT_EQ(variable_of(".global .b8 x[2][3] = {{1}, {2, 3}};").initial, (Bytes{1, 0, 0, 2, 3}));
  EXPECT_EQ(variable_of(".global .b8 x[2][2][2] = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};").initial,
            (Bytes{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(variable_of(".global .v2 .u8 x[2] = {{1, 2}, {3, 4}};").initial, (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(variable_of(".const .f32 x[4] = {1.5, 0fBF800000, 3, 0d4000000000000000};").initial,
            (Bytes{0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0xBF, 0, 0, 0x40, 0x40, 0, 0, 0, 0x40}));
  EXPECT_EQ(variable_of(".const .f64 x[2] = {-1, 0f3F000000};").initial,
            (Bytes{0, 0, 0, 0, 0, 0, 0xF0, 0xBF, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F}));
  EXPECT_EQ(variable_of(".global .b128 x = -1;").initial, Bytes(16, 0xFF));
}

TEST(PtxModule, UnsizedArraysTakeTheSizeOfTheirValues) {
  const Variable v = variable_of(".global .u16 x[][2] = {{1}, {2, 3}, {}};");
  EXPECT_EQ(v.bytes, 12);
  EXPECT_EQ(v.initial, (Bytes{1, 0, 0, 0, 2, 0, 3, 0}));
}

TEST(PtxModule, AddressesAreRelocations) {
  const Variable v = variable_of(".global .u64 x[4] = {7, foo+4, generic(foo)-8, generic(bar+1)};");
  EXPECT_EQ(v.initial.size(), 32u);
  ASSERT_EQ(v.relocations.size(), 3u);
  const struct {
    std::int64_t offset;
    const char* symbol;
    std::int64_t addend;
    bool generic;
  } expected[] = {{8, "foo", 4, false}, {16, "foo", -8, true}, {24, "bar", 1, true}};
  for (std::size_t n = 0; n < 3; ++n) {
    const Relocation& r = v.relocations[n];
    EXPECT_EQ(r.offset, expected[n].offset);
    EXPECT_EQ(r.symbol, expected[n].symbol);
    EXPECT_EQ(r.addend, expected[n].addend);
    EXPECT_EQ(r.generic, expected[n].generic);
    EXPECT_EQ(r.bytes, 8);
    EXPECT_EQ(r.shift, 0);
  }
  EXPECT_EQ(variable_of(".global .u32 x = foo;").relocations.at(0).bytes, 4);
}

TEST(PtxModule, MaskedAddressesAreBytesOfRelocations) {
  const Variable v = variable_of(".global .u8 x[3] = {1, 0XFF(foo), 0xFF00000000000000(generic(foo)+2)};");
  ASSERT_EQ(v.relocations.size(), 2u);
  EXPECT_EQ(v.relocations[0].offset, 1);
  EXPECT_EQ(v.relocations[0].bytes, 1);
  EXPECT_EQ(v.relocations[0].shift, 0);
  EXPECT_FALSE(v.relocations[0].generic);
  EXPECT_EQ(v.relocations[1].shift, 56);
  EXPECT_EQ(v.relocations[1].addend, 2);
  EXPECT_TRUE(v.relocations[1].generic);
}

TEST(PtxModule, ADefinitionTakesThePlaceOfADeclaration) {
  const Module m = module_of(R"(
    .extern .global .align 4 .b8 x[];
    .visible .global .align 4 .b8 x[8];
    .extern .global .align 4 .b8 x[];
    .func (.param .b32 r) f(.param .b32 a);
    .func (.param .b32 r) f(.param .b32 a) { ret; }
  )");
  ASSERT_EQ(m.variables.size(), 1u);
  EXPECT_EQ(m.variables[0].bytes, 8);
  EXPECT_FALSE(m.variables[0].external);
  ASSERT_EQ(m.functions.size(), 1u);
  EXPECT_FALSE(m.functions[0].external);
  EXPECT_EQ(m.functions[0].code.size(), 1u);
}

TEST(PtxModule, HeadsOfKernels) {
  const Module m = module_of(R"(
    .visible .entry k(
      .param .align 8 .b8 p0[40],
      .param .u64 .ptr .global .align 16 p1,
      .param .u64 .ptr .align 1 p2,
      .param .f32 p3
    )
    .maxntid 128, 2
    .minnctapersm 3
    .maxnreg 64
    .pragma "nounroll"; .noreturn .reqnctapercluster 2, 1, 1 .explicitcluster .maxclusterrank 8
    { ret; }
    .entry j .reqntid 32, 4, 2 { ret; }
  )");
  const Function& k = *m.function("k");
  EXPECT_TRUE(k.entry);
  ASSERT_EQ(k.parameters.size(), 4u);
  EXPECT_EQ(k.parameters[0].bytes, 40);
  EXPECT_EQ(k.parameters[0].align, 8);
  EXPECT_FALSE(k.parameters[0].pointer);
  EXPECT_EQ(k.parameters[1].name, "p1");
  EXPECT_EQ(k.parameters[1].align, 8) << "behind .ptr it is the alignment of what it points to";
  EXPECT_TRUE(k.parameters[1].pointer);
  EXPECT_TRUE(k.parameters[2].pointer);
  EXPECT_EQ(k.parameters[3].type, Type::f32);
  EXPECT_EQ(k.parameters[3].space, Space::param);
  const auto& b = k.bounds;
  EXPECT_EQ((std::array{b.max_threads[0], b.max_threads[1], b.max_threads[2]}), (std::array{128, 2, 1}));
  EXPECT_EQ(b.min_blocks, 3);
  EXPECT_EQ(b.max_registers, 64);
  EXPECT_EQ(b.required_threads[0], 0);
  const auto& j = m.function("j")->bounds;
  EXPECT_EQ((std::array{j.required_threads[0], j.required_threads[1], j.required_threads[2]}),
            (std::array{32, 4, 2}));
}

TEST(PtxModule, FunctionsWithParametersInRegisters) {
  const Module m = module_of(R"(
    .visible .func .attribute(.unified(0xAB, 0xCD)) (.reg .b32 r, .reg .pred q) f(.reg .b64 a, .param .b32 b) .noreturn
    { mov.b64 a, 1; mov.b32 r, 2; ret; }
  )");
  const Function& f = m.functions.at(0);
  EXPECT_FALSE(f.entry);
  ASSERT_EQ(f.results.size(), 2u);
  ASSERT_EQ(f.parameters.size(), 2u);
  EXPECT_EQ(f.results[0].space, Space::reg);
  EXPECT_EQ(f.results[1].type, Type::pred);
  EXPECT_EQ(f.parameters[1].space, Space::param);
  ASSERT_EQ(f.registers.size(), 3u);
  EXPECT_EQ(f.registers[0].name, "r");
  EXPECT_EQ(f.registers[1].name, "q");
  EXPECT_EQ(f.registers[2].name, "a");
  EXPECT_EQ(f.registers[2].type, Type::b64);
  EXPECT_EQ(f.code[0].operands[0].reg, 2);
  EXPECT_EQ(f.code[1].operands[0].reg, 0);
}

TEST(PtxModule, AliasLeadsToItsFunction) {
  const Module m = module_of(R"(
    .visible .func f() { ret; }
    .visible .func g();
    .alias g, f;
    .entry k() { call g; ret; }
  )");
  EXPECT_EQ(m.function("g"), m.function("f"));
  EXPECT_EQ(m.function("g")->name, "f");
  EXPECT_EQ(m.functions.back().calls.at(0).second.function, "g");
}

TEST(PtxModule, DebugInformationIsSkipped) {
  const Module m = module_of(R"(
    .file 1 "a.cu", 1700000000, 1234
    .pragma "one", "two";
    // a comment { } /*
    /* .version 1.0
       and so on */
    .entry k() {
      .loc 1 5 3
      .loc 1 6 1, function_name $L__info_string0, inlined_at 1 5 3
      .loc 1 6 1, function_name $L__info_string0+8, inlined_at 1 5 3
      ret;
    $L__tmp0:
      .loc 1 7 1 }
    @@DWARF .byte 0x00 } ; "
    .section .debug_info {
      .b32 84
      $L__x:
      .b8 1, 2
      .b32 .debug_abbrev
      .b64 $L__tmp0
    }
  )");
  ASSERT_EQ(m.functions.size(), 1u);
  EXPECT_EQ(m.functions[0].code.size(), 1u);
  EXPECT_EQ(m.functions[0].labels.at(0), (std::pair<std::string, int>{"$L__tmp0", 1}));
}

TEST(PtxModule, TypesHaveNamesAndSizes) {
  EXPECT_EQ(name(Type::bf16x2), "bf16x2");
  EXPECT_EQ(type_from("tf32"), Type::tf32);
  EXPECT_EQ(type_from("b1"), std::nullopt);
  EXPECT_EQ(bits(Type::b128), 128);
  EXPECT_EQ(bits(Type::f16), 16);
  EXPECT_EQ(bits(Type::pred), 1);
  EXPECT_EQ(name(Space::constant), "const");
}

}  // namespace
}  // namespace twofour::emu::ptx
