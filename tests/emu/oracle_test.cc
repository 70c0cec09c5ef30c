// The oracle itself, against hardware: recorded words of GPUs, this processor's floating point, and values
// that the formats' definitions give.
#include "oracle.h"

#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "parallel.h"
#include "twofour/isa/file.h"

namespace twofour::oracle {
namespace {

constexpr std::pair<Direction, int> directions[] = {{Direction::nearest_even, FE_TONEAREST},
                                                    {Direction::toward_zero, FE_TOWARDZERO},
                                                    {Direction::down, FE_DOWNWARD},
                                                    {Direction::up, FE_UPWARD}};

/// The processor's answers; volatile keeps the compiler from computing them in its own rounding mode.
double processor_fma(double a, double b, double c, int mode) {
  volatile double x = a, y = b, z = c;
  std::fesetround(mode);
  volatile double result = std::fma(x, y, z);
  std::fesetround(FE_TONEAREST);
  return result;
}
float processor_float(double value, int mode) {
  volatile double x = value;
  std::fesetround(mode);
  volatile float result = float(x);
  std::fesetround(FE_TONEAREST);
  return result;
}

TEST(Oracle, FusedMultiplyAddEqualsTheProcessors) {
  std::mt19937 random(31);
  const isa::Instruction chain{
      {8, 8, 1}, isa::ElementType::f64, isa::ElementType::f64, isa::ElementType::f64, isa::ElementType::f64};
  const auto edges = boundary_words(isa::ElementType::f64);
  const auto check = [&](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    for (const auto& [direction, mode] : directions) {
      const double want =
          processor_fma(std::bit_cast<double>(a), std::bit_cast<double>(b), std::bit_cast<double>(c), mode);
      const auto got = fused_multiply_add(f64, a, b, c, direction);
      ASSERT_TRUE(same(chain.d, got, std::bit_cast<std::uint64_t>(want)))
          << std::hex << a << " * " << b << " + " << c << " gives " << got << " mode " << mode;
    }
  };
  for (const auto& a : edges)
    for (const auto& b : edges)
      for (const auto& c : edges)
        if (random() % (4 * case_stride) == 0) {
          ASSERT_NO_FATAL_FAILURE(check(a.word, b.word, c.word));
        }
  for (int trial = 0; trial < 20000 / case_stride; ++trial) {
    const Operands o = random_operands(chain, random);
    ASSERT_NO_FATAL_FAILURE(check(o.a[0], o.b[0], o.c));
  }
}

TEST(Oracle, RoundingToFloatEqualsTheProcessors) {
  std::mt19937 random(32);
  for (int trial = 0; trial < 100000 / case_stride; ++trial) {
    const int exponent = int(random() % 300) - 165;
    const auto integer = std::int64_t((std::uint64_t(random()) << 32 | random()) >> (11 + random() % 40));
    const double value = std::ldexp(double(random() % 2 ? integer : -integer), exponent - 40);
    mpz_class units(std::ldexp(value, 205));
    for (const auto& [direction, mode] : directions) {
      const auto want = std::bit_cast<std::uint32_t>(processor_float(value, mode));
      ASSERT_EQ(round(f32, {units, -205}, direction, Overflow::ieee), want) << value << " mode " << mode;
    }
  }
}

TEST(Oracle, DecodesEveryFloatAsTheProcessor) {
  for (std::uint32_t high = 0; high < 65536; ++high) {
    const std::uint32_t word = high << 16 | (high * 40503u >> 7 & 0xffff);
    const float value = std::bit_cast<float>(word);
    const Number n = decode(f32, word);
    ASSERT_EQ(n.kind == Kind::nan, std::isnan(value));
    ASSERT_EQ(n.kind == Kind::infinite, std::isinf(value));
    if (n.kind == Kind::finite) {
      ASSERT_EQ(std::ldexp(n.value.integer.get_d(), n.value.lsb), double(value));
    }
  }
}

double value(const Format& f, std::uint64_t word) {
  const Number n = decode(f, word);
  return std::ldexp(n.value.integer.get_d(), n.value.lsb);
}

// OCP 8-bit floating point: largest and smallest numbers, and what the top exponent means.
TEST(Oracle, DecodesEightBitFloats) {
  EXPECT_EQ(value(e4m3, 0x7e), 448);
  EXPECT_EQ(value(e4m3, 0x01), std::ldexp(1, -9));
  EXPECT_EQ(value(e4m3, 0x88), -std::ldexp(1, -6));
  EXPECT_EQ(decode(e4m3, 0x7e).kind, Kind::finite);
  EXPECT_EQ(decode(e4m3, 0xff).kind, Kind::nan);
  EXPECT_EQ(value(e5m2, 0x7b), 57344);
  EXPECT_EQ(value(e5m2, 0x01), std::ldexp(1, -16));
  EXPECT_EQ(decode(e5m2, 0xfc).kind, Kind::infinite);
  EXPECT_EQ(decode(e5m2, 0x7d).kind, Kind::nan);
  EXPECT_EQ(value(tf32, 0x3f801fff), 1);
  EXPECT_EQ(decode(tf32, 0x7f801fff).kind, Kind::infinite);
}

// Ada's fp8: 13 bits below the largest exponent, result of 13 fraction bits.
TEST(Oracle, EightBitFloatsSumInThirteenBits) {
  const auto p = parameters(isa::Architecture::ada, "e4m3", "f32").value();
  const auto sum = [&](std::uint64_t a, std::uint64_t b, float c) {
    const auto word = block(e4m3, e4m3, p, {&a, 1}, {&b, 1}, std::bit_cast<std::uint32_t>(c));
    return std::bit_cast<float>(std::uint32_t(word));
  };
  const std::uint64_t one = 0x38, largest = 0x7e;
  EXPECT_EQ(sum(one, one, 0x1p-13f), 1 + 0x1p-13f);
  EXPECT_EQ(sum(one, one, 0x1.8p-14f), 1);
  EXPECT_EQ(sum(one, one, -0x1p-13f), 1 - 0x1p-13f);
  EXPECT_EQ(sum(largest, largest, 0), 448 * 448);
  EXPECT_TRUE(std::isnan(sum(0x7f, 0, 0)));
}

/// GPU, instruction and words of a file of tests/vectors, by its name: a100_fp16_k8_f32.hex.
struct Recorded {
  isa::Architecture architecture;
  std::string input, accumulator;
};
Recorded recorded_as(const std::string& file) {
  using enum isa::Architecture;
  std::istringstream parts(file);
  std::string gpu, type, k, accumulator;
  for (auto* part : {&gpu, &type, &k, &accumulator}) std::getline(parts, *part, '_');
  const auto architecture = gpu == "v100"                    ? volta
                            : gpu == "ada"                   ? ada
                            : gpu == "h100" || gpu == "h200" ? hopper
                            : gpu == "b200"                  ? blackwell
                                                             : ampere;
  return {architecture, type == "fp16" ? "f16" : type, accumulator.substr(0, 3)};
}

TEST(Oracle, GivesEveryRecordedWord) {
  int lines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TWOFOUR_SOURCE_DIR "/tests/vectors")) {
    if (entry.path().extension() != ".hex") continue;
    const std::string name = entry.path().filename();
    const Recorded r = recorded_as(name);
    const auto p = parameters(r.architecture, r.input, r.accumulator).value();
    std::istringstream text(isa::read_file(entry.path()));
    for (std::string line; std::getline(text, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::vector<std::uint64_t> fields[4];
      std::istringstream words(line);
      for (std::string word, at; words >> word;) {
        if (word == "|")
          at += '|';
        else
          fields[at.size()].push_back(std::stoull(word, nullptr, 16));
      }
      ASSERT_LE(fields[0].size(), std::size_t(p.products)) << name;
      const Format f = format(r.input);
      ASSERT_EQ(block(f, f, p, fields[0], fields[1], fields[2].at(0)), fields[3].at(0))
          << name << ": " << line;
      ++lines;
    }
  }
  EXPECT_EQ(lines, 26000);
}

}  // namespace
}  // namespace twofour::oracle
