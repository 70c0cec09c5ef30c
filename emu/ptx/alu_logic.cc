// Logic, shifts, permutation of bytes, and moves.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

enum class Logic { conjunction, disjunction, exclusive };

template <Logic logic, class T>
TWOFOUR_ALWAYS_INLINE T combined(T a, T b) {
  if constexpr (logic == Logic::conjunction) return T(a & b);
  if constexpr (logic == Logic::disjunction) return T(a | b);
  return T(a ^ b);
}

u32 predicate(const void* source) {
  return *static_cast<const u32*>(source);
}

bool is_bits(Type type) {
  return name(type)[0] == 'b' && name(type)[1] != 'f';
}

template <Logic logic>
Alu decode_logic(Decoder& d) {
  const Type type = d.type();
  if (type == Type::pred) {
    const AluFunction run = [](const AluCall& c) {
      store_predicate(combined<logic>(predicate(c.s[0]), predicate(c.s[1])), c.d[0], c.active);
    };
    return d.alu(run, {type}, {type, type});
  }
  if (!is_bits(type)) d.refuse("the type is .pred, .b16, .b32 or .b64");
  return d.alu(for_words(type, []<class T>() {
                 return lanes([](T a, T b) TWOFOUR_LANE { return combined<logic>(a, b); });
               }), {type}, {type, type});
}

/// The table as a tree of choices: its eight bits as words, halved by each input.
struct Lop3 {
  static TWOFOUR_ALWAYS_INLINE u32 choose(u32 mask, u32 when_set, u32 otherwise) {
    return (when_set & mask) | (otherwise & ~mask);
  }
  static TWOFOUR_ALWAYS_INLINE void evaluate(const AluCall& call, u32* out) {
    const u32 table = lane_value<u32>(call.s[3], 0);
    u32 entry[8];
    for (int i = 0; i < 8; ++i) entry[i] = 0 - (table >> i & 1);
    for (int i = 0; i < lane_count; ++i) {
      const u32 a = lane_value<u32>(call.s[0], i), b = lane_value<u32>(call.s[1], i),
                c = lane_value<u32>(call.s[2], i);
      const u32 neither = choose(c, entry[1], entry[0]), only_b = choose(c, entry[3], entry[2]);
      const u32 only_a = choose(c, entry[5], entry[4]), both = choose(c, entry[7], entry[6]);
      out[i] = choose(a, choose(b, both, only_a), choose(b, only_b, neither));
    }
  }
  static TWOFOUR_ALWAYS_INLINE void run(const AluCall& call) {
    alignas(64) u32 out[lane_count];
    evaluate(call, out);
    store_lanes(out, call.d[0], call.active);
  }
};

/// lop3.and and lop3.or: the predicate (result != 0) combined with another.
template <Logic logic>
void lop3_predicate(const AluCall& call) {
  alignas(64) u32 out[lane_count];
  Lop3::evaluate(call, out);
  u32 set = 0;
  for (int i = 0; i < lane_count; ++i) set |= out[i] != 0 ? 1u << i : 0u;
  const u32 p = combined<logic>(set, predicate(call.s[4]));
  store_lanes(out, call.d[0], call.active);
  store_predicate(p, call.d[1], call.active);
}

/// Amounts over the width shift everything out.
template <class T>
TWOFOUR_ALWAYS_INLINE T shifted_left(T a, u32 by) {
  return by < u32(bits_in<T>) ? T(a << by) : T(0);
}
template <class T>
TWOFOUR_ALWAYS_INLINE T shifted_right(T a, u32 by) {
  constexpr u32 width = u32(bits_in<T>);
  if constexpr (std::is_signed_v<T>) return T(a >> (by < width ? by : width - 1));
  return by < width ? T(a >> by) : T(0);
}

template <bool left, bool clamp>
TWOFOUR_ALWAYS_INLINE u32 funnel(u32 low, u32 high, u32 amount) {
  const u64 both = u64(high) << 32 | low;
  const u32 by = clamp ? (amount < 32 ? amount : 32) : amount & 31;
  return left ? u32(both << by >> 32) : u32(both >> by);
}

enum class Permute { generic, f4e, b4e, rc8, ecl, ecr, rc16 };

/// Byte of {b, a} that byte `i` of the result is.
template <Permute mode>
TWOFOUR_ALWAYS_INLINE u32 chosen(u32 n, u32 i) {
  switch (mode) {
    case Permute::f4e: return n + i;
    case Permute::b4e: return (n - i) & 7;
    case Permute::rc8: return n;
    case Permute::ecl: return n > i ? n : i;
    case Permute::ecr: return n < i ? n : i;
    default: return (n & 1) * 2 + (i & 1);
  }
}
template <Permute mode>
TWOFOUR_ALWAYS_INLINE u32 permuted(u32 a, u32 b, u32 selector) {
  const u64 both = u64(b) << 32 | a;
  u32 result = 0;
  for (u32 i = 0; i < 4; ++i) {
    const u32 nibble = selector >> (4 * i);
    const u32 at = mode == Permute::generic ? nibble & 7 : chosen<mode>(selector & 3, i);
    u32 byte = u32(both >> (8 * at)) & 0xff;
    if (mode == Permute::generic && (nibble & 8) != 0) byte = (byte & 0x80) != 0 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}
template <Permute mode>
AluFunction permute() {
  return lanes([](u32 a, u32 b, u32 c) TWOFOUR_LANE { return permuted<mode>(a, b, c); });
}

}  // namespace

