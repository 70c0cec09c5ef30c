#include "support.h"

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx::test {
namespace {

constexpr const char* header = ".version 8.0\n.target sm_80\n.address_size 64\n";

}  // namespace

std::string kernel(const std::string& body, const std::string& more_parameters, const std::string& before) {
  return header + before + "\n.visible .entry k(.param .u64 out" + more_parameters + ")\n{\n" + R"(
  .reg .pred %p<16>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %d<32>; .reg .f32 %f<32>; .reg .f64 %e<8>;
  mov.u32 %r0, %tid.x;
  ld.param.u64 %d0, [out];
  mul.wide.u32 %d1, %r0, 4;
  add.u64 %d1, %d0, %d1;
)" + body +
         "\n  ret;\n}\n";
}

TestDevice::TestDevice(const std::string& text, DeviceOptions options, std::string entry)
    : device_(isa::load_machine("a100-sxm4-40gb"), std::move(options)),
      module_(device_.load(parse(text, "test.ptx"))),
      entry_(std::move(entry)) {}

}  // namespace twofour::emu::ptx::test
