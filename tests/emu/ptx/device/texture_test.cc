// Textures and surfaces: texels and weights computed by hand.
#include "twofour/emu/ptx/texture.h"

#include <bit>
#include <limits>

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

Texture rows(const void* texels, int width, int height, int channels, int bits, Texture::Number number) {
  Texture t;
  t.address = reinterpret_cast<std::uint64_t>(texels);
  t.width = width;
  t.height = height;
  t.channels = channels;
  t.bits = bits;
  t.number = number;
  t.row_bytes = std::uint64_t(width * channels * bits / 8);
  t.slice_bytes = t.row_bytes * std::uint64_t(height);
  return t;
}
float real(const Texel& t, std::size_t c = 0) {
  return std::bit_cast<float>(t[c]);
}

TEST(Texture, NearestTexelByAddressingMode) {
  const float texels[4] = {10, 11, 12, 13};
  Texture t = rows(texels, 4, 1, 1, 32, Texture::Number::real);
  const auto at = [&](float x) { return real(sample(t, 0, {x, 0, 0}, 1, 0)); };
  for (const Addressing mode : {Addressing::clamp, Addressing::wrap, Addressing::mirror}) {
    t.addressing[0] = mode;  // wrap and mirror are clamp where coordinates are not normalized
    EXPECT_EQ(at(-3), 10);
    EXPECT_EQ(at(0.99f), 10);
    EXPECT_EQ(at(3), 13);
    EXPECT_EQ(at(900), 13);
  }
  t.addressing[0] = Addressing::border;
  t.border = {0.5f, 0, 0, 0};
  EXPECT_EQ(at(-0.01f), 0.5f);
  EXPECT_EQ(at(4), 0.5f);
  t.normalized = true;
  t.addressing[0] = Addressing::wrap;
  EXPECT_EQ(at(1.25f), 11);
  EXPECT_EQ(at(-0.125f), 13);
  t.addressing[0] = Addressing::mirror;
  EXPECT_EQ(at(1.25f), 12);
  EXPECT_EQ(at(-0.30f), 11);
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), 1e30f})
    EXPECT_GE(at(odd), 10);
}

TEST(Texture, LinearFilterHasWeightsOfEightBits) {
  const float texels[4] = {0, 256, 1000, 2000};
  Texture t = rows(texels, 2, 2, 1, 32, Texture::Number::real);
  t.linear = true;
  EXPECT_EQ(real(sample(t, 0, {0.5f, 0.5f, 0}, 2, 0)), 0);
  EXPECT_EQ(real(sample(t, 0, {1, 0.5f, 0}, 2, 0)), 128);
  EXPECT_EQ(real(sample(t, 0, {0.5f + 1.4f / 256, 0.5f, 0}, 2, 0)), 1);  // 1.4 is 1 of 256
  EXPECT_EQ(real(sample(t, 0, {0.5f + 1.6f / 256, 0.5f, 0}, 2, 0)), 2);
  EXPECT_EQ(real(sample(t, 0, {1, 1, 0}, 2, 0)), (256 + 1000 + 2000) / 4.0f);
  EXPECT_EQ(real(sample(t, 0, {-5, 9, 0}, 2, 0)), 1000);  // clamped
}

TEST(Texture, IntegersAsFractionsAndSigns) {
  const std::uint8_t bytes[4] = {0, 51, 128, 255};
  Texture t = rows(bytes, 1, 1, 4, 8, Texture::Number::natural);
  EXPECT_EQ(fetch(t, 0, {0, 0, 0}, 0), (Texel{0, 51, 128, 255}));
  t.to_real = true;
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 1), 0.2f);
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 3), 1);
  t.number = Texture::Number::integer;
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 2), -1);  // -128 too
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 3), -1 / 127.0f);
  t.to_real = false;
  EXPECT_EQ(fetch(t, 0, {0, 0, 0}, 0)[3], 0xffffffffu);
  EXPECT_EQ(fetch(t, 0, {1, 0, 0}, 0), Texel{});
  EXPECT_EQ(fetch(t, 0, {-1, 0, 0}, 0), Texel{});
  const std::uint16_t half[2] = {0x3c00, 0xc000};
  t = rows(half, 1, 1, 2, 16, Texture::Number::real);
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 0), 1);
  EXPECT_EQ(real(fetch(t, 0, {0, 0, 0}, 0), 1), -2);
}

TEST(Texture, FacesOfACube) {
  // Table of the CUDA C++ Programming Guide, "Cubemap Textures"; s and t are (u / m + 1) / 2.
  const struct {
    float x, y, z;
    int face;
    float s, t;
  } rows[] = {{2, 1, 0.5f, 0, 0.375f, 0.25f}, {-2, 1, 0.5f, 1, 0.625f, 0.25f},
              {1, 2, 0.5f, 2, 0.75f, 0.625f}, {1, -2, 0.5f, 3, 0.75f, 0.375f},
              {1, 0.5f, 2, 4, 0.75f, 0.375f}, {1, 0.5f, -2, 5, 0.25f, 0.375f}};
  for (const auto& r : rows) {
    const CubePlace p = cube_place(r.x, r.y, r.z);
    EXPECT_EQ(p.face, r.face);
    EXPECT_EQ(p.s, r.s) << r.face;
    EXPECT_EQ(p.t, r.t) << r.face;
  }
  EXPECT_EQ(cube_place(0, 0, 0).s, 0.5f);
}

