#pragma once
// Reading an instruction: its modifiers and types, and what is refused. Private to emu/ptx.
#include <initializer_list>
#include <string>
#include <vector>

#include "twofour/emu/ptx/alu.h"
#include "twofour/emu/ptx/alu_number.h"

namespace twofour::emu::ptx {

class Decoder {
 public:
  Decoder(const Instruction& instruction, std::span<const Type> registers);

  /// The modifier is there. One that no call asks for is refused by alu().
  bool take(std::string_view modifier);
  /// Index of the one of `choices` that is there; -1 for none. Two are refused.
  int take_one(std::initializer_list<std::string_view> choices);
  /// .rn .rz .rm .rp; nearest even if none is there.
  Round take_rounding();
  /// One of them is there.
  bool has_rounding() const;

  /// Types among the modifiers, in order. Throws if there are fewer than index + 1.
  Type type(int index = 0);
  int type_count() const { return int(types_.size()); }
  /// Operands, the parts of a pair counted one by one.
  int operand_count() const { return int(operands_.size()); }
  /// As declared, of an operand that is a register; nullopt for others.
  std::optional<Type> declared(int operand) const;
  /// The first operand is p|q.
  bool pair() const;

  /// The result of decoding. Refuses a null `run` (no such form for these types), modifiers that were not
  /// taken, types that nobody asked for, other numbers of operands, and registers of another size.
  Alu alu(AluFunction run, std::initializer_list<Type> results, std::initializer_list<Type> sources,
          bool approximate = false) const;

  [[noreturn]] void refuse(const std::string& why) const;

 private:
  void check_operand(std::size_t index, Type expected) const;

  const Instruction& instruction_;
  std::span<const Type> registers_;
  std::vector<const Operand*> operands_;
  std::vector<Type> types_;
  std::vector<bool> taken_;  // of the modifiers
  int types_read_ = 0;
};

using Decode = Alu (*)(Decoder&);

/// f<true>() or f<false>() for each flag.
template <class F>
auto with_flag(bool flag, F f) {
  return flag ? f.template operator()<true>() : f.template operator()<false>();
}

/// What decodes each opcode, a line a file.
Alu decode_add(Decoder&), decode_sub(Decoder&), decode_mul(Decoder&), decode_mad(Decoder&),
    decode_fma(Decoder&), decode_div(Decoder&), decode_abs(Decoder&), decode_neg(Decoder&),
    decode_min(Decoder&), decode_max(Decoder&);
Alu decode_rem(Decoder&), decode_sad(Decoder&), decode_mul24(Decoder&), decode_mad24(Decoder&),
    decode_dp4a(Decoder&), decode_dp2a(Decoder&), decode_vabsdiff2(Decoder&), decode_vabsdiff4(Decoder&);
Alu decode_addc(Decoder&), decode_subc(Decoder&), decode_madc(Decoder&);
Alu decode_popc(Decoder&), decode_clz(Decoder&), decode_bfind(Decoder&), decode_fns(Decoder&),
    decode_brev(Decoder&), decode_bfe(Decoder&), decode_bfi(Decoder&), decode_bmsk(Decoder&),
    decode_szext(Decoder&);
Alu decode_and(Decoder&), decode_or(Decoder&), decode_xor(Decoder&), decode_not(Decoder&),
    decode_cnot(Decoder&), decode_lop3(Decoder&), decode_shl(Decoder&), decode_shr(Decoder&),
    decode_shf(Decoder&), decode_prmt(Decoder&), decode_mov(Decoder&), decode_cvta(Decoder&);
Alu decode_rcp(Decoder&), decode_sqrt(Decoder&), decode_rsqrt(Decoder&), decode_sin(Decoder&),
    decode_cos(Decoder&), decode_lg2(Decoder&), decode_ex2(Decoder&), decode_tanh(Decoder&),
    decode_copysign(Decoder&), decode_testp(Decoder&);
Alu decode_set(Decoder&), decode_setp(Decoder&), decode_selp(Decoder&), decode_slct(Decoder&);
Alu decode_cvt(Decoder&);

/// The same opcode for other types; null for those that are not of the family.
Alu decode_carry_add(Decoder&), decode_carry_sub(Decoder&), decode_carry_mad(Decoder&);

/// f.operator()<T>() for the integer type; nullptr for others.
template <class F>
AluFunction for_integers(Type type, F f) {
  switch (type) {
    case Type::u16: return f.template operator()<u16>();
    case Type::u32: return f.template operator()<u32>();
    case Type::u64: return f.template operator()<u64>();
    case Type::s16: return f.template operator()<s16>();
    case Type::s32: return f.template operator()<s32>();
    case Type::s64: return f.template operator()<s64>();
    default: return nullptr;
  }
}
/// f.operator()<T>() for T as wide as the type: u16, u32 or u64.
template <class F>
AluFunction for_words(Type type, F f) {
  switch (bits(type)) {
    case 16: return f.template operator()<u16>();
    case 32: return f.template operator()<u32>();
    case 64: return f.template operator()<u64>();
    default: return nullptr;
  }
}

enum class Arithmetic { add, sub, mul, fma, div, abs, neg, min, max };
Alu decode_integer(Decoder&, Arithmetic);
Alu decode_f32(Decoder&, Arithmetic);
Alu decode_f64(Decoder&, Arithmetic);
Alu decode_half(Decoder&, Arithmetic);

}  // namespace twofour::emu::ptx
