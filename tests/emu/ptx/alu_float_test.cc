// Floats against exact rational numbers rounded once (alu_oracle.h); functions against long double.
#include <bit>
#include <cmath>

#include "alu_helpers.h"
#include "alu_oracle.h"

namespace {

using namespace alu_test;
using T = alu_test::Type;
using S = const std::vector<Word>&;

const std::vector<std::pair<std::string, char>> modes = {{".rn", 'n'}, {".rz", 'z'}, {".rm", 'm'}, {".rp", 'p'}};

/// What .ftz and .sat make of an operation of f32.
Word f32_result(Word w, bool ftz, bool sat) {
  if (ftz) w = flushed(alu_test::f32, w);
  return sat ? saturated(alu_test::f32, w) : w;
}
template <class Operation>
void f32_operation(const std::string& name, int sources, bool may_saturate, Operation operation) {
  for (const auto& [suffix, mode] : modes)
    for (const bool ftz : {false, true})
      for (const bool sat : {false, true}) {
        if (sat && !may_saturate) continue;
        expect1(name + suffix + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32", T::f32,
                std::vector<T>(std::size_t(sources), T::f32),
                [&, mode = mode](S s) {
                  std::vector<Word> in = s;
                  if (ftz)
                    for (Word& w : in) w = flushed(alu_test::f32, w);
                  return f32_result(operation(in, mode), ftz, sat);
                }, 25);
      }
}

const Format& single = alu_test::f32;

TEST(AluF32, EveryRounding) {
  f32_operation("add", 2, true, [](S s, char m) { return sum(single, s[0], s[1], m); });
  f32_operation("sub", 2, true, [](S s, char m) { return is_nan(single, s[1]) ? single.nan : sum(single, s[0], s[1] ^ single.sign(), m); });
  f32_operation("mul", 2, true, [](S s, char m) { return product(single, s[0], s[1], m); });
  f32_operation("fma", 3, true, [](S s, char m) { return product_sum(single, s[0], s[1], s[2], m); });
  f32_operation("mad", 3, true, [](S s, char m) { return product_sum(single, s[0], s[1], s[2], m); });
  f32_operation("div", 2, false, [](S s, char m) { return quotient(single, s[0], s[1], m); });
  f32_operation("rcp", 1, false, [](S s, char m) { return quotient(single, 0x3f800000, s[0], m); });
  f32_operation("sqrt", 1, false, [](S s, char m) { return square_root(single, s[0], m); });
}

/// a b + c where c is near -a b: what is left of the product decides.
TEST(AluF32, Cancellation) {
  for (const auto& [suffix, mode] : modes)
    expect1("fma" + suffix + ".f32", T::f32, {T::f32, T::f32, T::f32},
            [mode = mode](S s) { return product_sum(single, s[0], s[1], s[2], mode); }, 60, [](std::vector<Word>& s) {
              const Word p = product(single, s[0], s[1], 'n');
              s[2] = is_nan(single, p) ? 0 : p ^ single.sign() ^ (s[2] & 1);
            });
}

TEST(AluF32, DefaultsAreNearest) {
  expect1("add.f32", T::f32, {T::f32, T::f32}, [](S s) { return sum(single, s[0], s[1], 'n'); });
  expect1("mul.ftz.f32", T::f32, {T::f32, T::f32}, [](S s) {
    return flushed(single, product(single, flushed(single, s[0]), flushed(single, s[1]), 'n'));
  });
}

TEST(AluF64, EveryRounding) {
  for (const auto& [suffix, mode] : modes) {
    const char m = mode;
    const Format& f = alu_test::f64;
    const T t = T::f64;
    expect1("add" + suffix + ".f64", t, {t, t}, [&](S s) { return sum(f, s[0], s[1], m); });
    expect1("sub" + suffix + ".f64", t, {t, t}, [&](S s) {
      const Word b = is_nan(f, s[1]) ? s[1] : s[1] ^ f.sign();
      return sum(f, s[0], b, m);
    });
    expect1("mul" + suffix + ".f64", t, {t, t}, [&](S s) { return product(f, s[0], s[1], m); });
    expect1("fma" + suffix + ".f64", t, {t, t, t}, [&](S s) { return product_sum(f, s[0], s[1], s[2], m); });
    expect1("mad" + suffix + ".f64", t, {t, t, t}, [&](S s) { return product_sum(f, s[0], s[1], s[2], m); });
    expect1("div" + suffix + ".f64", t, {t, t}, [&](S s) { return quotient(f, s[0], s[1], m); });
    expect1("rcp" + suffix + ".f64", t, {t}, [&](S s) {
      return is_nan(f, s[0]) ? s[0] | Word(1) << 51 : quotient(f, Word(1023) << 52, s[0], m);
    });
    expect1("sqrt" + suffix + ".f64", t, {t}, [&](S s) { return square_root(f, s[0], m); }, 25);
  }
  expect1("abs.f64", T::f64, {T::f64}, [](S s) { return s[0] & ~(Word(1) << 63); });
  expect1("neg.f64", T::f64, {T::f64}, [](S s) { return s[0] ^ Word(1) << 63; });
}

/// min or max of two words: a number wins against a NaN, +0 is greater than -0.
Word extreme(const Format& f, Word a, Word b, bool greatest, bool nan) {
  if (is_nan(f, a) && is_nan(f, b)) return f.width == 64 ? a | Word(1) << 51 : f.nan;
  if (is_nan(f, a)) return nan ? f.nan : b;
  if (is_nan(f, b)) return nan ? f.nan : a;
  const auto order = [&](Word w) {  // infinities beyond all numbers
    const mpq_class magnitude = is_infinite(f, w) ? power(2000) : value(f, w & ~f.sign());
    return (w & f.sign()) != 0 ? mpq_class(-magnitude - power(-2000)) : magnitude;
  };
  return (order(a) > order(b)) == greatest ? a : b;
}

TEST(AluFloat, MinMax) {
  struct Row {
    Format format;
    T type;
    std::string name;
  };
  for (const Row& r : {Row{single, T::f32, "f32"}, Row{alu_test::f64, T::f64, "f64"}, Row{alu_test::f16, T::f16, "f16"},
                       Row{alu_test::bf16, T::bf16, "bf16"}})
    for (const bool greatest : {false, true})
      for (const bool ftz : {false, true})
        for (const bool nan : {false, true})
          for (const bool product_sign : {false, true}) {
            const Format& f = r.format;
            if (r.type == T::f64 && (ftz || nan || product_sign)) continue;
            if (r.type == T::bf16 && ftz) continue;
            const std::string name = std::string(greatest ? "max" : "min") + (ftz ? ".ftz" : "") + (nan ? ".NaN" : "") +
                                     (product_sign ? ".xorsign.abs." : ".") + r.name;
            expect1(name, r.type, {r.type, r.type}, [&](S s) {
              Word a = ftz ? flushed(f, s[0]) : s[0], b = ftz ? flushed(f, s[1]) : s[1];
              const Word sign = (a ^ b) & f.sign();
              if (!product_sign) return extreme(f, a, b, greatest, nan);
              const Word w = extreme(f, a & ~f.sign(), b & ~f.sign(), greatest, nan);
              return is_nan(f, w) ? f.nan : w | sign;
            });
          }
  expect1("max.NaN.f32", T::f32, {T::f32, T::f32, T::f32},
          [](S s) { return extreme(single, extreme(single, s[0], s[1], true, true), s[2], true, true); });
  expect1("min.f32", T::f32, {T::f32, T::f32, T::f32},
          [](S s) { return extreme(single, extreme(single, s[0], s[1], false, false), s[2], false, false); });
}

TEST(AluF32, AbsNegCopysignTestp) {
  for (const bool ftz : {false, true}) {
    const auto canonical = [ftz](Word w) { return is_nan(single, w) ? single.nan : ftz ? flushed(single, w) : w; };
    const std::string suffix = ftz ? ".ftz.f32" : ".f32";
    expect1("abs" + suffix, T::f32, {T::f32}, [&](S s) { return canonical(s[0] & 0x7fffffff); });
    expect1("neg" + suffix, T::f32, {T::f32}, [&](S s) { return canonical(s[0] ^ 0x80000000); });
  }
  expect1("copysign.f32", T::f32, {T::f32, T::f32}, [](S s) { return (s[0] & 0x80000000) + (s[1] & 0x7fffffff); });
  expect1("copysign.f64", T::f64, {T::f64, T::f64},
          [](S s) { return std::bit_cast<Word>(std::copysign(std::bit_cast<double>(s[1]), std::bit_cast<double>(s[0]))); });
  for (const bool wide : {false, true}) {
    const T t = wide ? T::f64 : T::f32;
    const std::string name = wide ? ".f64" : ".f32";
    const auto kind = [wide](Word w) {
      return wide ? std::fpclassify(std::bit_cast<double>(w)) : std::fpclassify(std::bit_cast<float>(std::uint32_t(w)));
    };
    expect1("testp.finite" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) != FP_NAN && kind(s[0]) != FP_INFINITE); });
    expect1("testp.infinite" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) == FP_INFINITE); });
    expect1("testp.number" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) != FP_NAN); });
    expect1("testp.notanumber" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) == FP_NAN); });
    expect1("testp.normal" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) == FP_NORMAL || kind(s[0]) == FP_ZERO); });
    expect1("testp.subnormal" + name, T::pred, {t}, [&](S s) { return Word(kind(s[0]) == FP_SUBNORMAL); });
  }
}

