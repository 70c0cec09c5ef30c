#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// A vector that the model answered differently.
struct Mismatch {
  int line = 0;
  std::string instruction;
  std::uint64_t expected = 0, computed = 0;
  int digits = 0;  ///< hex digits of a result word
};

/// What a replay found.
struct ReplayReport {
  std::int64_t agreeing = 0, disagreeing = 0;
  Mismatch first;  ///< valid if disagreeing > 0
};

/// Computes every dot product of a vector file and compares it with the recorded word, bit for bit.
/// Lines: `a.. | b.. | c | d` in hex words of the elements' widths, as many a and b as the instruction's k,
/// computed by `instruction` on `architecture`; or `ARCH INSTRUCTION K | a.. | b.. | c | d`, which names both
/// itself and may give fewer products (the rest are zero). d may be `z`: equal to zero, of either sign. Lines
/// that start with # and empty lines are skipped. instruction: a short name such as
/// "m16n8k8.f32.f16.f16.f32", or empty if every line names its own. Throws Error that names file, line and
/// field.
ReplayReport replay(const std::string& file_name, std::string_view text, isa::Architecture architecture,
                    std::string_view instruction);

}  // namespace twofour::emu