TEST(PtxTexture, ReadsByHandle) {
  TestDevice t(kernel(R"(
    ld.param.u64 %d2, [texture];
    cvt.rn.f32.u32 %f0, %r0;
    mov.f32 %f1, 0f3F800000;
    tex.2d.v4.f32.f32 {%f2, %f3, %f4, %f5}, [%d2, {%f0, %f1}];
    cvt.rzi.u32.f32 %r1, %f2;
    st.global.u32 [%d1], %r1;
    mov.u32 %r2, 2;
    tex.a2d.v4.f32.f32 {%f2, %f3, %f4, %f5}, [%d2, {%r2, %f0, %f1, %f1}];
    cvt.rzi.u32.f32 %r1, %f2;
    st.global.u32 [%d1+128], %r1;
    mov.u32 %r3, 0;
    tex.2d.v4.f32.s32 {%f2, %f3, %f4, %f5}, [%d2, {%r0, %r3}];
    cvt.rzi.u32.f32 %r1, %f2;
    st.global.u32 [%d1+256], %r1;
  )",
                      ", .param .u64 texture"));
  std::vector<float> texels(24);
  for (std::size_t i = 0; i < 24; ++i) texels[i] = float(i);
  Texture x = rows(nullptr, 4, 2, 1, 32, Texture::Number::real);
  x.address = t.upload(texels);
  x.layers = 3;
  const std::uint64_t handle = t.device().add_texture(x);
  ASSERT_NE(handle, 0u);
  const auto r = t.results(5, 96, handle);
  for (std::uint32_t l = 0; l < 5; ++l) {
    EXPECT_EQ(r[l], std::min(7u, 4 + l));
    EXPECT_EQ(r[32 + l], std::min(23u, 20 + l));
    EXPECT_EQ(r[64 + l], l < 4 ? l : 0);
  }
  t.device().remove_texture(handle);
  EXPECT_NE(error_of([&] { t.results(1, 96, handle); }).find("no texture or surface with handle"),
            std::string::npos);
  EXPECT_NE(error_of([&] { t.device().remove_texture(handle); }), "");
}

// Lanes of one instruction may read several textures.
TEST(PtxTexture, EveryLaneHasItsHandle) {
  TestDevice t(kernel(R"(
    ld.param.u64 %d2, [first];
    and.b32 %r1, %r0, 1;
    cvt.u64.u32 %d3, %r1;
    ld.param.u64 %d4, [distance];
    mul.lo.u64 %d3, %d3, %d4;
    add.u64 %d2, %d2, %d3;
    mov.u32 %r3, 0;
    tex.2d.v4.f32.s32 {%f2, %f3, %f4, %f5}, [%d2, {%r0, %r3}];
    cvt.rzi.u32.f32 %r1, %f2;
    st.global.u32 [%d1], %r1;
  )",
                      ", .param .u64 first, .param .u64 distance"));
  Texture even = rows(nullptr, 4, 1, 1, 32, Texture::Number::real), odd = even;
  even.address = t.upload(std::vector<float>{10, 11, 12, 13});
  odd.address = t.upload(std::vector<float>{20, 21, 22, 23});
  const std::uint64_t first = t.device().add_texture(even), second = t.device().add_texture(odd);
  EXPECT_EQ(t.results(4, 4, first, second - first), (std::vector<std::uint32_t>{10, 21, 12, 23}));
}

TEST(PtxTexture, SurfacesInBytesAndTheirBorders) {
  const auto body = [](const std::string& mode) {
    return kernel(fmt::format(R"(
      ld.param.u64 %d2, [surface];
      ld.param.u32 %r2, [row];
      shl.b32 %r1, %r0, 2;
      suld.b.2d.b32.{0} {{%r3}}, [%d2, {{%r1, %r2}}];
      st.global.u32 [%d1], %r3;
      add.u32 %r3, %r3, 100;
      sust.b.2d.b32.{0} [%d2, {{%r1, %r2}}], {{%r3}};
    )",
                              mode),
                  ", .param .u64 surface, .param .u32 row");
  };
  for (const std::string mode : {"trap", "clamp", "zero"}) {
    TestDevice t(body(mode));
    Texture x = rows(nullptr, 4, 2, 1, 32, Texture::Number::natural);
    x.address = t.upload(std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9});
    const std::uint64_t handle = t.device().add_texture(x);
    EXPECT_EQ(t.results(4, 4, handle, std::uint32_t{1}), (std::vector<std::uint32_t>{5, 6, 7, 8}));
    EXPECT_EQ(t.download<std::uint32_t>(x.address, 8),
              (std::vector<std::uint32_t>{1, 2, 3, 4, 105, 106, 107, 108}));
    if (mode == "trap")
      EXPECT_NE(error_of([&] { t.results(4, 4, handle, std::uint32_t{2}); }).find("out of bounds"),
                std::string::npos);
    else
      EXPECT_EQ(t.results(5, 5, handle, std::uint32_t{2})[4], mode == "zero" ? 0u : 108u) << mode;
    EXPECT_EQ(t.download<std::uint32_t>(x.address, 8)[4], mode == "clamp" ? 205u : 105u);
  }
}

}  // namespace
}  // namespace twofour::emu::ptx::test
