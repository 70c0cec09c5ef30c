// Integers against plain arithmetic on __int128 and loops over bits.
#include "alu_helpers.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace {

using namespace alu_test;
using enum Type;
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

struct Integer {
  Type type;
  int bits;
  bool is_signed;
  std::string name;
  Word mask() const { return bits == 64 ? ~Word(0) : (Word(1) << bits) - 1; }
  Wide value(Word w) const {
    return is_signed && (w >> (bits - 1) & 1) != 0 ? Wide(w) - (Wide(1) << bits) : Wide(w);
  }
  Wide highest() const { return (Wide(1) << (bits - (is_signed ? 1 : 0))) - 1; }
  Wide lowest() const { return is_signed ? -(Wide(1) << (bits - 1)) : 0; }
  Word word(Wide v) const { return Word(v) & mask(); }
};
const std::vector<Integer> integers = {{u16, 16, false, "u16"}, {u32, 32, false, "u32"},
                                       {u64, 64, false, "u64"}, {s16, 16, true, "s16"},
                                       {s32, 32, true, "s32"},  {s64, 64, true, "s64"}};
Type twice(const Integer& t) {
  const bool s = t.is_signed;
  return t.bits == 16 ? (s ? s32 : u32) : (s ? s64 : u64);
}
using S = const std::vector<Word>&;

/// The product of two numbers of 64 bits has up to 128: its words by halves of 32 bits.
std::pair<Word, Word> long_product(Word a, Word b) {
  const Word a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const Word low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (middle & 0xffffffff);
  return {a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | (low & 0xffffffff)};
}
/// The high half of the product.
Word high_product(const Integer& t, Word a, Word b) {
  if (t.bits < 64) return t.word((t.value(a) * t.value(b)) >> t.bits);
  Word high = long_product(a, b).first;
  if (t.is_signed && (a >> 63) != 0) high -= b;
  if (t.is_signed && (b >> 63) != 0) high -= a;
  return high;
}

TEST(AluInteger, AddSubMul) {
  for (const Integer& t : integers) {
    expect1("add." + t.name, t.type, {t.type, t.type}, [&](S s) { return (s[0] + s[1]) & t.mask(); });
    expect1("sub." + t.name, t.type, {t.type, t.type}, [&](S s) { return (s[0] - s[1]) & t.mask(); });
    expect1("mul.lo." + t.name, t.type, {t.type, t.type}, [&](S s) { return (s[0] * s[1]) & t.mask(); });
    expect1("mul.hi." + t.name, t.type, {t.type, t.type}, [&](S s) { return high_product(t, s[0], s[1]); });
    expect1("mad.lo." + t.name, t.type, {t.type, t.type, t.type},
            [&](S s) { return (s[0] * s[1] + s[2]) & t.mask(); });
    expect1("mad.hi." + t.name, t.type, {t.type, t.type, t.type},
            [&](S s) { return (high_product(t, s[0], s[1]) + s[2]) & t.mask(); });
    if (t.bits == 64) continue;
    const Type wide = twice(t);
    const Word wide_mask = t.bits == 16 ? 0xffffffff : ~Word(0);
    expect1("mul.wide." + t.name, wide, {t.type, t.type},
            [&](S s) { return Word(t.value(s[0]) * t.value(s[1])) & wide_mask; });
    expect1("mad.wide." + t.name, wide, {t.type, t.type, wide},
            [&](S s) { return (Word(t.value(s[0]) * t.value(s[1])) + s[2]) & wide_mask; });
  }
}

TEST(AluInteger, Saturating) {
  const auto clamp = [](Wide x) { return Word(std::uint32_t(std::clamp<Wide>(x, INT32_MIN, INT32_MAX))); };
  const Integer& t = integers[4];
  expect1("add.sat.s32", s32, {s32, s32}, [&](S s) { return clamp(t.value(s[0]) + t.value(s[1])); });
  expect1("sub.sat.s32", s32, {s32, s32}, [&](S s) { return clamp(t.value(s[0]) - t.value(s[1])); });
  expect1("mad.hi.sat.s32", s32, {s32, s32, s32},
          [&](S s) { return clamp(((t.value(s[0]) * t.value(s[1])) >> 32) + t.value(s[2])); });
  expect1("mad24.hi.sat.s32", s32, {s32, s32, s32}, [&](S s) {
    const Wide a = std::int32_t(s[0] << 8) >> 8, b = std::int32_t(s[1] << 8) >> 8;
    return clamp(Wide(std::int32_t(Word(a * b) >> 16)) + t.value(s[2]));
  });
}

