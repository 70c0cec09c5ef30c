#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "twofour/emu/vectors/case_file.h"
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// What operands a generated case has.
enum class CaseLevel {
  boundary,  ///< zeros, subnormals, window edges, ties, cancellation, NaN and infinity, integer extremes
  random,    ///< by class of exponents; integers over their whole range
  all        ///< both, in turn
};

struct GenerateOptions {
  CaseLevel level = CaseLevel::all;
  std::uint64_t seed = 1;
  /// Metadata also with descending and duplicate codes, which PTX leaves undefined.
  bool invalid_metadata = false;
};

/// Case `number` of an instruction, which has_cases(). It depends on nothing but the arguments, so that a
/// case can be made again alone, and on every machine alike. Selectors, satfinite and rounding modes take
/// turns.
Case generate_case(const isa::Instruction& instruction, int number, const GenerateOptions& options);

/// The instructions that a selection names: a list of short or PTX names with commas between, or all rows of
/// a family, or, both empty, all, of those that have cases on the architecture. Throws Error for an unknown
/// name, an instruction without cases, and an empty selection.
std::vector<isa::Instruction> select_instructions(std::string_view names, std::string_view family,
                                                  isa::Architecture architecture);

}  // namespace twofour::emu
