#pragma once
// Every pair of f16 words: one product and an accumulator, by emu::block_dot and by a formula in double
// arithmetic that is exact there. The formula is itself compared with the big-integer oracle on a sample.
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/isa/architecture.h"

namespace twofour::oracle {

/// c + a * b for f16 a and b, evaluated in doubles: at most 53 bits are ever in use.
class PairFormula {
 public:
  PairFormula(isa::Architecture architecture, isa::ElementType accumulator);
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const;

 private:
  std::uint32_t to_f16(double value) const;
  std::uint32_t to_f32(double value) const;

  bool half_;
  int fraction_bits_, zero_exponent_;
};

/// Accumulators that a sweep adds the product to.
std::vector<std::uint32_t> sweep_accumulators(isa::ElementType accumulator);

/// One sweep: the pairs (a, b) with (a + b) % stride == phase, so that every a meets 65536 / stride b and
/// every b as many a.
struct PairSweep {
  isa::Architecture architecture;
  isa::ElementType accumulator;
  std::uint32_t c;
  std::uint32_t stride = 1, phase = 0;
};
/// The first pair that block_dot and the formula answer differently, in words; empty if there is none.
std::string sweep(const PairSweep& s);

}  // namespace twofour::oracle
