#pragma once
#include <array>
#include <optional>
#include <string>

#include "twofour/emu/vectors/fields.h"
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// One execution of one instruction on the registers of a warp.
struct Case {
  isa::Instruction instruction;
  MmaOperands operands;
  NumericOptions options = {};     ///< satfinite and rounding; a case names no architecture
  std::string note = {};           ///< comment above it: lines without their #, each ended
  std::optional<Fragment> d = {};  ///< what some machine answered
  int line = 0;                    ///< of its first line in the file
  std::array<int, warp_lanes> lane_line{};
};

/// True of the instructions that a case may name: the Tensor Core's own mma and mma.sp.
bool has_cases(const isa::Instruction& instruction);
/// And that the architecture has, with an arithmetic that the emulator knows.
bool has_cases(const isa::Instruction& instruction, isa::Architecture architecture);

/// First line of a case file; docs/vectors.md describes the rest.
inline constexpr std::string_view case_file_header = "twofour-cases 1";

/// A case as the lines of a case file, with D if it is there.
std::string case_text(const Case& c);

/// The line that says which machine filled in D.
std::string answered_text(int compute_capability, std::string_view machine);

/// Reads cases one at a time. Every refusal is an Error that names file, line and field.
class CaseReader {
 public:
  /// lines: at the start of the file; must outlive this. Refuses a file without the header.
  explicit CaseReader(Lines& lines);
  /// The next case; nothing at the end of the file.
  std::optional<Case> next();
  /// Of the machine that answered (80: sm_80), as far as the file has been read; 0 if it does not say.
  int compute_capability() const { return compute_capability_; }

 private:
  void read_answered(std::string_view rest);
  Case read_case(std::string_view rest);
  void read_qualifier(std::string_view text, Case& c, bool& has_selector);
  void read_lane(Case& c, int lane);

  Lines& lines_;
  int compute_capability_ = 0;
};

}  // namespace twofour::emu