TEST(AluInteger, Products24) {
  expect1("mul24.lo.u32", u32, {u32, u32},
          [](S s) { return (s[0] & 0xffffff) * (s[1] & 0xffffff) & 0xffffffff; });
  expect1("mul24.hi.u32", u32, {u32, u32}, [](S s) { return (s[0] & 0xffffff) * (s[1] & 0xffffff) >> 16; });
  const auto product = [](S s) {
    return std::int64_t(std::int32_t(s[0] << 8) >> 8) * (std::int32_t(s[1] << 8) >> 8);
  };
  expect1("mul24.lo.s32", s32, {s32, s32}, [&](S s) { return Word(product(s)) & 0xffffffff; });
  expect1("mul24.hi.s32", s32, {s32, s32}, [&](S s) { return Word(product(s)) >> 16 & 0xffffffff; });
  expect1("mad24.lo.s32", s32, {s32, s32, s32}, [&](S s) { return (Word(product(s)) + s[2]) & 0xffffffff; });
  expect1("mad24.hi.s32", s32, {s32, s32, s32},
          [&](S s) { return ((Word(product(s)) >> 16) + s[2]) & 0xffffffff; });
}

TEST(AluInteger, DivisionMinMaxSadAbsNeg) {
  for (const Integer& t : integers) {
    expect1("div." + t.name, t.type, {t.type, t.type},
            [&](S s) { return s[1] == 0 ? t.mask() : t.word(t.value(s[0]) / t.value(s[1])); });
    expect1("rem." + t.name, t.type, {t.type, t.type},
            [&](S s) { return s[1] == 0 ? t.mask() : t.word(t.value(s[0]) % t.value(s[1])); });
    expect1("min." + t.name, t.type, {t.type, t.type},
            [&](S s) { return t.value(s[0]) < t.value(s[1]) ? s[0] : s[1]; });
    expect1("max." + t.name, t.type, {t.type, t.type},
            [&](S s) { return t.value(s[0]) > t.value(s[1]) ? s[0] : s[1]; });
    expect1("sad." + t.name, t.type, {t.type, t.type, t.type}, [&](S s) {
      const Wide d = t.value(s[0]) - t.value(s[1]);
      return t.word((d < 0 ? -d : d) + Wide(s[2]));
    });
    if (!t.is_signed) continue;
    expect1("abs." + t.name, t.type, {t.type},
            [&](S s) { return t.word(t.value(s[0]) < 0 ? -t.value(s[0]) : t.value(s[0])); });
    expect1("neg." + t.name, t.type, {t.type}, [&](S s) { return t.word(-t.value(s[0])); });
  }
  expect1("max.relu.s32", s32, {s32, s32}, [](S s) {
    return Word(std::uint32_t(std::max({0, std::int32_t(s[0]), std::int32_t(s[1])})));
  });
}

TEST(AluInteger, DotProducts) {
  for (const bool a_signed : {false, true})
    for (const bool b_signed : {false, true}) {
      const std::string types = std::string(a_signed ? ".s32" : ".u32") + (b_signed ? ".s32" : ".u32");
      const auto byte = [](Word w, int i, bool s) {
        return s ? std::int64_t(std::int8_t(w >> 8 * i)) : std::int64_t(w >> 8 * i & 255);
      };
      const auto half = [](Word w, int i, bool s) {
        return s ? std::int64_t(std::int16_t(w >> 16 * i)) : std::int64_t(w >> 16 * i & 65535);
      };
      expect1("dp4a" + types, b32, {b32, b32, b32}, [&](S s) {
        std::int64_t sum = std::int64_t(s[2]);
        for (int i = 0; i < 4; ++i) sum += byte(s[0], i, a_signed) * byte(s[1], i, b_signed);
        return Word(std::uint32_t(sum));
      });
      for (const int high : {0, 1})
        expect1(std::string("dp2a.") + (high ? "hi" : "lo") + types, b32, {b32, b32, b32}, [&](S s) {
          std::int64_t sum = std::int64_t(s[2]);
          for (int i = 0; i < 2; ++i) sum += half(s[0], i, a_signed) * byte(s[1], i + 2 * high, b_signed);
          return Word(std::uint32_t(sum));
        });
    }
}

