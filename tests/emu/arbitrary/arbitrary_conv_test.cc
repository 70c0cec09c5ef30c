// Convolutions of bit planes against direct loops, and layers that hand packed activations to the next.
#include <gtest/gtest.h>

#include "forms.h"
#include "twofour/emu/arbitrary/arbitrary_gemm.h"
#include "twofour/emu/arbitrary/packing_epilogue.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

/// Sum of one output element, in 64 bits.
std::int64_t direct(const ConvShape& s, const Values& w, const Values& x, std::int64_t n, std::int64_t p,
                    std::int64_t q, std::int64_t filter) {
  std::int64_t sum = 0;
  for (std::int64_t r = 0; r < s.kernel_h; ++r)
    for (std::int64_t t = 0; t < s.kernel_w; ++t) {
      const std::int64_t y = p * s.stride + r - s.pad, z = q * s.stride + t - s.pad;
      if (y < 0 || y >= s.height || z < 0 || z >= s.width) continue;
      for (std::int64_t c = 0; c < s.in_channels; ++c)
        sum += std::int64_t(w.row(filter)[(r * s.kernel_w + t) * s.in_channels + c]) *
               x.row((n * s.height + y) * s.width + z)[c];
    }
  return sum;
}

void expect_direct(const BitForm& form, const ConvShape& s, std::mt19937& random, isa::Architecture a) {
  const Values w = random_values(weight_values(form), s.out_channels, s.gemm_k(), random),
               x = random_values(activation_values(form), s.batch * s.height * s.width, s.in_channels,
                                 random);
  const PackedMatrix d =
      arbitrary_conv2d(form, s, weight_planes(form, w.packed()), activation_planes(form, x.packed()),
                       bit_instruction(form.encoding, a));
  ASSERT_EQ(d.rows(), s.gemm_n());
  ASSERT_EQ(d.cols(), s.out_channels);
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t o = 0; o < d.cols(); ++o)
      ASSERT_EQ(d.integer(row, o), direct(s, w, x, row / (s.out_width() * s.out_height()),
                                          row / s.out_width() % s.out_height(), row % s.out_width(), o))
          << describe(form) << " row " << row << " filter " << o;
}

TEST(ArbitraryConv, EqualsDirectLoops) {
  std::mt19937 random(1);
  const ConvShape padded{.batch = 2,
                         .height = 5,
                         .width = 6,
                         .in_channels = 11,
                         .out_channels = 7,
                         .kernel_h = 3,
                         .kernel_w = 3,
                         .stride = 1,
                         .pad = 1},
      strided{.batch = 3,
              .height = 7,
              .width = 5,
              .in_channels = 16,
              .out_channels = 4,
              .kernel_h = 1,
              .kernel_w = 3,
              .stride = 2,
              .pad = 0};
  for (const BitForm& form : all_forms()) {
    const bool bipolar = form.encoding == BitEncoding::bipolar;
    const auto arch =
        (form.weight_bits + form.activation_bits) % 2 ? isa::Architecture::ampere : isa::Architecture::turing;
    if (!bipolar) expect_direct(form, padded, random, arch);
    expect_direct(form, strided, random, arch);
  }
}

TEST(ArbitraryConv, RefusesPaddingOfBipolarActivations) {
  const BitForm form{1, 1, BitEncoding::bipolar};
  const ConvShape s{.height = 3, .width = 3, .kernel_h = 3, .kernel_w = 3, .pad = 1};
  const auto& i = bit_instruction(form.encoding, isa::Architecture::ampere);
  EXPECT_THROW(arbitrary_conv2d(form, s, empty_planes(1, 1, 9), empty_planes(1, 9, 1), i), Error);
  const BitForm plain{1, 1, BitEncoding::signed_weights};
  EXPECT_NO_THROW(arbitrary_conv2d(plain, s, empty_planes(1, 1, 9), empty_planes(1, 9, 1), i));
  EXPECT_THROW(arbitrary_conv2d(plain, s, empty_planes(1, 1, 8), empty_planes(1, 9, 1), i), Error);
}

/// floor((x m + 2^(s-1)) / 2^s) by division.
std::int64_t scaled(std::int64_t x, FixedFactor f) {
  const std::int64_t divisor = std::int64_t(1) << f.shift, sum = x * f.multiplier + divisor / 2;
  const std::int64_t quotient = sum / divisor;
  return sum % divisor < 0 ? quotient - 1 : quotient;
}

/// The epilogue once more, in words of its docstring.
int expected_code(const PackingEpilogue& e, std::int32_t sum, std::size_t channel) {
  std::int64_t y = scaled(sum, e.scale[channel]) + e.bias[channel];
  if (e.relu && y < 0) y = 0;
  if (y > INT32_MAX) y = INT32_MAX;
  if (y < INT32_MIN) y = INT32_MIN;
  y = scaled(y, e.step);
  const int levels = (1 << e.bits) - 1;
  return y < 0 ? 0 : y > levels ? levels : int(y);
}

