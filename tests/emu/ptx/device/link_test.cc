// Modules joined into one.
#include "twofour/emu/ptx/link.h"

#include "support.h"

namespace twofour::emu::ptx::test {
namespace {

const std::string header = ".version 8.0\n.target sm_80\n.address_size 64\n";

TEST(PtxLink, DeclarationsFindTheirDefinitions) {
  const std::string first = kernel(R"(
    { .param .b32 a; .param .b32 b;
      st.param.b32 [a], %r0;
      call.uni (b), times, (a);
      ld.param.b32 %r1, [b]; }
    ld.global.u32 %r2, [shared_by_all];
    add.u32 %r1, %r1, %r2;
    ld.global.u32 %r2, [own];
    add.u32 %r1, %r1, %r2;
    st.global.u32 [%d1], %r1;
  )",
                                   "",
                                   ".extern .func (.param .b32 b) times (.param .b32 a);\n"
                                   ".extern .global .align 4 .u32 shared_by_all;\n"
                                   ".global .align 4 .u32 own = 1000;\n");
  const std::string second = fmt::format("{}{}", header, R"(
    .visible .global .align 4 .u32 shared_by_all = 50;
    .global .align 4 .u32 own = 3;
    .global .align 8 .u64 place = own;
    .visible .func (.param .b32 b) times (.param .b32 a)
    {
      .reg .b32 %r<4>; .reg .b64 %d<2>;
      ld.param.b32 %r0, [a];
      ld.global.u64 %d0, [place];
      ld.global.u32 %r1, [%d0];
      ld.global.u32 %r2, [own];
      add.u32 %r1, %r1, %r2;
      mul.lo.u32 %r0, %r0, %r1;
      st.param.b32 [b], %r0;
      ret;
    }
  )");
  for (const bool swapped : {false, true}) {
    std::vector<Module> parts;
    parts.push_back(parse(swapped ? second : first, "a.ptx"));
    parts.push_back(parse(swapped ? first : second, "b.ptx"));
    Device device(isa::load_machine("a100-sxm4-40gb"), {.threads = 1, .print = {}});
    const auto module = device.load(link(std::move(parts)));
    const std::uint64_t out = device.allocate(16);
    std::vector<std::byte> parameters(8);
    std::memcpy(parameters.data(), &out, 8);
    device.launch(*module, "k", {.grid = {}, .block = {4, 1, 1}, .parameters = parameters});
    std::uint32_t got[4];
    std::memcpy(got, device.bytes(out, 16).data(), 16);
    for (std::uint32_t l = 0; l < 4; ++l) EXPECT_EQ(got[l], 6 * l + 50 + 1000);
  }
}

TEST(PtxLink, OfSeveralDefinitionsTheFirstStays) {
  const auto part = [](int value) {
    return parse(fmt::format("{}.weak .global .align 4 .u32 v = {};", header, value), "p");
  };
  std::vector<Module> parts;
  parts.push_back(part(1));
  parts.push_back(part(2));
  const Module m = link(std::move(parts));
  ASSERT_EQ(m.variables.size(), 1u);
  EXPECT_EQ(m.variables[0].initial.at(0), 1);
}

}  // namespace
}  // namespace twofour::emu::ptx::test