Word both(Word low, Word high) {
  return low | high << 16;
}
/// A function of halves on both halves of words.
template <class F>
Oracle1 on_halves(F f) {
  return [f](S s) {
    std::vector<Word> low, high;
    for (const Word w : s) {
      low.push_back(w & 0xffff);
      high.push_back(w >> 16);
    }
    return both(f(low), f(high));
  };
}

TEST(AluHalf, Arithmetic) {
  for (const bool brain : {false, true})
    for (const bool ftz : {false, true})
      for (const std::string& after : {"", ".sat", ".relu"}) {
        if (brain && (ftz || after == ".sat")) continue;
        const Format& f = brain ? alu_test::bf16 : alu_test::f16;
        const T one = brain ? T::bf16 : T::f16, two = brain ? T::bf16x2 : T::f16x2;
        const std::string suffix = (ftz ? ".ftz" : "") + after + (brain ? ".bf16" : ".f16");
        const auto check = [&](const std::string& name, int sources, auto operation) {
          if (sources < 3 && after == ".relu") return;
          const auto oracle = [&](S s) {
            std::vector<Word> in = s;
            for (Word& w : in)
              if (ftz) w = flushed(f, w);
            Word w = operation(in);
            if (ftz) w = flushed(f, w);
            if (after == ".sat") return saturated(f, w);
            return after == ".relu" && (w & f.sign()) != 0 ? Word(0) : w;
          };
          const auto n = std::size_t(sources);
          expect1(name + suffix, one, std::vector<T>(n, one), oracle, 80);
          expect1(name + suffix + "x2", two, std::vector<T>(n, two), on_halves(oracle), 40);
        };
        check("add", 2, [&](S s) { return sum(f, s[0], s[1], 'n'); });
        check("sub.rn", 2, [&](S s) { return is_nan(f, s[1]) ? f.nan : sum(f, s[0], s[1] ^ f.sign(), 'n'); });
        check("mul", 2, [&](S s) { return product(f, s[0], s[1], 'n'); });
        check("fma.rn", 3, [&](S s) { return product_sum(f, s[0], s[1], s[2], 'n'); });
      }
}

