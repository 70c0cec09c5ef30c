#pragma once
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// A recorded vector that the model answered differently.
struct Mismatch {
  int line = 0;  ///< of a case: the line of the lane
  std::string instruction;
  std::uint64_t expected = 0, computed = 0;
  int digits = 0;  ///< hex digits of a result word
  // Of a case: its first differing element.
  int lane = -1;  ///< -1: not a case, and nothing below is valid
  int reg = 0, bit = 0;
  int row = 0, col = 0;  ///< of D
  int differing = 0, elements = 0;
  std::string note;  ///< the comment above the case
};

/// Counts of one instruction on one architecture.
struct Tally {
  isa::Architecture architecture;
  std::string instruction;
  std::int64_t agreeing = 0, disagreeing = 0;
};

inline constexpr std::size_t max_mismatches = 10;

/// What a replay found. A vector is a dot product or a case.
struct ReplayReport {
  std::int64_t agreeing = 0, disagreeing = 0;
  std::vector<Tally> tallies;        ///< in order of appearance
  std::vector<Mismatch> mismatches;  ///< the first max_mismatches
  /// What was taken from the file's name or its `answered` line, in words; empty if nothing was.
  std::string derived;
};

/// What a replay may be told; what is missing is taken from the file or its name.
struct ReplayOptions {
  std::optional<isa::Architecture> architecture;
  std::string instruction;  ///< short or PTX name; empty: not told
};

/// Computes every vector of a file and compares it with the recorded words, bit for bit. The file holds
///  - dot products, `a.. | b.. | c | d` in hex words of the elements' widths, as many a and b as the
///    instruction's k. Instruction and architecture are those of the options or of a name such as
///    a100_fp16_k8_f32.hex (recorded_name.h); the architecture is else ampere;
///  - dot products `ARCH INSTRUCTION K | a.. | b.. | c | d`, which name both and may give fewer products than
///    k (the rest are zero). In both, d may be `z`: equal to zero, of either sign;
///  - or cases (docs/vectors.md) with D. The architecture is that of the options, of the machine that
///    answered, or ampere.
/// Lines that start with # and empty lines are skipped. Throws Error that names file, line and field.
ReplayReport replay(const std::string& file_name, std::istream& text, const ReplayOptions& options = {});

}  // namespace twofour::emu
