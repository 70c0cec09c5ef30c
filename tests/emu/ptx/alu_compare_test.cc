// set, setp, slct against comparisons of __int128 and of host floats.
#include <bit>
#include <cmath>
#include <tuple>

#include "alu_helpers.h"
#include "alu_oracle.h"

namespace {

using namespace alu_test;
using T = alu_test::Type;
using S = const std::vector<Word>&;

/// -1, 0, 1, or 2 for unordered.
int compare(T type, Word a, Word b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2; };
  switch (type) {
    case T::s16: return order(std::int16_t(a), std::int16_t(b));
    case T::s32: return order(std::int32_t(a), std::int32_t(b));
    case T::s64: return order(std::int64_t(a), std::int64_t(b));
    case T::f32: return order(std::bit_cast<float>(std::uint32_t(a)), std::bit_cast<float>(std::uint32_t(b)));
    case T::f64: return order(std::bit_cast<double>(a), std::bit_cast<double>(b));
    case T::f16:
    case T::bf16: {
      const Format& f = type == T::f16 ? alu_test::f16 : alu_test::bf16;
      if (is_nan(f, a) || is_nan(f, b)) return 2;
      const auto number = [&f](Word w) {
        return is_infinite(f, w) ? ((w & f.sign()) != 0 ? -INFINITY : INFINITY) : value(f, w).get_d();
      };
      return order(number(a), number(b));
    }
    default: return order(a, b);
  }
}

bool holds(std::string relation, int c) {
  if (relation == "num") return c != 2;
  if (relation == "nan") return c == 2;
  if (relation.size() == 3) {
    if (c == 2) return true;
    relation.pop_back();
  }
  if (c == 2) return false;
  if (relation == "eq") return c == 0;
  if (relation == "ne") return c != 0;
  if (relation == "lt" || relation == "lo") return c < 0;
  if (relation == "le" || relation == "ls") return c <= 0;
  if (relation == "gt" || relation == "hi") return c > 0;
  return c >= 0;
}

struct Row {
  T type;
  std::string name, relations;
};
const std::string signed_relations = "eq ne lt le gt ge",
                  unsigned_relations = signed_relations + " lo ls hi hs",
                  float_relations = signed_relations + " equ neu ltu leu gtu geu num nan";
const std::vector<Row> rows = {{T::b16, "b16", "eq ne"},
                               {T::b32, "b32", "eq ne"},
                               {T::b64, "b64", "eq ne"},
                               {T::u16, "u16", unsigned_relations},
                               {T::u32, "u32", unsigned_relations},
                               {T::u64, "u64", unsigned_relations},
                               {T::s16, "s16", signed_relations},
                               {T::s32, "s32", signed_relations},
                               {T::s64, "s64", signed_relations},
                               {T::f32, "f32", float_relations},
                               {T::f64, "f64", float_relations},
                               {T::f16, "f16", float_relations},
                               {T::bf16, "bf16", float_relations}};

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) c == ' ' ? out.emplace_back() : out.back() += c, void();
  return out;
}
/// Operands that are equal now and then.
void meet(std::vector<Word>& s) {
  if (s[1] % 3 == 0) s[1] = s[0];
}

Word join(const std::string& how, Word p, Word c) {
  if (how == "and") return p & c;
  if (how == "or") return p | c;
  return how == "xor" ? p ^ c : p;
}

TEST(AluCompare, SetPredicate) {
  for (const Row& r : rows)
    for (const std::string& relation : words(r.relations)) {
      const auto truth = [&](S s) { return Word(holds(relation, compare(r.type, s[0], s[1]))); };
      expect1("setp." + relation + "." + r.name, T::pred, {r.type, r.type}, truth, 12, meet);
      expect(
          "setp." + relation + "." + r.name, {T::pred, T::pred}, {r.type, r.type},
          [&](S s) {
            return std::vector<Word>{truth(s), truth(s) ^ 1};
          },
          4, meet);
      for (const std::string how : {"and", "or", "xor"})
        expect(
            "setp." + relation + "." + how + "." + r.name, {T::pred, T::pred}, {r.type, r.type, T::pred},
            [&](S s) {
              return std::vector<Word>{join(how, truth(s), s[2]), join(how, truth(s) ^ 1, s[2])};
            },
            4, meet);
    }
}

