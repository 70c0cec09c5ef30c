// set, setp, selp, slct.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_half.h"

namespace twofour::emu::ptx {
namespace {

enum class Relation { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };

/// How a comparison meets the third predicate.
enum class Join { none, conjunction, disjunction, exclusive };

/// Numbers that `<` orders, integers or floats. The relations to neu on are true for NaNs.
template <Relation relation, class T>
TWOFOUR_ALWAYS_INLINE bool holds(T a, T b) {
  const bool unordered = (a != a) | (b != b);
  switch (relation) {
    case Relation::eq: return a == b;
    case Relation::ne: return (a < b) | (a > b);
    case Relation::lt: return a < b;
    case Relation::le: return a <= b;
    case Relation::gt: return a > b;
    case Relation::ge: return a >= b;
    case Relation::equ: return unordered | (a == b);
    case Relation::neu: return unordered | (a != b);
    case Relation::ltu: return unordered | (a < b);
    case Relation::leu: return unordered | (a <= b);
    case Relation::gtu: return unordered | (a > b);
    case Relation::geu: return unordered | (a >= b);
    case Relation::num: return !unordered;
    case Relation::nan: return unordered;
  }
  return false;
}

template <Join join>
u32 joined(u32 set, u32 c) {
  if constexpr (join == Join::conjunction) return set & c;
  if constexpr (join == Join::disjunction) return set | c;
  return set ^ c;
}

/// A predicate, and its complement if asked for.
template <class Comparison>
struct SetPredicate {
  static TWOFOUR_ALWAYS_INLINE void run(const AluCall& call) {
    const u32 set = predicate_of<Comparison>(call);
    store_predicate(set, call.d[0], call.active);
    store_predicate(~set, call.d[1], call.active);
  }
};
/// The predicates of both halves.
template <class Low, class High>
struct SetPredicates {
  static TWOFOUR_ALWAYS_INLINE void run(const AluCall& call) {
    const u32 p = predicate_of<Low>(call), q = predicate_of<High>(call);
    store_predicate(p, call.d[0], call.active);
    store_predicate(q, call.d[1], call.active);
  }
};

template <Relation relation, bool ftz, class T>
TWOFOUR_ALWAYS_INLINE bool compared(T a, T b) {
  if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, Bf16>)
    return holds<relation>(widen(flushed<ftz>(a)), widen(flushed<ftz>(b)));
  else if constexpr (std::is_same_v<T, float>)
    return holds<relation>(flushed<ftz>(a), flushed<ftz>(b));
  else
    return holds<relation>(a, b);
}

template <class T>
inline constexpr bool is_pair = false;
template <class H>
inline constexpr bool is_pair<Two<H>> = true;
template <class T>
inline constexpr bool flushes = std::is_same_v<T, float> || std::is_same_v<T, F16> || std::is_same_v<T, Two<F16>>;

template <class H>
TWOFOUR_ALWAYS_INLINE H low_half(Two<H> x) {
  return {u16(x.word)};
}
template <class H>
TWOFOUR_ALWAYS_INLINE H high_half(Two<H> x) {
  return {u16(x.word >> 16)};
}

/// What compares T by a relation, for setp and for set.
template <Relation relation, bool ftz, class T>
struct Compare {
  static constexpr bool pair = is_pair<T>;
  struct Whole {
    TWOFOUR_ALWAYS_INLINE bool operator()(T a, T b) const { return compared<relation, ftz>(a, b); }
  };
  struct Low {
    TWOFOUR_ALWAYS_INLINE bool operator()(T a, T b) const { return compared<relation, ftz>(low_half(a), low_half(b)); }
  };
  struct High {
    TWOFOUR_ALWAYS_INLINE bool operator()(T a, T b) const {
      return compared<relation, ftz>(high_half(a), high_half(b));
    }
  };
  using Body = std::conditional_t<pair, SetPredicates<Low, High>, SetPredicate<Whole>>;
  static AluFunction function() { return sizeof(T) > 2 && !pair ? simd<Body>() : run_portable<Body>; }
};

/// Both results of a comparison, joined with source 2, of all lanes.
struct Outcome {
  u32 first = 0, second = 0;
};
template <class Compare, Join join>
Outcome outcome(const AluCall& call) {
  Outcome o;
  AluCall inner = call;
  inner.d = {&o.first, &o.second};
  inner.active = all_lanes;
  run_portable<typename Compare::Body>(inner);
  if constexpr (join == Join::none) return o;
  const u32 c = *static_cast<const u32*>(call.s[2]);
  return {joined<join>(o.first, c), joined<join>(o.second, c)};
}
template <class Compare, Join join>
void run_setp(const AluCall& call) {
  const Outcome o = outcome<Compare, join>(call);
  store_predicate(o.first, call.d[0], call.active);
  store_predicate(o.second, call.d[1], call.active);
}

/// A comparison, read from the instruction.
struct Comparison {
  Relation relation;
  Join join;
  bool ftz;
};

/// f<Compare>() for what an instruction asks; null for types without that relation.
template <class T, bool ftz, class F>
AluFunction for_relation(Relation relation, F f) {
  using enum Relation;
  switch (relation) {
    case eq: return f.template operator()<Compare<eq, ftz, T>>();
    case ne: return f.template operator()<Compare<ne, ftz, T>>();
    case lt: return f.template operator()<Compare<lt, ftz, T>>();
    case le: return f.template operator()<Compare<le, ftz, T>>();
    case gt: return f.template operator()<Compare<gt, ftz, T>>();
    case ge: return f.template operator()<Compare<ge, ftz, T>>();
    default: break;
  }
  if constexpr (!std::is_integral_v<T>) {
    switch (relation) {
      case equ: return f.template operator()<Compare<equ, ftz, T>>();
      case neu: return f.template operator()<Compare<neu, ftz, T>>();
      case ltu: return f.template operator()<Compare<ltu, ftz, T>>();
      case leu: return f.template operator()<Compare<leu, ftz, T>>();
      case gtu: return f.template operator()<Compare<gtu, ftz, T>>();
      case geu: return f.template operator()<Compare<geu, ftz, T>>();
      case num: return f.template operator()<Compare<num, ftz, T>>();
      case nan: return f.template operator()<Compare<nan, ftz, T>>();
      default: break;
    }
  }
  return nullptr;
}
template <class T, class F>
AluFunction for_comparison(const Comparison& c, F f) {
  if constexpr (flushes<T>)
    if (c.ftz) return for_relation<T, true>(c.relation, f);
  return for_relation<T, false>(c.relation, f);
}
template <class F>
AluFunction for_comparison(Type type, const Comparison& c, F f) {
  switch (type) {
    case Type::f32: return for_comparison<float>(c, f);
    case Type::f64: return for_comparison<double>(c, f);
    case Type::b16:
    case Type::b32:
    case Type::b64:
      if (c.relation != Relation::eq && c.relation != Relation::ne) return nullptr;
      return for_words(type, [&]<class T>() { return for_comparison<T>(c, f); });
    default: break;
  }
  if (is_half(type)) return for_halves(type, [&]<class T>() { return for_comparison<T>(c, f); });
  return for_integers(type, [&]<class T>() { return for_comparison<T>(c, f); });
}

/// lo ls hi hs are the unsigned lt le gt ge.
Relation take_relation(Decoder& d, Type type) {
  const int index = d.take_one({"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"});
  const int unsigned_index = d.take_one({"lo", "ls", "hi", "hs"});
  if ((index < 0) == (unsigned_index < 0)) d.refuse("one comparison is needed");
  if (index >= 0) return Relation(index);
  if (name(type)[0] != 'u') d.refuse("the comparison is for unsigned integers");
  return Relation(int(Relation::lt) + unsigned_index);
}
Comparison take_comparison(Decoder& d, Type type) {
  Comparison c;
  c.relation = take_relation(d, type);
  c.join = Join(1 + d.take_one({"and", "or", "xor"}));
  c.ftz = (type == Type::f32 || is_f16(type)) && d.take("ftz");
  return c;
}

template <class Compare>
AluFunction setp_function(Join join) {
  switch (join) {
    case Join::none: return Compare::function();
    case Join::conjunction: return run_setp<Compare, Join::conjunction>;
    case Join::disjunction: return run_setp<Compare, Join::disjunction>;
    case Join::exclusive: return run_setp<Compare, Join::exclusive>;
  }
  return nullptr;
}

/// What set writes for true: all ones, or the number one.
struct Truth {
  int bytes;
  u32 low, high;  ///< of the low and the high half's comparison; high 0 where there is one comparison
};
/// 0 bytes: set has no such result.
constexpr Truth truth_of(Type result, bool pair) {
  switch (result) {
    case Type::u16: return {pair ? 0 : 2, 0xffff, 0};
    case Type::u32: return pair ? Truth{4, 0xffff, 0xffff0000} : Truth{4, ~0u, 0};
    case Type::f32: return {pair ? 0 : 4, 0x3f800000, 0};
    case Type::f16: return {pair ? 0 : 2, 0x3c00, 0};
    case Type::bf16: return {pair ? 0 : 2, 0x3f80, 0};
    case Type::f16x2: return {pair ? 4 : 0, 0x3c00, 0x3c000000};
    case Type::bf16x2: return {pair ? 4 : 0, 0x3f80, 0x3f800000};
    default: return {0, 0, 0};
  }
}

template <class Word>
void write_truth(const AluCall& call, u32 low, u32 high, u32 low_truth, u32 high_truth) {
  Word out[lane_count];
  for (int i = 0; i < lane_count; ++i)
    out[i] = Word(((low >> i & 1) != 0 ? low_truth : 0) | ((high >> i & 1) != 0 ? high_truth : 0));
  store_lanes(out, call.d[0], call.active);
}

/// Compares, then writes the result's truth.
template <class Compare, Join join, Type result>
void run_set(const AluCall& call) {
  constexpr Truth truth = truth_of(result, Compare::pair);
  const Outcome o = outcome<Compare, join>(call);
  write_truth<WordOf<truth.bytes>>(call, o.first, o.second, truth.low, truth.high);
}
template <class Compare, Join join, Type result>
AluFunction set_to() {
  if constexpr (truth_of(result, Compare::pair).bytes != 0)
    return run_set<Compare, join, result>;
  else
    return nullptr;
}

/// Results that write the same words are one.
Type same_truth(Type result) {
  if (result == Type::s16) return Type::u16;
  return result == Type::s32 ? Type::u32 : result;
}
template <class Compare, Join join>
AluFunction set_function(Type result) {
  switch (same_truth(result)) {
    case Type::u16: return set_to<Compare, join, Type::u16>();
    case Type::u32: return set_to<Compare, join, Type::u32>();
    case Type::f32: return set_to<Compare, join, Type::f32>();
    case Type::f16: return set_to<Compare, join, Type::f16>();
    case Type::bf16: return set_to<Compare, join, Type::bf16>();
    case Type::f16x2: return set_to<Compare, join, Type::f16x2>();
    case Type::bf16x2: return set_to<Compare, join, Type::bf16x2>();
    default: return nullptr;
  }
}
template <class Compare>
AluFunction set_function(Type result, Join join) {
  switch (join) {
    case Join::none: return set_function<Compare, Join::none>(result);
    case Join::conjunction: return set_function<Compare, Join::conjunction>(result);
    case Join::disjunction: return set_function<Compare, Join::disjunction>(result);
    case Join::exclusive: return set_function<Compare, Join::exclusive>(result);
  }
  return nullptr;
}

AluFunction select(Type type) {
  return for_words(type, []<class T>() { return lanes([](T a, T b, bool c) TWOFOUR_LANE { return c ? a : b; }); });
}
bool is_selectable(Type type) {
  return bits(type) >= 16 && bits(type) <= 64 && !is_half(type) && type != Type::tf32;
}

}  // namespace

