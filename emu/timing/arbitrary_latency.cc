#include "twofour/emu/timing/arbitrary_latency.h"

#include <algorithm>

#include "twofour/emu/timing/error_band.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

void check(const BitWork& w) {
  if (std::min(w.weight_bits, w.activation_bits) < 1 || std::max(w.weight_bits, w.activation_bits) > 8)
    fail("w{}a{}: weights and activations take 1 to 8 bits each", w.weight_bits, w.activation_bits);
  if (w.output_bits < 1 || w.output_bits > 64)
    fail("w{}a{}: output_bits is {}; it must lie between 1 and 64", w.weight_bits, w.activation_bits,
         w.output_bits);
}

double elements(const GemmProblem& p) {
  return static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.batch);
}

/// Multiply-adds that combine the planes' sums, on the integer lanes of all SMs, in us.
double combination_us(const GemmProblem& gemm, const BitWork& w, const isa::Machine& machine) {
  const double adds = elements(gemm) * (w.weight_bits * w.activation_bits - 1);
  return adds / (machine.int32_lanes * machine.sms) / machine.boost_mhz;
}

}  // namespace

GemmProblem bit_gemm(const GemmProblem& gemm, const BitWork& work) {
  check(work);
  GemmProblem bits = gemm;
  bits.type = isa::ElementType::b1;
  bits.sparse = false;
  bits.output_bits = work.output_bits;
  bits.m *= work.weight_bits;
  bits.n *= work.activation_bits;
  return bits;
}

Latency arbitrary_gemm_latency(const GemmProblem& gemm, const BitWork& work, const KernelContext& context,
                               const isa::Machine& machine, const TimingConstants& constants) {
  const GemmProblem bits = bit_gemm(gemm, work);
  KernelContext combined = context;
  combined.d_bytes = elements(gemm) * work.output_bits / 8;
  Latency latency = gemm_latency(bits, combined, machine, constants);
  const double more = combination_us(gemm, work, machine);
  latency.microseconds += more;
  latency.cycles += more * machine.boost_mhz;
  latency.peak_fraction = latency.tensor_floor_us / latency.microseconds;
  add_band(latency, bits, machine);
  return latency;
}

Latency arbitrary_gemm_latency(const GemmProblem& gemm, const BitWork& work, const isa::Machine& machine,
                               const TimingConstants& constants) {
  return arbitrary_gemm_latency(gemm, work, KernelContext{}, machine, constants);
}

Latency arbitrary_conv_latency(const ConvProblem& conv, const BitWork& work, const isa::Machine& machine,
                               const TimingConstants& constants) {
  ConvProblem bits = conv;
  bits.type = isa::ElementType::b1;
  bits.sparse = false;
  const auto [gemm, plane_bytes] = implicit_gemm(bits);
  return arbitrary_gemm_latency(gemm, work, {.b_bytes = plane_bytes * work.activation_bits}, machine,
                                constants);
}

}  // namespace twofour::emu