TEST(AluCompare, FlushedOperands) {
  for (const std::string& relation : words(float_relations)) {
    expect1(
        "setp." + relation + ".ftz.f32", T::pred, {T::f32, T::f32},
        [&](S s) {
          return Word(
              holds(relation, compare(T::f32, flushed(alu_test::f32, s[0]), flushed(alu_test::f32, s[1]))));
        },
        20, meet);
    expect1(
        "setp." + relation + ".ftz.f16", T::pred, {T::f16, T::f16},
        [&](S s) {
          return Word(
              holds(relation, compare(T::f16, flushed(alu_test::f16, s[0]), flushed(alu_test::f16, s[1]))));
        },
        20, meet);
  }
}

TEST(AluCompare, Pairs) {
  for (const bool brain : {false, true}) {
    const T half = brain ? T::bf16 : T::f16, pair = brain ? T::bf16x2 : T::f16x2;
    const std::string name = brain ? "bf16x2" : "f16x2";
    const Word one = brain ? 0x3f80 : 0x3c00;
    for (const std::string& relation : words(float_relations)) {
      const auto low = [&](S s) {
        return Word(holds(relation, compare(half, s[0] & 0xffff, s[1] & 0xffff)));
      };
      const auto high = [&](S s) { return Word(holds(relation, compare(half, s[0] >> 16, s[1] >> 16))); };
      expect(
          "setp." + relation + ".xor." + name, {T::pred, T::pred}, {pair, pair, T::pred},
          [&](S s) {
            return std::vector<Word>{low(s) ^ s[2], high(s) ^ s[2]};
          },
          8, meet);
      expect1(
          "set." + relation + "." + name + "." + name, pair, {pair, pair},
          [&](S s) { return low(s) * one | high(s) * one << 16; }, 8, meet);
      expect1(
          "set." + relation + ".u32." + name, T::u32, {pair, pair},
          [&](S s) { return low(s) * 0xffff | high(s) * 0xffff0000; }, 8, meet);
    }
  }
}

TEST(AluCompare, Set) {
  const std::vector<std::tuple<T, std::string, Word>> results = {
      {T::u32, "u32", 0xffffffff}, {T::s32, "s32", 0xffffffff}, {T::f32, "f32", 0x3f800000},
      {T::u16, "u16", 0xffff},     {T::f16, "f16", 0x3c00},     {T::bf16, "bf16", 0x3f80}};
  for (const Row& r : rows)
    for (const auto& [type, name, truth] : results) {
      expect1(
          "set.ne." + name + "." + r.name, type, {r.type, r.type},
          [&, truth = truth](S s) { return holds("ne", compare(r.type, s[0], s[1])) ? truth : 0; }, 6, meet);
      expect1(
          "set.eq.or." + name + "." + r.name, type, {r.type, r.type, T::pred},
          [&, truth = truth](S s) {
            return holds("eq", compare(r.type, s[0], s[1])) || s[2] != 0 ? truth : 0;
          },
          6, meet);
    }
}

TEST(AluCompare, Select) {
  expect1("slct.b64.s32", T::b64, {T::b64, T::b64, T::s32},
          [](S s) { return std::int32_t(s[2]) >= 0 ? s[0] : s[1]; });
  expect1("slct.u16.f32", T::u16, {T::u16, T::u16, T::f32},
          [](S s) { return std::bit_cast<float>(std::uint32_t(s[2])) >= 0 ? s[0] : s[1]; });
  expect1("slct.ftz.f32.f32", T::f32, {T::f32, T::f32, T::f32}, [](S s) {
    const float c = std::bit_cast<float>(std::uint32_t(flushed(alu_test::f32, s[2])));
    return c >= 0 ? s[0] : s[1];
  });
}

}  // namespace
