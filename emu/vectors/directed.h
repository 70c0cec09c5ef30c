#pragma once
#include <span>
#include <string>

#include "twofour/emu/vectors/tiles.h"
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// A case written by hand: everything is zero (kept columns: the first ones) but what is set. A directed case
/// asks in column 0 of D, a question a row.
class Directed {
 public:
  Directed(std::string_view instruction, isa::Architecture architecture);

  const isa::Instruction& instruction() const { return tiles_.instruction; }
  /// a and b of product `kept` of row `row`, column 0, as words; in a sparse instruction b lies where the
  /// row's codes point to. B is the same for all rows.
  void product(int row, int kept, std::uint64_t a, std::uint64_t b);
  void accumulator(int row, std::uint64_t c) { tiles_.c.set_bits(row, 0, c); }
  Tiles& tiles() { return tiles_; }
  void satfinite() { satfinite_ = true; }
  void say(const std::string& line) { note_ += line + "\n"; }

  /// "0001 0000 ..": column 0, rows 0 .. rows-1, as the model computes it.
  std::string outcome(int rows) const;
  /// The same as if a float block had these parameters.
  std::string outcome(int rows, const isa::BlockRule& rule) const;
  Case finish() const;

 private:
  Tiles tiles_;
  isa::Architecture architecture_;
  bool satfinite_ = false;
  std::string note_;
};

}  // namespace twofour::emu
