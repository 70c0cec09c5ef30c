#pragma once
#include <optional>
#include <vector>

#include "twofour/emu/replay/replay.h"
#include "twofour/emu/vectors/fields.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// One recorded dot product, taken apart and checked (the forms are those of replay()).
class DotLine {
 public:
  /// lines: of which next() gave `text` last. architecture, instruction: of a line that names none.
  DotLine(const Lines& lines, std::string_view text, isa::Architecture architecture,
          std::string_view instruction);

  /// Nothing if the model gives the recorded word.
  std::optional<Mismatch> compare() const;
  isa::Architecture architecture() const { return architecture_; }
  const isa::Instruction& instruction() const { return instruction_; }

 private:
  int read_prefix(std::string_view text, std::string_view& instruction);
  void find(std::string_view name);
  std::vector<std::uint64_t> operand(std::string_view text, std::string_view field, isa::ElementType type,
                                     int products) const;
  void read_words(const std::vector<std::string_view>& fields, int products);

  const Lines& lines_;
  isa::Architecture architecture_;
  isa::Instruction instruction_{};
  std::vector<std::uint64_t> a_, b_;
  std::uint64_t c_ = 0, d_ = 0;
  bool any_zero_ = false;
};

}  // namespace twofour::emu