Alu decode_and(Decoder& d) {
  return decode_logic<Logic::conjunction>(d);
}
Alu decode_or(Decoder& d) {
  return decode_logic<Logic::disjunction>(d);
}
Alu decode_xor(Decoder& d) {
  return decode_logic<Logic::exclusive>(d);
}

Alu decode_not(Decoder& d) {
  const Type type = d.type();
  if (type == Type::pred) {
    const AluFunction run = [](const AluCall& c) {
      store_predicate(~predicate(c.s[0]), c.d[0], c.active);
    };
    return d.alu(run, {type}, {type});
  }
  if (!is_bits(type)) d.refuse("the type is .pred, .b16, .b32 or .b64");
  return d.alu(for_words(type, []<class T>() { return lanes([](T a) TWOFOUR_LANE { return T(~a); }); }), {type},
               {type});
}

Alu decode_cnot(Decoder& d) {
  const Type type = d.type();
  if (!is_bits(type)) d.refuse("the type is .b16, .b32 or .b64");
  return d.alu(
      for_words(type, []<class T>() { return rare([](T a) TWOFOUR_LANE { return T(a == 0 ? 1 : 0); }); }),
      {type}, {type});
}

Alu decode_lop3(Decoder& d) {
  const Type type = d.type(), word = Type::b32;
  if (type != word) d.refuse("the type is .b32");
  switch (d.take_one({"and", "or"})) {
    case 0:
      return d.alu(lop3_predicate<Logic::conjunction>, {word, Type::pred}, {word, word, word, word, Type::pred});
    case 1:
      return d.alu(lop3_predicate<Logic::disjunction>, {word, Type::pred}, {word, word, word, word, Type::pred});
    default: return d.alu(simd<Lop3>(), {word}, {word, word, word, word});
  }
}

Alu decode_shl(Decoder& d) {
  const Type type = d.type();
  if (!is_bits(type)) d.refuse("the type is .b16, .b32 or .b64");
  return d.alu(for_words(type, []<class T>() {
                 return lanes([](T a, u32 b) TWOFOUR_LANE { return shifted_left(a, b); });
               }), {type}, {type, Type::u32});
}

Alu decode_shr(Decoder& d) {
  const Type type = d.type();
  const auto run = []<class T>() {
    return lanes([](T a, u32 b) TWOFOUR_LANE { return shifted_right(a, b); });
  };
  return d.alu(is_bits(type) ? for_words(type, run) : for_integers(type, run), {type}, {type, Type::u32});
}

Alu decode_shf(Decoder& d) {
  const Type type = d.type();
  if (type != Type::b32) d.refuse("the type is .b32");
  const int direction = d.take_one({"r", "l"}), mode = d.take_one({"wrap", "clamp"});
  if (direction < 0 || mode < 0) d.refuse(".l or .r, and .clamp or .wrap are needed");
  const auto run = with_flag(direction == 1, [mode]<bool left>() {
    return with_flag(mode == 1, []<bool clamp>() {
      return lanes([](u32 a, u32 b, u32 c) TWOFOUR_LANE { return funnel<left, clamp>(a, b, c); });
    });
  });
  return d.alu(run, {type}, {type, type, Type::u32});
}

Alu decode_prmt(Decoder& d) {
  const Type type = d.type();
  if (type != Type::b32) d.refuse("the type is .b32");
  AluFunction run = nullptr;
  switch (d.take_one({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"})) {
    case 0: run = permute<Permute::f4e>(); break;
    case 1: run = permute<Permute::b4e>(); break;
    case 2: run = permute<Permute::rc8>(); break;
    case 3: run = permute<Permute::ecl>(); break;
    case 4: run = permute<Permute::ecr>(); break;
    case 5: run = permute<Permute::rc16>(); break;
    default: run = permute<Permute::generic>();
  }
  return d.alu(run, {type}, {type, type, type});
}

Alu decode_mov(Decoder& d) {
  const Type type = d.type();
  if (type == Type::pred) {
    const AluFunction run = [](const AluCall& c) { store_predicate(predicate(c.s[0]), c.d[0], c.active); };
    return d.alu(run, {type}, {type});
  }
  return d.alu(for_words(type, []<class T>() { return lanes([](T a) TWOFOUR_LANE { return a; }); }), {type},
               {type});
}

Alu decode_cvta(Decoder& d) {
  const Type type = d.type();
  if (type != Type::u32 && type != Type::u64) d.refuse("the type is .u32 or .u64");
  d.take("to");
  if (d.take_one({"global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry"}) < 0)
    d.refuse("a state space is needed");
  return d.alu(for_words(type, []<class T>() { return lanes([](T a) TWOFOUR_LANE { return a; }); }), {type},
               {type});
}

}  // namespace twofour::emu::ptx