/// A product that is half way between two bf16, and an addend that is far below it: it decides.
TEST(AluHalf, AddendsFarBelowATie) {
  const Format& f = alu_test::bf16;
  for (const Word tiny : {Word(0x0001), Word(0x8001), Word(0x0080), Word(0x0000)}) {
    const Word a = 0x3f81, b = 0x3fa8;  // 1 + 2^-7, 1 + 2^-2 + 2^-4
    for (Word x = 0x3f80; x < 0x4000; ++x)
      ASSERT_EQ(result_of("fma.rn.bf16", T::bf16, {T::bf16, T::bf16, T::bf16}, {x, b, tiny}), product_sum(f, x, b, tiny, 'n')) << x;
    ASSERT_EQ(result_of("fma.rn.bf16", T::bf16, {T::bf16, T::bf16, T::bf16}, {a, a, tiny}), product_sum(f, a, a, tiny, 'n'));
  }
}

/// Every word of f16 and bf16 through what has one source.
TEST(AluHalf, EveryWord) {
  for (const bool brain : {false, true}) {
    const Format& f = brain ? alu_test::bf16 : alu_test::f16;
    const T t = brain ? T::bf16 : T::f16;
    const std::string name = brain ? ".bf16" : ".f16";
    const Alu absolute = decode("abs" + name, {t}, {t}), negative = decode("neg" + name, {t}, {t});
    for (Word base = 0; base < 0x10000; base += 32) {
      Lanes in;
      for (Word i = 0; i < 32; ++i) in[i] = base + i;
      const Lanes a = run(absolute, {in}, ~0u, State{{Lanes{}}}).results[0];
      const Lanes n = run(negative, {in}, ~0u, State{{Lanes{}}}).results[0];
      for (Word i = 0; i < 32; ++i) {
        ASSERT_EQ(a[i], is_nan(f, in[i]) ? f.nan : in[i] & 0x7fff);
        ASSERT_EQ(n[i], is_nan(f, in[i]) ? f.nan : in[i] ^ 0x8000);
      }
    }
  }
}

