// Prints mma_rows.inc: a line for every form that multiplies, made from twofour's instruction table.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "twofour/isa/instruction.h"

namespace {

using twofour::isa::Family;
using twofour::isa::Instruction;
using twofour::isa::Operand;

/// Qualifiers of a form beside the plain one.
std::vector<std::string> qualifiers(const Instruction& i) {
  if (i.has_satfinite()) return {"", "satfinite"};
  if (i.has_rounding()) return {"", "rz", "rm", "rp"};
  return {""};
}

/// The PTX opcode with a qualifier in its place.
std::string opcode(const Instruction& i, const std::string& qualifier) {
  std::string name = twofour::isa::ptx_name(i);
  if (qualifier.empty()) return name;
  if (i.family == Family::wmma_mma && qualifier == "satfinite") return name + ".satfinite";
  const std::string types = fmt::format(".{}.{}.{}.{}", twofour::isa::name(i.d), twofour::isa::name(i.a),
                                        twofour::isa::name(i.b), twofour::isa::name(i.c));
  return name.insert(name.rfind(types), "." + qualifier);
}

std::string identifier(std::string name, const std::string& qualifier) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == ':'; }, '_');
  return name + (qualifier.empty() ? "" : "_" + qualifier);
}

/// Registers of asm operands: one of 64 bits for every two words of an f64.
int asm_registers(const Instruction& i, Operand o) {
  return twofour::isa::registers(i, o) / (i.d == twofour::isa::ElementType::f64 ? 2 : 1);
}

/// "{%0,%1,%2,%3}, {%4,..}, .." in PTX's order d, a, b, c, and metadata and selector.
std::string operand_text(const Instruction& i) {
  std::string text;
  int at = 0;
  for (const Operand o : {Operand::d, Operand::a, Operand::b, Operand::c}) {
    text += text.empty() ? "{" : ", {";
    for (int r = 0; r < asm_registers(i, o); ++r) text += fmt::format("{}%{}", r > 0 ? "," : "", at++);
    text += "}";
  }
  if (i.is_sparse()) text += fmt::format(", %{}, %{}", at, at + 1);
  return text;
}

void print_row(const Instruction& i, const std::string& qualifier) {
  const char kind = i.d == twofour::isa::ElementType::f64 ? 'D' : 'R';
  const auto list = [&](Operand o, std::string_view word) {
    return fmt::format("{}{}({})", kind, asm_registers(i, o), word);
  };
  const auto count = [&](Operand o) { return twofour::isa::registers(i, o); };
  const std::string name = twofour::isa::ptx_name(i);
  fmt::print("ROW({}, \"{}\", \"{}\", {}, {}, {}, {}, {}, {},\n", identifier(name, qualifier), name,
             qualifier, twofour::isa::requirement(i).sm, count(Operand::a), count(Operand::b),
             count(Operand::c), count(Operand::d), i.selectors());
  fmt::print("    {}, \"{} {};\", OUT_{}, {}, {}, {}{})\n", kind, opcode(i, qualifier), operand_text(i),
             list(Operand::d, "d"), list(Operand::a, "a"), list(Operand::b, "b"), list(Operand::c, "c"),
             i.is_sparse() ? ", SPARSE" : "");
}

}  // namespace

int main() {
  fmt::print(
      "// Written by write_rows from twofour's instruction table; a test compares. Do not edit.\n"
      "// ROW(identifier, name, qualifier, sm, registers of a, b, c, d, selectors, R or D, asm ..)\n");
  bool ordered = false;
  for (const auto& i : twofour::isa::instructions()) {
    if (!i.multiplies()) continue;
    const bool is_ordered = i.family == Family::mma_sp_ordered;
    if (is_ordered != ordered) fmt::print("{}\n", is_ordered ? "#ifdef ORDERED_METADATA" : "#endif");
    ordered = is_ordered;
    for (const auto& qualifier : qualifiers(i)) print_row(i, qualifier);
  }
  if (ordered) fmt::print("#endif\n");
}
