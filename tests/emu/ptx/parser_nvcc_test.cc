// Whole files as nvcc writes them (data/constructs.cu); what is expected was read from the text by eye.
#include <gtest/gtest.h>

#include "twofour/emu/ptx/module.h"
#include "twofour/isa/file.h"

namespace twofour::emu::ptx {
namespace {

Module file(const std::string& name) {
  const std::string path = std::string(TWOFOUR_SOURCE_DIR) + "/tests/emu/ptx/data/" + name;
  return parse(isa::read_file(path), name);
}

const Instruction& nth(const Function& f, const std::string& opcode, int n) {
  for (const auto& i : f.code)
    if (i.opcode == opcode && n-- == 0) return i;
  throw std::out_of_range(opcode);
}

TEST(PtxOfNvcc, Module) {
  const Module m = file("constructs.ptx");
  EXPECT_EQ(m.major, 9);
  EXPECT_EQ(m.minor, 0);
  EXPECT_EQ(m.sm, 80);
  ASSERT_EQ(m.functions.size(), 4u);
  EXPECT_TRUE(m.function("vprintf")->external);
  EXPECT_EQ(m.variables.size(), 8u);
  EXPECT_EQ(m.variable("counter")->initial, (std::vector<std::uint8_t>{5, 0, 0, 0}));
  EXPECT_EQ(m.variable("weights")->bytes, 24);
  EXPECT_EQ(m.variable("$str$1")->initial, (std::vector<std::uint8_t>{'o', 'n', 'e'}));
  EXPECT_EQ(m.variable("words")->relocations.at(1).symbol, "$str$1");
  EXPECT_TRUE(m.variable("words")->relocations.at(1).generic);
  EXPECT_EQ(m.variable("functions")->relocations.at(1).symbol, "_Z6thricefi");
  EXPECT_EQ(m.variable("functions")->relocations.at(1).offset, 8);
}

TEST(PtxOfNvcc, LoopsAndBranches) {
  const Module m = file("constructs.ptx");
  const Function& f = *m.function("_Z5twicefi");
  ASSERT_EQ(f.code.size(), 26u);
  const std::pair<int, int> branches[] = {{3, 24}, {7, 14}, {13, 9}, {16, 24}, {23, 17}};
  for (const auto& [from, to] : branches) EXPECT_EQ(f.code[from].operands.at(0).target, to) << from;
  EXPECT_EQ(f.code[18].text, "add.f32 %f11, %f10, %f10");
  EXPECT_EQ(f.code[24].operands[0].symbol, "func_retval0");
  EXPECT_EQ(f.labels.size(), 4u);
  EXPECT_EQ(m.function("_Z6thricefi")->code.at(3).operands.at(2).bits64, 0x40400000u);
}

TEST(PtxOfNvcc, Kernel) {
  const Module m = file("constructs.ptx");
  const Function& k = *m.function("constructs");
  EXPECT_TRUE(k.entry);
  EXPECT_EQ(k.bounds.max_threads[0], 128);
  EXPECT_EQ(k.bounds.min_blocks, 2);
  ASSERT_EQ(k.parameters.size(), 4u);
  EXPECT_EQ(k.parameters[0].bytes, 32);
  ASSERT_EQ(k.variables.size(), 11u) << "two of the kernel, three of each call";
  EXPECT_EQ(k.variables[0].space, Space::local);
  EXPECT_EQ(k.variables[1].bytes, 4224);
  EXPECT_EQ(k.variables[5].name, "param0#2");
  ASSERT_EQ(k.calls.size(), 3u);
  EXPECT_EQ(k.calls[0].second.function, "vprintf");
  EXPECT_EQ(k.calls[1].second.arguments.at(1).symbol, "param1#2");
  EXPECT_EQ(k.calls[2].second.prototype, "prototype_1");
  EXPECT_EQ(k.calls[2].second.results.at(0).symbol, "retval0#3");
  const Instruction& after = k.code.at(k.calls[2].first + 1);
  EXPECT_EQ(after.operands.at(1).symbol, "retval0#3");
  EXPECT_EQ(nth(k, "shfl", 0).operands.at(0).parts.size(), 2u);
  EXPECT_EQ(nth(k, "ld", 4).operands.at(1).symbol, "constructs_param_0");
  EXPECT_EQ(nth(k, "ld", 4).operands.at(1).offset, 0);
  EXPECT_EQ(nth(k, "ld", 3).operands.at(1).offset, 16);
  const Instruction& once = nth(k, "atom", 1);
  EXPECT_EQ(k.registers.at(once.operands.at(0).reg).name, "t#2");
  EXPECT_EQ(once.operands.at(2).kind, Operand::Kind::reg);
}

TEST(PtxOfNvcc, LineInformationChangesNoCode) {
  const Module plain = file("constructs.ptx"), lines = file("constructs_lineinfo.ptx");
  const Function &a = *plain.function("constructs"), &b = *lines.function("constructs");
  ASSERT_EQ(a.code.size(), b.code.size());
  for (std::size_t n = 0; n < a.code.size(); ++n) EXPECT_EQ(a.code[n].text, b.code[n].text);
  EXPECT_EQ(lines.sm, 90);
}

}  // namespace
}  // namespace twofour::emu::ptx