TEST(AluInteger, DistancesOfBytesAndHalves) {
  for (const int width : {8, 16})
    for (const bool a_signed : {false, true})
      for (const bool b_signed : {false, true})
        for (const bool adds : {false, true}) {
          const std::string op = fmt::format("vabsdiff{}.u32.{}.{}{}", 32 / width, a_signed ? "s32" : "u32",
                                             b_signed ? "s32" : "u32", adds ? ".add" : "");
          const auto element = [&](Word w, int i, bool s) {
            const std::int64_t x = std::int64_t(w >> width * i) & ((1 << width) - 1);
            return s && x >> (width - 1) != 0 ? x - (1 << width) : x;
          };
          expect1(op, b32, {b32, b32, b32}, [&](S s) {
            std::int64_t sum = std::int64_t(s[2]), packed = 0;
            for (int i = 0; i < 32 / width; ++i) {
              const std::int64_t apart = std::abs(element(s[0], i, a_signed) - element(s[1], i, b_signed));
              sum += apart;
              packed |= (apart & ((1 << width) - 1)) << width * i;
            }
            return Word(std::uint32_t(adds ? sum : packed));
          });
        }
}

/// All of the family: the carry in is random, the carry out of inactive lanes stays.
TEST(AluInteger, Carries) {
  for (const Integer& t : integers) {
    if (t.bits == 16) continue;
    for (const std::string op : {"add.cc", "addc", "addc.cc", "sub.cc", "subc", "subc.cc", "mad.lo.cc",
                                 "madc.lo", "madc.hi.cc", "mad.hi.cc"}) {
      SCOPED_TRACE(op + t.name);
      const bool mad = op[0] == 'm', reads = op[3] == 'c', writes = op.find(".cc") != std::string::npos;
      const Alu alu = decode(op + "." + t.name, {t.type}, std::vector<Type>(mad ? 3 : 2, t.type));
      std::uint64_t seed = 5;
      for (int round = 0; round < 40; ++round) {
        std::vector<Lanes> in(mad ? 3 : 2);
        for (Lanes& lanes : in)
          for (Word& w : lanes) w = operand(t.type, seed);
        State before{{Lanes{}}, std::uint32_t(operand(b32, seed) * 0x9e3779b9)};
        const std::uint32_t active = std::uint32_t(operand(b32, seed) * 0x85ebca6b) | 1;
        const State after = run(alu, in, active, before);
        for (int i = 0; i < 32; ++i) {
          Word a = in[0][i], b = in[1][i];
          const bool carry_in = reads && (before.carry >> i & 1) != 0;
          if (mad) {
            a = op.find("lo") != std::string::npos ? (a * b) & t.mask() : high_product(t, a, b);
            b = in[2][i];
          }
          const bool subtract = op[0] == 's';
          const UnsignedWide exact =
              subtract ? UnsignedWide(a) - b - carry_in : UnsignedWide(a) + b + carry_in;
          const bool carry = (exact >> t.bits & 1) != 0;
          const bool on = (active >> i & 1) != 0;
          ASSERT_EQ(after.results[0][i], on ? Word(exact) & t.mask() : 0);
          ASSERT_EQ(after.carry >> i & 1, on && writes ? carry : before.carry >> i & 1);
        }
      }
    }
  }
}

