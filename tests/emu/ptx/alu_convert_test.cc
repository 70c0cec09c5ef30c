// cvt between all types, against exact rational numbers.
#include <algorithm>
#include <bit>

#include "alu_helpers.h"
#include "alu_oracle.h"

namespace {

using namespace alu_test;
using T = alu_test::Type;
using S = const std::vector<Word>&;
__extension__ typedef __int128 Wide;

struct Integer {
  T type;
  int bits;
  bool is_signed;
  std::string name;
  Word mask() const { return bits == 64 ? ~Word(0) : (Word(1) << bits) - 1; }
  Wide value(Word w) const {
    w &= mask();
    return is_signed && (w >> (bits - 1) & 1) != 0 ? Wide(w) - (Wide(1) << bits) : Wide(w);
  }
  Wide highest() const { return (Wide(1) << (bits - (is_signed ? 1 : 0))) - 1; }
  Wide lowest() const { return is_signed ? -(Wide(1) << (bits - 1)) : 0; }
};
const std::vector<Integer> integers = {{T::u8, 8, false, "u8"},    {T::u16, 16, false, "u16"},
                                       {T::u32, 32, false, "u32"}, {T::u64, 64, false, "u64"},
                                       {T::s8, 8, true, "s8"},     {T::s16, 16, true, "s16"},
                                       {T::s32, 32, true, "s32"},  {T::s64, 64, true, "s64"}};
struct Float {
  T type;
  Format format;
  std::string name;
};
const std::vector<Float> floats = {{T::f16, alu_test::f16, "f16"},
                                   {T::bf16, alu_test::bf16, "bf16"},
                                   {T::f32, alu_test::f32, "f32"},
                                   {T::f64, alu_test::f64, "f64"}};
const std::vector<std::pair<std::string, char>> modes = {{"rn", 'n'}, {"rz", 'z'}, {"rm", 'm'}, {"rp", 'p'}};

/// Registers for a type: untyped ones of its width and wider.
std::vector<T> registers(int bits) {
  std::vector<T> out;
  for (const auto& [type, width] : {std::pair{T::b8, 8}, {T::b16, 16}, {T::b32, 32}, {T::b64, 64}})
    if (width >= bits) out.push_back(type);
  return out;
}
Word in_register(T type, Wide v) {
  const int bits = type == T::b8 ? 8 : type == T::b16 ? 16 : type == T::b32 ? 32 : 64;
  return bits == 64 ? Word(v) : Word(v) & ((Word(1) << bits) - 1);
}

TEST(AluConvert, IntegersInAllRegisters) {
  for (const Integer& to : integers)
    for (const Integer& from : integers)
      for (const T d : registers(to.bits))
        for (const T s : registers(from.bits)) {
          expect1(
              "cvt." + to.name + "." + from.name, d, {s},
              [&](S in) { return in_register(d, to.value(Word(from.value(in[0])))); }, 2);
          expect1(
              "cvt.sat." + to.name + "." + from.name, d, {s},
              [&](S in) { return in_register(d, std::clamp(from.value(in[0]), to.lowest(), to.highest())); },
              2);
        }
}

mpz_class wide_value(Wide v) {
  const bool negative = v < 0;
  mpz_class z = static_cast<unsigned long>(Word(negative ? -v : v));
  return negative ? mpz_class(-z) : z;
}

TEST(AluConvert, IntegersToFloats) {
  for (const Integer& from : integers)
    for (const Float& to : floats)
      for (const auto& [name, mode] : modes)
        for (const T s : registers(from.bits))
          expect1(
              "cvt." + name + "." + to.name + "." + from.name, to.type, {s},
              [&, mode = mode](S in) { return rounded(to.format, wide_value(from.value(in[0])), mode, 0); },
              4);
}

/// To an integer in a mode.
mpz_class integral(const mpq_class& x, char mode) {
  mpz_class floor;
  mpz_fdiv_q(floor.get_mpz_t(), x.get_num_mpz_t(), x.get_den_mpz_t());
  const mpq_class rest = x - floor, half(1, 2);
  bool up = false;
  if (mode == 'n') up = rest > half || (rest == half && mpz_odd_p(floor.get_mpz_t()) != 0);
  if (mode == 'z') up = x < 0 && rest != 0;
  if (mode == 'p') up = rest != 0;
  return up ? mpz_class(floor + 1) : floor;
}

TEST(AluConvert, FloatsToIntegers) {
  for (const Float& from : floats)
    for (const Integer& to : integers)
      for (const auto& [name, mode] : modes)
        for (const bool ftz : {false, true})
          for (const T d : registers(to.bits)) {
            if (ftz && from.type != T::f32) continue;
            const Format& f = from.format;
            const auto oracle = [&, mode = mode](S in) {
              const Word w = ftz ? flushed(f, in[0]) : in[0];
              if (is_nan(f, w)) {
                if (from.type != T::f64 && to.bits != 64) return Word(0);
                return in_register(d, to.value(Word(1) << (to.bits - 1)));
              }
              const bool negative = (w & f.sign()) != 0;
              if (is_infinite(f, w)) return in_register(d, negative ? to.lowest() : to.highest());
              const mpz_class z = integral(value(f, w), mode);
              if (z > wide_value(to.highest())) return in_register(d, to.highest());
              if (z < wide_value(to.lowest())) return in_register(d, to.lowest());
              const Word magnitude = mpz_class(abs(z)).get_ui();
              return in_register(d, z < 0 ? -Wide(magnitude) : Wide(magnitude));
            };
            // Of integers' magnitude more often than not.
            const auto scale = [&](std::vector<Word>& s) {
              if (s[0] % 3 == 0 || is_nan(f, s[0])) return;
              const Word exponent = Word(f.bias() + int(s[0] >> 3 & 63) - 2);
              if (exponent << f.fraction < f.infinity())
                s[0] = (s[0] & (f.sign() | ((Word(1) << f.fraction) - 1))) | exponent << f.fraction;
            };
            expect1("cvt.r" + name.substr(1) + "i" + (ftz ? ".ftz." : ".") + to.name + "." + from.name, d,
                    {from.type}, oracle, 6, scale);
          }
}

TEST(AluConvert, FloatsToFloats) {
  for (const Float& from : floats)
    for (const Float& to : floats)
      for (const auto& [name, mode] : modes)
        for (const bool ftz : {false, true})
          for (const bool sat : {false, true})
            for (const bool relu : {false, true}) {
              const bool loses =
                  to.format.width < from.format.width || (to.format.width == 16 && to.type != from.type);
              if (!loses && mode != 'n') continue;
              if (ftz && from.type != T::f32 && to.type != T::f32) continue;
              if (relu && (to.format.width != 16 || sat)) continue;
              const std::string spelling = std::string("cvt") + (loses ? "." + name : "") +
                                           (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + (relu ? ".relu" : "") +
                                           "." + to.name + "." + from.name;
              expect1(
                  spelling, to.type, {from.type},
                  [&, mode = mode](S in) {
                    const Format &f = from.format, &t = to.format;
                    const Word w = ftz && from.type == T::f32 ? flushed(f, in[0]) : in[0];
                    const Word sign = (w & f.sign()) != 0 ? t.sign() : 0;
                    Word r = 0;
                    if (is_nan(f, w)) {
                      r = to.type == T::f64 ? w | Word(1) << 51 : t.nan;
                    } else {
                      r = is_infinite(f, w) ? sign | t.infinity() : rounded(t, value(f, w), mode, sign);
                    }
                    if (ftz && to.type == T::f32) r = flushed(t, r);
                    if (sat) return is_nan(f, w) ? Word(0) : saturated(t, r);
                    return relu && (r & t.sign()) != 0 ? Word(0) : r;
                  },
                  30,
                  [&](std::vector<Word>& s) {
                    // What a NaN of a smaller type becomes in f64 is left to another test.
                    if (to.type == T::f64 && from.type != T::f64 && is_nan(from.format, s[0])) s[0] = 0;
                  });
            }
  const Word nan = result_of("cvt.f64.f32", T::f64, {T::f32}, {0x7fc00001});
  EXPECT_TRUE(is_nan(alu_test::f64, nan));
}

TEST(AluConvert, FloatsToIntegralFloats) {
  for (const Float& f : floats)
    for (const auto& [name, mode] : modes)
      expect1("cvt.r" + name.substr(1) + "i." + f.name + "." + f.name, f.type, {f.type},
              [&, mode = mode](S in) {
                const Word w = in[0], sign = w & f.format.sign();
                if (is_nan(f.format, w)) return f.type == T::f64 ? w | Word(1) << 51 : f.format.nan;
                if (is_infinite(f.format, w)) return w;
                return rounded(f.format, integral(value(f.format, w), mode), 'n', sign);
              });
}

TEST(AluConvert, PairsAndTf32) {
  for (const bool brain : {false, true})
    for (const char mode : {'n', 'z'})
      for (const bool relu : {false, true}) {
        const Format& f = brain ? alu_test::bf16 : alu_test::f16;
        const T type = brain ? T::bf16x2 : T::f16x2;
        const auto half = [&](Word w) {
          const Word sign = w >> 31 != 0 ? f.sign() : 0;
          if (is_nan(alu_test::f32, w)) return f.nan;
          const Word r = is_infinite(alu_test::f32, w) ? sign | f.infinity()
                                                       : rounded(f, value(alu_test::f32, w), mode, sign);
          return relu && (r & f.sign()) != 0 ? Word(0) : r;
        };
        expect1(std::string("cvt.r") + mode + (relu ? ".relu" : "") + (brain ? ".bf16x2.f32" : ".f16x2.f32"),
                type, {T::f32, T::f32}, [&](S s) { return half(s[0]) << 16 | half(s[1]); });
      }
  for (const auto& [name, mode] : {std::pair<std::string, char>{"rna", 'a'}, {"rn", 'n'}, {"rz", 'z'}})
    expect1("cvt." + name + ".tf32.f32", T::b32, {T::f32}, [mode = mode](S s) {
      const Word w = s[0], sign = w & 0x80000000;
      const Format tf32{10, 19, 0x3ffff};
      if (is_nan(alu_test::f32, w)) return Word(0x7fffffff);
      if (is_infinite(alu_test::f32, w)) return w;
      return rounded(tf32, value(alu_test::f32, w), mode, sign >> 13) << 13;
    });
}

/// Every f16 and bf16 to f32, and every f32 that an f16 or a tie between two f16 equals to f16.
TEST(AluConvert, EveryHalf) {
  for (const Float& from : {floats[0], floats[1]}) {
    const Alu alu = decode("cvt.f32." + from.name, {T::f32}, {from.type});
    for (Word base = 0; base < 0x10000; base += 32) {
      Lanes in;
      for (Word i = 0; i < 32; ++i) in[i] = base + i;
      const Lanes out = run(alu, {in}, ~0u, State{{Lanes{}}}).results[0];
      for (Word i = 0; i < 32; ++i) {
        const Word w = in[i], sign = (w & 0x8000) << 16;
        Word want = 0x7fffffff;
        if (is_infinite(from.format, w))
          want = sign | 0x7f800000;
        else if (!is_nan(from.format, w))
          want = rounded(alu_test::f32, value(from.format, w), 'n', sign);
        ASSERT_EQ(out[i], want) << w;
      }
    }
  }
}

TEST(AluConvert, Pack) {
  struct Row {
    std::string name;
    int bits;
    bool is_signed;
  };
  for (const Row& r : {Row{"u16", 16, false}, Row{"s16", 16, true}, Row{"u8", 8, false}, Row{"s8", 8, true},
                       Row{"u4", 4, false}, Row{"s4", 4, true}, Row{"u2", 2, false}, Row{"s2", 2, true}}) {
    const auto clamp = [&](Word w) {
      const std::int64_t high = (std::int64_t(1) << (r.bits - r.is_signed)) - 1,
                         low = r.is_signed ? -high - 1 : 0;
      return Word(std::clamp<std::int64_t>(std::int32_t(w), low, high)) & ((Word(1) << r.bits) - 1);
    };
    if (r.bits == 16) {
      expect1("cvt.pack.sat." + r.name + ".s32", T::b32, {T::s32, T::s32},
              [&](S s) { return clamp(s[0]) << 16 | clamp(s[1]); });
      continue;
    }
    expect1("cvt.pack.sat." + r.name + ".s32.b32", T::b32, {T::s32, T::s32, T::b32},
            [&](S s) { return (s[2] << 2 * r.bits | clamp(s[0]) << r.bits | clamp(s[1])) & 0xffffffff; });
  }
}

}  // namespace