/// Approximate functions: distance to the value in long double, relative or absolute.
long double to_long(Word w) {
  return std::bit_cast<float>(std::uint32_t(w));
}
struct Function {
  std::string name;
  long double (*exact)(long double);
  long double relative, absolute;  ///< bounds of PTX, the sum of both
  float low, high;
};
TEST(AluApproximate, WithinTheBoundsOfPtx) {
  const std::vector<Function> functions = {
      {"sin.approx.f32", sinl, 0, 0x1p-20L, -3.14159f, 3.14159f},
      {"cos.approx.f32", cosl, 0, 0x1p-20L, -3.14159f, 3.14159f},
      {"lg2.approx.f32", log2l, 0x1p-22L, 0x1p-22L, 0.001f, 1e30f},
      {"ex2.approx.f32", exp2l, 0x1p-22L, 0, -100, 100},
      {"tanh.approx.f32", tanhl, 0x1p-11L, 0, -10, 10},
      {"rcp.approx.f32", [](long double x) { return 1 / x; }, 0x1p-23L, 0, 0.001f, 1e30f},
      {"sqrt.approx.f32", sqrtl, 0x1p-23L, 0, 0.001f, 1e30f},
      {"rsqrt.approx.f32", [](long double x) { return 1 / sqrtl(x); }, 0x1p-22L, 0, 0.001f, 1e30f}};
  for (const Function& f : functions) {
    SCOPED_TRACE(f.name);
    const Alu alu = decode(f.name, {T::f32}, {T::f32});
    EXPECT_TRUE(alu.approximate);
    std::uint64_t seed = 3;
    for (int round = 0; round < 100; ++round) {
      Lanes in;
      for (Word& w : in) {
        float x = std::bit_cast<float>(std::uint32_t(operand(T::b32, seed) * 0x9e3779b9));
        if (!(x >= f.low && x <= f.high)) x = f.low + (f.high > 1000 ? 100 : f.high - f.low) * float(operand(T::u16, seed) & 0xffff) / 65536.0f;
        w = std::bit_cast<std::uint32_t>(x);
      }
      const Lanes out = run(alu, {in}, ~0u, State{{Lanes{}}}).results[0];
      for (int i = 0; i < 32; ++i) {
        const long double exact = f.exact(to_long(in[i]));
        ASSERT_LE(fabsl(to_long(out[i]) - exact), f.relative * fabsl(exact) + f.absolute) << double(to_long(in[i]));
      }
    }
  }
}

TEST(AluApproximate, SpecialValues) {
  const Word inf = 0x7f800000, minus_inf = 0xff800000, nan = 0x7fffffff, zero = 0, minus_zero = 0x80000000, one = 0x3f800000;
  const auto of = [](const std::string& name, Word x) { return result_of(name, T::f32, {T::f32}, {x}); };
  EXPECT_EQ(of("sin.approx.f32", inf), nan);
  EXPECT_EQ(of("sin.approx.ftz.f32", minus_zero), minus_zero);
  EXPECT_EQ(of("cos.approx.f32", zero), one);
  EXPECT_EQ(of("cos.approx.ftz.f32", minus_inf), nan);
  EXPECT_EQ(of("lg2.approx.f32", zero), minus_inf);
  EXPECT_EQ(of("lg2.approx.f32", 0xbf800000), nan);
  EXPECT_EQ(of("lg2.approx.ftz.f32", 1), minus_inf);
  EXPECT_EQ(of("lg2.approx.f32", 1), 0xc3150000u);  // -149
  EXPECT_EQ(of("ex2.approx.f32", minus_inf), zero);
  EXPECT_EQ(of("ex2.approx.f32", inf), inf);
  EXPECT_EQ(of("ex2.approx.f32", 0xc3150000), 1u);
  EXPECT_EQ(of("ex2.approx.ftz.f32", 0xc3150000), zero);
  EXPECT_EQ(of("ex2.approx.ftz.f32", 0xffc12345), nan);
  EXPECT_EQ(of("tanh.approx.f32", minus_inf), 0xbf800000u);
  EXPECT_EQ(of("rcp.approx.ftz.f32", minus_zero), minus_inf);
  EXPECT_EQ(of("rcp.approx.ftz.f32", 0x7f000000), zero);  // 2^-127 is subnormal
  EXPECT_EQ(of("rsqrt.approx.f32", minus_zero), minus_inf);
  EXPECT_EQ(of("rsqrt.approx.f32", inf), zero);
  EXPECT_EQ(of("rsqrt.approx.f32", 0xbf800000), nan);
  EXPECT_EQ(of("sqrt.approx.ftz.f32", 0x80000001), minus_zero);
}

