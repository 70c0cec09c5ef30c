#include "twofour/emu/ptx/alu_decode.h"

#include <fmt/format.h>

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::array<std::string_view, 4> roundings = {"rn", "rz", "rm", "rp"};

}  // namespace

Decoder::Decoder(const Instruction& instruction, std::span<const Type> registers)
    : instruction_(instruction), registers_(registers), taken_(instruction.modifiers.size()) {
  for (const Operand& operand : instruction.operands) {
    if (!operand.pair) operands_.push_back(&operand);
    for (const Operand& part : operand.parts)
      if (operand.pair) operands_.push_back(&part);
  }
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const auto type = type_from(instruction.modifiers[i]);
    if (!type) continue;
    types_.push_back(*type);
    taken_[i] = true;
  }
  if (registers.size() != operands_.size())
    refuse(fmt::format("{} operands with {} types", operands_.size(), registers.size()));
}

void Decoder::refuse(const std::string& why) const {
  fail("{}:{}: {}: {}", instruction_.at.line, instruction_.at.column, why, instruction_.text);
}

bool Decoder::take(std::string_view modifier) {
  bool found = false;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i] || instruction_.modifiers[i] != modifier) continue;
    if (found) refuse(fmt::format(".{} stands twice", modifier));
    taken_[i] = found = true;
  }
  return found;
}

int Decoder::take_one(std::initializer_list<std::string_view> choices) {
  int found = -1;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!take(choices.begin()[i])) continue;
    if (found >= 0) refuse(fmt::format(".{} and .{} exclude each other", choices.begin()[found], choices.begin()[i]));
    found = int(i);
  }
  return found;
}

bool Decoder::has_rounding() const {
  return std::any_of(roundings.begin(), roundings.end(), [&](std::string_view r) {
    return instruction_.has(r);
  });
}

Round Decoder::take_rounding() {
  const int index = take_one({"rn", "rz", "rm", "rp"});
  return index < 0 ? Round::nearest_even : Round(index);
}

Type Decoder::type(int index) {
  types_read_ = std::max(types_read_, index + 1);
  if (index >= type_count()) refuse("the instruction needs a type");
  return types_[std::size_t(index)];
}

std::optional<Type> Decoder::declared(int operand) const {
  const auto i = std::size_t(operand);
  if (i >= operands_.size()) refuse("operands are missing");
  if (operands_[i]->kind != Operand::Kind::reg) return std::nullopt;
  return registers_[i];
}

bool Decoder::pair() const {
  return !instruction_.operands.empty() && instruction_.operands[0].pair;
}

void Decoder::check_operand(std::size_t index, Type expected) const {
  if (operands_[index]->kind == Operand::Kind::vector) refuse("a vector cannot stand here");
  const auto type = declared(int(index));
  if (type && (bits(*type) != bits(expected) || (*type == Type::pred) != (expected == Type::pred)))
    refuse(fmt::format("operand {} is a .{} register where .{} is needed", index + 1, name(*type), name(expected)));
}

Alu Decoder::alu(AluFunction run, std::initializer_list<Type> results, std::initializer_list<Type> sources,
                 bool approximate) const {
  if (run == nullptr) refuse("the instruction has no form with these types and modifiers");
  for (std::size_t i = 0; i < taken_.size(); ++i)
    if (!taken_[i]) refuse(fmt::format(".{} is not allowed here", instruction_.modifiers[i]));
  if (type_count() > types_read_) refuse(fmt::format(".{} is a type too many", name(types_[std::size_t(types_read_)])));
  if (operands_.size() != results.size() + sources.size())
    refuse(fmt::format("{} operands, not {}, are needed", results.size() + sources.size(), operands_.size()));
  Alu alu;
  alu.run = run;
  alu.result_count = int(results.size());
  alu.source_count = int(sources.size());
  std::copy(results.begin(), results.end(), alu.results.begin());
  std::copy(sources.begin(), sources.end(), alu.sources.begin());
  for (std::size_t i = 0; i < results.size(); ++i) check_operand(i, alu.results[i]);
  for (std::size_t i = 0; i < sources.size(); ++i) check_operand(results.size() + i, alu.sources[i]);
  alu.approximate = approximate;
  return alu;
}

}  // namespace twofour::emu::ptx
