// Opcodes of arithmetic, which each family of types has its own form of.
#include "twofour/emu/ptx/alu_decode.h"

namespace twofour::emu::ptx {
namespace {

Alu decode_arithmetic(Decoder& d, Arithmetic operation) {
  switch (d.type()) {
    case Type::f32: return decode_f32(d, operation);
    case Type::f64: return decode_f64(d, operation);
    case Type::f16:
    case Type::f16x2:
    case Type::bf16:
    case Type::bf16x2: return decode_half(d, operation);
    default: return decode_integer(d, operation);
  }
}

}  // namespace

Alu decode_add(Decoder& d) {
  return d.take("cc") ? decode_carry_add(d) : decode_arithmetic(d, Arithmetic::add);
}
Alu decode_sub(Decoder& d) {
  return d.take("cc") ? decode_carry_sub(d) : decode_arithmetic(d, Arithmetic::sub);
}
Alu decode_mad(Decoder& d) {
  return d.take("cc") ? decode_carry_mad(d) : decode_arithmetic(d, Arithmetic::fma);
}
Alu decode_fma(Decoder& d) {
  if (bits(d.type()) < 16 || name(d.type()).find('f') == std::string_view::npos) d.refuse("fma is for floats");
  return decode_arithmetic(d, Arithmetic::fma);
}
Alu decode_mul(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::mul);
}
Alu decode_div(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::div);
}
Alu decode_abs(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::abs);
}
Alu decode_neg(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::neg);
}
Alu decode_min(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::min);
}
Alu decode_max(Decoder& d) {
  return decode_arithmetic(d, Arithmetic::max);
}

}  // namespace twofour::emu::ptx