TEST(AluBits, CountAndFind) {
  for (const int bits : {32, 64}) {
    const Type t = bits == 32 ? b32 : b64;
    const std::string b = bits == 32 ? ".b32" : ".b64";
    const auto top = [bits](Word w) {
      for (int i = bits - 1; i >= 0; --i)
        if ((w >> i & 1) != 0) return i;
      return -1;
    };
    expect1("popc" + b, u32, {t}, [&](S s) { return Word(std::popcount(s[0])); });
    expect1("clz" + b, u32, {t}, [&](S s) { return Word(bits - 1 - top(s[0])); });
    expect1("brev" + b, t, {t}, [&](S s) {
      Word r = 0;
      for (int i = 0; i < bits; ++i) r |= (s[0] >> i & 1) << (bits - 1 - i);
      return r;
    });
    for (const bool is_signed : {false, true})
      for (const bool distance : {false, true}) {
        const Type type = bits == 32 ? (is_signed ? s32 : u32) : (is_signed ? s64 : u64);
        const std::string name = fmt::format("{}{}", is_signed ? 's' : 'u', bits);
        expect1(std::string("bfind") + (distance ? ".shiftamt." : ".") + name, u32, {type}, [&](S s) {
          const Word mask = bits == 64 ? ~Word(0) : 0xffffffff;
          const Word w = is_signed && (s[0] >> (bits - 1)) != 0 ? ~s[0] & mask : s[0];
          if (w == 0) return Word(0xffffffff);
          return Word(distance ? bits - 1 - top(w) : top(w));
        });
      }
  }
}

TEST(AluBits, Fields) {
  const auto small = [](std::vector<Word>& s) {
    for (std::size_t k = s.size() - 2; k < s.size(); ++k)
      if (s[k] % 3 != 0) s[k] %= 70;
  };
  for (const Integer& t : integers) {
    if (t.bits == 16) continue;
    expect1(
        "bfe." + t.name, t.type, {t.type, u32, u32},
        [&](S s) {
          const int position = int(s[1] & 255), length = int(s[2] & 255), msb = t.bits - 1;
          const Word sign = t.is_signed && length != 0 ? s[0] >> std::min(position + length - 1, msb) & 1 : 0;
          Word r = 0;
          for (int i = 0; i <= msb; ++i)
            r |= (i < length && position + i <= msb ? s[0] >> (position + i) & 1 : sign) << i;
          return r;
        },
        200, small);
    if (t.is_signed) continue;
    const Type type = t.bits == 32 ? b32 : b64;
    expect1(
        "bfi.b" + std::to_string(t.bits), type, {type, type, u32, u32},
        [&](S s) {
          const int position = int(s[2] & 255), length = int(s[3] & 255), msb = t.bits - 1;
          Word r = s[1];
          for (int i = 0; i < length && position + i <= msb; ++i)
            r = (r & ~(Word(1) << (position + i))) | (s[0] >> i & 1) << (position + i);
          return r;
        },
        200, small);
  }
  for (const bool clamp : {false, true}) {
    const std::string mode = clamp ? ".clamp" : ".wrap";
    const auto width = [clamp](Word w) { return clamp ? std::min<Word>(w, 32) : w & 31; };
    expect1(
        "bmsk" + mode + ".b32", b32, {u32, u32},
        [&](S s) {
          Word r = 0;
          for (Word i = width(s[0]); i < 32 && i < width(s[0]) + width(s[1]); ++i) r |= Word(1) << i;
          return r;
        },
        200, small);
    for (const bool is_signed : {false, true})
      expect1(
          "szext" + mode + (is_signed ? ".s32" : ".u32"), is_signed ? s32 : u32, {is_signed ? s32 : u32, u32},
          [&](S s) {
            const Word n = width(s[1]);
            Word r = 0;
            for (Word i = 0; i < 32 && n > 0; ++i)
              r |= (i < n ? s[0] >> i & 1 : is_signed ? s[0] >> (n - 1) & 1 : 0) << i;
            return r;
          },
          200,
          [](std::vector<Word>& s) {
            if (s[1] % 3 != 0) s[1] %= 40;
          });
  }
}

TEST(AluBits, FindNthSet) {
  expect1(
      "fns.b32", b32, {b32, b32, s32},
      [](S s) {
        const int base = int(s[1]), offset = int(std::int32_t(s[2]));
        if (offset == 0) return (s[0] >> base & 1) != 0 ? Word(base) : Word(0xffffffff);
        std::vector<int> set;  // in the order that they are met
        for (int i = base; i >= 0 && i < 32; i += offset < 0 ? -1 : 1)
          if ((s[0] >> i & 1) != 0) set.push_back(i);
        const std::size_t n = std::size_t(std::abs(offset));
        return n <= set.size() ? Word(set[n - 1]) : Word(0xffffffff);
      },
      200,
      [](std::vector<Word>& s) {
        s[1] &= 31;
        s[2] = Word(std::uint32_t(std::int32_t(s[2] % 41) - 20));
      });
}

