#pragma once
// Runs one instruction of the ALU on words and compares every lane with a function of a lane.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "twofour/emu/ptx/alu.h"

namespace alu_test {

using twofour::emu::ptx::Alu;
using twofour::emu::ptx::Type;
using Word = std::uint64_t;
/// The values of the 32 lanes of a register, zero-extended; a predicate's are 0 and 1.
using Lanes = std::array<Word, 32>;
/// Results of a lane from its sources.
using Oracle = std::function<std::vector<Word>(const std::vector<Word>&)>;
using Oracle1 = std::function<Word(const std::vector<Word>&)>;

/// The instruction decoded: "setp.lt.and.s32" with registers of these types, results first. Two results stand
/// as a pair.
Alu decode(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources);

/// Results of the instruction; `carry` is CC.CF. Lanes that are not active are those of `before`.
struct State {
  std::vector<Lanes> results;
  std::uint32_t carry = 0;
};
State run(const Alu& alu, const std::vector<Lanes>& sources, std::uint32_t active, const State& before);

/// Operands that find mistakes, and random ones.
Word operand(Type type, std::uint64_t& seed);

/// Compares `rounds` warps of operands with the oracle: all lanes, some lanes, results in the place of each
/// source. `adjust` may change the operands of a lane first.
using Adjust = std::function<void(std::vector<Word>&)>;
void expect(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources,
            const Oracle& oracle, int rounds = 60, const Adjust& adjust = {});
/// One result.
void expect1(const std::string& spelling, Type result, const std::vector<Type>& sources, const Oracle1& oracle,
             int rounds = 60, const Adjust& adjust = {});
/// The results for these operands, given alike to all lanes.
Word result_of(const std::string& spelling, Type result, const std::vector<Type>& sources,
               const std::vector<Word>& words);

/// The message of the Error that the instruction is refused with; empty if it is not.
std::string refusal(const std::string& spelling, const std::vector<Type>& results, const std::vector<Type>& sources);

}  // namespace alu_test