Alu decode_setp(Decoder& d) {
  const Type type = d.type(), p = Type::pred;
  const Comparison c = take_comparison(d, type);
  const auto run =
      for_comparison(type, c, [&]<class Compare>() { return setp_function<Compare>(c.join); });
  const bool third = c.join != Join::none;
  if (d.pair()) return third ? d.alu(run, {p, p}, {type, type, p}) : d.alu(run, {p, p}, {type, type});
  return third ? d.alu(run, {p}, {type, type, p}) : d.alu(run, {p}, {type, type});
}

Alu decode_set(Decoder& d) {
  const Type result = d.type(0), type = d.type(1);
  const Comparison c = take_comparison(d, type);
  const auto run =
      for_comparison(type, c, [&]<class Compare>() { return set_function<Compare>(result, c.join); });
  if (c.join == Join::none) return d.alu(run, {result}, {type, type});
  return d.alu(run, {result}, {type, type, Type::pred});
}

Alu decode_selp(Decoder& d) {
  const Type type = d.type();
  if (!is_selectable(type)) d.refuse("the type has 16, 32 or 64 bits");
  return d.alu(select(type), {type}, {type, type, Type::pred});
}

Alu decode_slct(Decoder& d) {
  const Type type = d.type(0), condition = d.type(1);
  if (!is_selectable(type)) d.refuse("the type has 16, 32 or 64 bits");
  AluFunction run = nullptr;
  if (condition == Type::s32)
    run = for_words(type, []<class T>() { return lanes([](T a, T b, s32 c) TWOFOUR_LANE { return c >= 0 ? a : b; }); });
  if (condition == Type::f32)
    run = with_flag(d.take("ftz"), [type]<bool ftz>() {
      return for_words(type, []<class T>() {
        return rare([](T a, T b, float c) TWOFOUR_LANE { return flushed<ftz>(c) >= 0 ? a : b; });
      });
    });
  return d.alu(run, {type}, {type, type, condition});
}

}  // namespace twofour::emu::ptx