TEST(AluLogic, WordsAndPredicates) {
  const std::vector<std::pair<Type, std::string>> types = {
      {pred, "pred"}, {b16, "b16"}, {b32, "b32"}, {b64, "b64"}};
  for (const auto& [t, n] : types) {
    const Word mask = t == pred ? 1 : t == b16 ? 0xffff : t == b32 ? 0xffffffff : ~Word(0);
    expect1("and." + n, t, {t, t}, [](S s) { return s[0] & s[1]; });
    expect1("or." + n, t, {t, t}, [](S s) { return s[0] | s[1]; });
    expect1("xor." + n, t, {t, t}, [](S s) { return s[0] ^ s[1]; });
    expect1("not." + n, t, {t}, [&](S s) { return ~s[0] & mask; });
    expect1("mov." + n, t, {t}, [](S s) { return s[0]; });
    if (t != pred) expect1("cnot." + n, t, {t}, [](S s) { return Word(s[0] == 0); });
    if (t != pred) expect1("selp." + n, t, {t, t, pred}, [](S s) { return s[2] != 0 ? s[0] : s[1]; });
  }
  expect1("mov.f32", f32, {f32}, [](S s) { return s[0]; });
  expect1("cvta.to.global.u64", u64, {u64}, [](S s) { return s[0]; });
}

TEST(AluLogic, Lop3) {
  for (Word table = 0; table < 256; ++table) {
    const auto uniform = [table](std::vector<Word>& s) { s[3] = table; };
    const auto value = [](S s) {
      Word r = 0;
      for (int i = 0; i < 32; ++i)
        r |= (s[3] >> ((s[0] >> i & 1) * 4 + (s[1] >> i & 1) * 2 + (s[2] >> i & 1)) & 1) << i;
      return r;
    };
    expect1("lop3.b32", b32, {b32, b32, b32, b32}, value, 2, uniform);
    for (const bool both : {false, true})
      expect(
          both ? "lop3.and.b32" : "lop3.or.b32", {b32, pred}, {b32, b32, b32, b32, pred},
          [&](S s) {
            const Word r = value(s), p = r != 0;
            return std::vector<Word>{r, both ? p & s[4] : p | s[4]};
          },
          2, uniform);
  }
}

TEST(AluLogic, Shifts) {
  for (const Integer& t : integers) {
    const auto small = [&](std::vector<Word>& s) {
      if (s[1] % 4 != 0) s[1] %= Word(t.bits + 2);
    };
    expect1(
        "shr." + t.name, t.type, {t.type, u32},
        [&](S s) { return t.word(t.value(s[0]) >> std::min<Word>(s[1], 64)); }, 60, small);
    const Type b = t.bits == 16 ? b16 : t.bits == 32 ? b32 : b64;
    expect1(
        "shl.b" + std::to_string(t.bits), b, {b, u32},
        [&](S s) { return s[1] >= Word(t.bits) ? 0 : (s[0] << s[1]) & t.mask(); }, 60, small);
  }
  for (const bool clamp : {false, true})
    for (const bool left : {false, true})
      expect1(
          std::string("shf.") + (left ? "l." : "r.") + (clamp ? "clamp" : "wrap") + ".b32", b32,
          {b32, b32, u32},
          [&](S s) {
            const Word n = clamp ? std::min<Word>(s[2], 32) : s[2] % 32;
            Word r = 0;  // bit i of the result from bit `from` of b:a
            for (Word i = 0; i < 32; ++i) {
              const Word from = left ? 32 + i - n : i + n;
              r |= (from < 32 ? s[0] >> from & 1 : s[1] >> (from - 32) & 1) << i;
            }
            return r;
          },
          100,
          [](std::vector<Word>& s) {
            if (s[2] % 4 != 0) s[2] %= 36;
          });
}