TEST(PackingEpilogue, QuantisesAndPacks) {
  std::mt19937 random(2);
  constexpr std::int64_t rows = 37, channels = 21;
  for (int bits = 1; bits <= 8; ++bits)
    for (const bool relu : {false, true}) {
      PackedMatrix sums(isa::ElementType::s32, rows, channels);
      std::vector<FixedFactor> scale;
      std::vector<std::int32_t> bias;
      for (std::int64_t c = 0; c < channels; ++c) {
        scale.push_back({std::int32_t(random()), 1 + int(random() % 40)});
        bias.push_back(std::int32_t(random()) >> (random() % 32));
        for (std::int64_t r = 0; r < rows; ++r)
          sums.set_integer(r, c,
                           r == 0   ? INT32_MIN
                           : r == 1 ? INT32_MAX
                                    : std::int32_t(random()) >> (random() % 32));
      }
      // The step maps some of the outputs into the range and others beyond it.
      const PackingEpilogue e{scale, bias, relu, {bits % 3 ? 77 : -77, 8 + int(random() % 24)}, bits};
      const BitPlanes packed = pack_activations(e, sums);
      ASSERT_EQ(packed.planes, bits);
      ASSERT_EQ(packed.k, channels);
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < channels; ++c) {
          int code = 0;
          for (int t = 0; t < bits; ++t) code += int(packed.bits.bits(t * rows + r, c)) << t;
          const auto sum = std::int32_t(sums.integer(r, c));
          ASSERT_EQ(code, expected_code(e, sum, std::size_t(c))) << bits << " bits, sum " << sum;
          ASSERT_EQ(code, activation_code(e, sum, std::size_t(c)));
        }
    }
}

TEST(PackingEpilogue, HalvesRoundUpAndCodesAreClamped) {
  const FixedFactor half{1, 1};
  const std::int32_t bias[] = {0};
  const PackingEpilogue e{{&half, 1}, bias, true, {1, 1}, 2};
  // 1: 1/2 -> 1; 1/2 -> 1.  2: 1 -> 1.  3: 2 -> 1.  9: 5 -> 3.  100: 50 -> 25, clamped.  -9: ReLU.
  const int expected[][2] = {{0, 0}, {1, 1}, {2, 1}, {3, 1}, {5, 2}, {9, 3}, {100, 3}, {-9, 0}};
  for (const auto& [sum, code] : expected) EXPECT_EQ(activation_code(e, sum, 0), code) << sum;
}

TEST(PackingEpilogue, PackedPlanesAreTheNextLayersActivations) {
  std::mt19937 random(3);
  const BitForm first{2, 3, BitEncoding::signed_weights}, second{3, 2, BitEncoding::signed_weights};
  const ConvShape s1{.batch = 2,
                     .height = 4,
                     .width = 4,
                     .in_channels = 10,
                     .out_channels = 13,
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .pad = 1},
      s2{.batch = 2,
         .height = 4,
         .width = 4,
         .in_channels = 13,
         .out_channels = 5,
         .kernel_h = 3,
         .kernel_w = 3,
         .pad = 1};
  const auto& i = bit_instruction(first.encoding, isa::Architecture::ampere);
  const auto w1 = random_values(weight_values(first), 13, 90, random),
             w2 = random_values(weight_values(second), 5, 117, random),
             x = random_values(activation_values(first), 32, 10, random);
  const std::vector<FixedFactor> scale(13, FixedFactor{3, 6});
  const std::vector<std::int32_t> bias(13, 10);
  const auto sums =
      arbitrary_conv2d(first, s1, weight_planes(first, w1.packed()), activation_planes(first, x.packed()), i);
  const PackingEpilogue e{scale, bias, true, {1, 1}, 2};
  const BitPlanes packed = pack_activations(e, sums);
  Values codes{32, 13, {}};
  std::vector<int> seen(4);
  for (std::int64_t r = 0; r < 32; ++r)
    for (std::int64_t c = 0; c < 13; ++c) {
      codes.at.push_back(expected_code(e, std::int32_t(sums.integer(r, c)), std::size_t(c)));
      ++seen[std::size_t(codes.at.back())];
    }
  for (const int count : seen) EXPECT_GT(count, 5);  // every code occurs
  const auto d = arbitrary_conv2d(second, s2, weight_planes(second, w2.packed()), packed, i);
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t o = 0; o < d.cols(); ++o)
      ASSERT_EQ(d.integer(row, o), direct(s2, w2, codes, row / 16, row / 4 % 4, row % 4, o));
}

TEST(PackingEpilogue, RefusesWhatDoesNotFit) {
  const std::vector<FixedFactor> scale(3);
  const std::vector<std::int32_t> bias(3), few(2);
  const PackedMatrix sums(isa::ElementType::s32, 2, 3);
  EXPECT_NO_THROW(pack_activations({scale, bias, true, {}, 4}, sums));
  EXPECT_THROW(pack_activations({scale, few, true, {}, 4}, sums), Error);
  EXPECT_THROW(pack_activations({scale, bias, true, {}, 9}, sums), Error);
  EXPECT_THROW(pack_activations({scale, bias, true, {1, 63}, 4}, sums), Error);
  EXPECT_THROW(pack_activations({scale, bias, true, {}, 4}, PackedMatrix(isa::ElementType::s8, 2, 3)), Error);
}

}  // namespace
}  // namespace twofour::emu
