// Arithmetic of extended precision: the carry of a lane is a bit of CC.CF, for sub its borrow.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

enum class Kind { add, sub, mad_low, mad_high };

template <class T>
struct Step {
  T value;
  bool carry;
};

template <Kind kind, class T>
TWOFOUR_ALWAYS_INLINE Step<Unsigned<T>> step(const AluCall& call, int i, bool carry_in) {
  using U = Unsigned<T>;
  U a = U(lane_value<T>(call.s[0], i)), b = U(lane_value<T>(call.s[1], i));
  if constexpr (kind == Kind::mad_low) a = product_low(a, b);
  if constexpr (kind == Kind::mad_high) a = U(product_high(T(a), T(b)));
  if constexpr (kind == Kind::mad_low || kind == Kind::mad_high) b = lane_value<U>(call.s[2], i);
  const U in = carry_in ? 1 : 0;
  if constexpr (kind == Kind::sub) return {U(a - b - in), a < b || (a == b && carry_in)};
  const U sum = U(a + b + in);
  return {sum, sum < a || (sum == a && carry_in)};
}

template <Kind kind, class T, bool reads, bool writes>
void run_carry(const AluCall& call) {
  Unsigned<T> out[lane_count];
  u32 carries = 0;
  for (int i = 0; i < lane_count; ++i) {
    const auto result = step<kind, T>(call, i, reads && (*call.carry >> i & 1) != 0);
    out[i] = result.value;
    carries |= result.carry ? 1u << i : 0u;
  }
  store_lanes(out, call.d[0], call.active);
  if (writes) store_predicate(carries, call.carry, call.active);
}

template <Kind kind, class T>
AluFunction with_carry(bool reads, bool writes) {
  if (!reads) return run_carry<kind, T, false, true>;
  return writes ? run_carry<kind, T, true, true> : run_carry<kind, T, true, false>;
}

template <Kind kind>
AluFunction carry_function(Type type, bool reads, bool writes) {
  switch (type) {
    case Type::u32: return with_carry<kind, u32>(reads, writes);
    case Type::s32: return with_carry<kind, s32>(reads, writes);
    case Type::u64: return with_carry<kind, u64>(reads, writes);
    case Type::s64: return with_carry<kind, s64>(reads, writes);
    default: return nullptr;
  }
}

Alu mad(Decoder& d, bool reads, bool writes) {
  const Type type = d.type();
  const int part = d.take_one({"lo", "hi"});
  if (part < 0) d.refuse(".lo or .hi is needed");
  const auto run = part == 0 ? carry_function<Kind::mad_low>(type, reads, writes)
                             : carry_function<Kind::mad_high>(type, reads, writes);
  return d.alu(run, {type}, {type, type, type});
}

template <Kind kind>
Alu sum(Decoder& d, bool reads, bool writes) {
  const Type type = d.type();
  return d.alu(carry_function<kind>(type, reads, writes), {type}, {type, type});
}

}  // namespace

Alu decode_carry_add(Decoder& d) {
  return sum<Kind::add>(d, false, true);
}
Alu decode_carry_sub(Decoder& d) {
  return sum<Kind::sub>(d, false, true);
}
Alu decode_carry_mad(Decoder& d) {
  return mad(d, false, true);
}
Alu decode_addc(Decoder& d) {
  return sum<Kind::add>(d, true, d.take("cc"));
}
Alu decode_subc(Decoder& d) {
  return sum<Kind::sub>(d, true, d.take("cc"));
}
Alu decode_madc(Decoder& d) {
  return mad(d, true, d.take("cc"));
}

}  // namespace twofour::emu::ptx