TEST(AluLogic, Permute) {
  // Bytes of the result for selectors 0 to 3, highest first, as the tables of the PTX ISA have them.
  const std::vector<std::pair<std::string, std::vector<std::string>>> tables = {
      {"f4e", {"3210", "4321", "5432", "6543"}}, {"b4e", {"5670", "6701", "7012", "0123"}},
      {"rc8", {"0000", "1111", "2222", "3333"}}, {"ecl", {"3210", "3211", "3222", "3333"}},
      {"ecr", {"0000", "1110", "2210", "3210"}}, {"rc16", {"1010", "3232", "1010", "3232"}}};
  const auto byte = [](S s, int n) { return (n < 4 ? s[0] >> 8 * n : s[1] >> 8 * (n - 4)) & 255; };
  for (const auto& [mode, table] : tables)
    expect1("prmt.b32." + mode, b32, {b32, b32, b32}, [&, &table = table](S s) {
      Word r = 0;
      for (int i = 0; i < 4; ++i) r = r << 8 | byte(s, table[s[2] & 3][std::size_t(i)] - '0');
      return r;
    });
  expect1(
      "prmt.b32", b32, {b32, b32, b32},
      [&](S s) {
        Word r = 0;
        for (int i = 0; i < 4; ++i) {
          const Word selector = s[2] >> 4 * i & 15, b = byte(s, int(selector & 7));
          r |= (selector < 8 ? b : b >= 128 ? Word(255) : Word(0)) << 8 * i;
        }
        return r;
      },
      200);
}

TEST(AluRefusals, NameThePlaceAndTheText) {
  EXPECT_EQ(refusal("add.ftz.s32", {s32}, {s32, s32}), "7:3: .ftz is not allowed here: add.ftz.s32");
  EXPECT_NE(refusal("add.s32", {s32}, {s32}), "");
  EXPECT_NE(refusal("add.s32", {s32}, {s32, s64}), "");
  EXPECT_NE(refusal("add", {s32}, {s32, s32}), "");
  EXPECT_NE(refusal("add.s8", {s8}, {s8, s8}), "");
  EXPECT_NE(refusal("add.s32.s32", {s32}, {s32, s32}), "");
  EXPECT_NE(refusal("mul.s32", {s32}, {s32, s32}), "");
  EXPECT_NE(refusal("mul.lo.hi.s32", {s32}, {s32, s32}), "");
  EXPECT_NE(refusal("add.cc.s16", {s16}, {s16, s16}), "");
  EXPECT_NE(refusal("add.rn.rz.f32", {f32}, {f32, f32}), "");
  EXPECT_NE(refusal("div.f32", {f32}, {f32, f32}), "");
  EXPECT_NE(refusal("div.f16", {f16}, {f16, f16}), "");
  EXPECT_NE(refusal("sin.f32", {f32}, {f32}), "");
  EXPECT_NE(refusal("setp.lo.s32", {pred}, {s32, s32}), "");
  EXPECT_NE(refusal("setp.lt.b32", {pred}, {b32, b32}), "");
  EXPECT_NE(refusal("setp.s32", {pred}, {s32, s32}), "");
  EXPECT_NE(refusal("setp.lt.s32", {s32}, {s32, s32}), "");
  EXPECT_NE(refusal("cvt.f16.f32", {f16}, {f32}), "");
  EXPECT_NE(refusal("cvt.rn.f32.f16", {f32}, {f16}), "");
  EXPECT_NE(refusal("cvt.s32.f32", {s32}, {f32}), "");
  EXPECT_NE(refusal("cvt.u64.u32", {u32}, {u32}), "");
  EXPECT_NE(refusal("fma.rn.oob.f16", {f16}, {f16, f16, f16}), "");
  EXPECT_NE(refusal("fma.rn.s32", {s32}, {s32, s32, s32}), "");
}

TEST(AluRefusals, OtherOpcodesAreNotOfTheAlu) {
  twofour::emu::ptx::Instruction i;
  for (const std::string name : {"ld", "bra", "mma", "shfl", "", "addd"}) {
    i.opcode = name;
    EXPECT_FALSE(twofour::emu::ptx::find_alu(i, {}).has_value());
  }
}

}  // namespace
