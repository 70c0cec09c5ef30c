#include "twofour/emu/ptx/alu.h"

#include <algorithm>
#include <array>

#include "twofour/emu/ptx/alu_decode.h"

namespace twofour::emu::ptx {
namespace {

struct Opcode {
  std::string_view name;
  Decode decode;
};

constexpr std::array opcodes = {Opcode{"abs", decode_abs},
                                Opcode{"add", decode_add},
                                Opcode{"addc", decode_addc},
                                Opcode{"and", decode_and},
                                Opcode{"bfe", decode_bfe},
                                Opcode{"bfi", decode_bfi},
                                Opcode{"bfind", decode_bfind},
                                Opcode{"bmsk", decode_bmsk},
                                Opcode{"brev", decode_brev},
                                Opcode{"clz", decode_clz},
                                Opcode{"cnot", decode_cnot},
                                Opcode{"copysign", decode_copysign},
                                Opcode{"cos", decode_cos},
                                Opcode{"cvt", decode_cvt},
                                Opcode{"cvta", decode_cvta},
                                Opcode{"div", decode_div},
                                Opcode{"dp2a", decode_dp2a},
                                Opcode{"dp4a", decode_dp4a},
                                Opcode{"ex2", decode_ex2},
                                Opcode{"fma", decode_fma},
                                Opcode{"fns", decode_fns},
                                Opcode{"lg2", decode_lg2},
                                Opcode{"lop3", decode_lop3},
                                Opcode{"mad", decode_mad},
                                Opcode{"mad24", decode_mad24},
                                Opcode{"madc", decode_madc},
                                Opcode{"max", decode_max},
                                Opcode{"min", decode_min},
                                Opcode{"mov", decode_mov},
                                Opcode{"mul", decode_mul},
                                Opcode{"mul24", decode_mul24},
                                Opcode{"neg", decode_neg},
                                Opcode{"not", decode_not},
                                Opcode{"or", decode_or},
                                Opcode{"popc", decode_popc},
                                Opcode{"prmt", decode_prmt},
                                Opcode{"rcp", decode_rcp},
                                Opcode{"rem", decode_rem},
                                Opcode{"rsqrt", decode_rsqrt},
                                Opcode{"sad", decode_sad},
                                Opcode{"selp", decode_selp},
                                Opcode{"set", decode_set},
                                Opcode{"setp", decode_setp},
                                Opcode{"shf", decode_shf},
                                Opcode{"shl", decode_shl},
                                Opcode{"shr", decode_shr},
                                Opcode{"sin", decode_sin},
                                Opcode{"slct", decode_slct},
                                Opcode{"sqrt", decode_sqrt},
                                Opcode{"sub", decode_sub},
                                Opcode{"subc", decode_subc},
                                Opcode{"szext", decode_szext},
                                Opcode{"tanh", decode_tanh},
                                Opcode{"testp", decode_testp},
                                Opcode{"vabsdiff2", decode_vabsdiff2},
                                Opcode{"vabsdiff4", decode_vabsdiff4},
                                Opcode{"xor", decode_xor}};

}  // namespace

std::optional<Alu> find_alu(const Instruction& instruction, std::span<const Type> types) {
  const auto opcode = std::find_if(opcodes.begin(), opcodes.end(),
                                   [&](const Opcode& o) { return o.name == instruction.opcode; });
  if (opcode == opcodes.end()) return std::nullopt;
  Decoder decoder(instruction, types);
  return opcode->decode(decoder);
}

}  // namespace twofour::emu::ptx