TEST(AluApproximate, Division) {
  const auto divide = [](const std::string& name, Word a, Word b) { return result_of(name, T::f32, {T::f32, T::f32}, {a, b}); };
  // Divisors over 2^126 give zeros, and NaN for infinities.
  EXPECT_EQ(divide("div.approx.f32", 0x40000000, 0x7e800001), 0u);
  EXPECT_EQ(divide("div.approx.f32", 0xc0000000, 0x7f000000), 0x80000000u);
  EXPECT_EQ(divide("div.approx.f32", 0x7f800000, 0x7f000000), 0x7fffffffu);
  EXPECT_EQ(divide("div.approx.f32", 0x7e800000, 0x7e800000), 0x3f800000u);
  expect1("div.full.f32", T::f32, {T::f32, T::f32}, [](S s) { return quotient(single, s[0], s[1], 'n'); });
}

/// The upper word of 1/x for the upper word of x, to 20 bits of fraction.
TEST(AluApproximate, UpperWordsOfF64) {
  const auto reciprocal = [](Word x) { return result_of("rcp.approx.ftz.f64", T::f64, {T::f64}, {x}); };
  const auto root = [](Word x) { return result_of("rsqrt.approx.ftz.f64", T::f64, {T::f64}, {x}); };
  EXPECT_EQ(reciprocal(Word(0x3ff00000) << 32 | 0xdeadbeef), Word(0x3ff00000) << 32);
  EXPECT_EQ(reciprocal(Word(0x40080000) << 32), Word(0x3fd55555) << 32);  // 1/3 = 0x3fd5555555555555
  EXPECT_EQ(reciprocal(Word(0x80000001) << 32), Word(0xfff00000) << 32);
  EXPECT_EQ(reciprocal(Word(0x7fe80000) << 32), 0u);  // subnormal
  EXPECT_EQ(reciprocal(Word(0xfff80000) << 32 | 1), Word(0x7fffffff) << 32);
  EXPECT_EQ(root(Word(0x40100000) << 32), Word(0x3fe00000) << 32);
  EXPECT_EQ(root(Word(0xbff00000) << 32), Word(0x7fffffff) << 32);
  EXPECT_EQ(result_of("rsqrt.approx.f64", T::f64, {T::f64}, {Word(0x40100000) << 32}), Word(0x3fe00000) << 32);
}

TEST(AluApproximate, EveryHalf) {
  struct Row {
    std::string name;
    T type;
    Format format;
    long double (*exact)(long double);
    long double relative;
  };
  const std::vector<Row> rows = {{"ex2.approx.f16", T::f16, alu_test::f16, exp2l, 0x1p-9L},
                                 {"ex2.approx.ftz.bf16", T::bf16, alu_test::bf16, exp2l, 0x1p-7L},
                                 {"tanh.approx.f16", T::f16, alu_test::f16, tanhl, 0x1p-10L},
                                 {"tanh.approx.bf16", T::bf16, alu_test::bf16, tanhl, 0x1p-8L}};
  for (const Row& r : rows) {
    SCOPED_TRACE(r.name);
    const Alu alu = decode(r.name, {r.type}, {r.type});
    for (Word base = 0; base < 0x10000; base += 32) {
      Lanes in;
      for (Word i = 0; i < 32; ++i) in[i] = base + i;
      const Lanes out = run(alu, {in}, ~0u, State{{Lanes{}}}).results[0];
      for (Word i = 0; i < 32; ++i) {
        if (is_nan(r.format, in[i])) {
          ASSERT_EQ(out[i], r.format.nan);
          continue;
        }
        if (is_infinite(r.format, in[i]) || is_infinite(r.format, out[i])) continue;
        const long double exact = r.exact((long double)value(r.format, in[i]).get_d());
        const long double least = (long double)power(1 - r.format.bias()).get_d();
        ASSERT_LE(fabsl((long double)value(r.format, out[i]).get_d() - exact), r.relative * fmaxl(fabsl(exact), least)) << in[i];
      }
    }
  }
}

}  // namespace
