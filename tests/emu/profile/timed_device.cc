#include "timed_device.h"

#include <fmt/format.h>

namespace twofour::emu::profile::test {
namespace {

constexpr const char* header = ".version 8.0\n.target sm_80\n.address_size 64\n";

bool is_double(const isa::Instruction& i) {
  return i.a == isa::ElementType::f64;
}

/// "{%A0, %A1}"
std::string list(const std::string& prefix, int count) {
  std::string text;
  for (int k = 0; k < count; ++k) text += fmt::format("{}{}{}", k > 0 ? ", " : "", prefix, k);
  return "{" + text + "}";
}

int operands(const isa::Instruction& i, isa::Operand o) {
  return isa::registers(i, o) / (is_double(i) ? 2 : 1);
}

}  // namespace

TimedDevice::TimedDevice(const std::string& text, int threads, std::int64_t instructions,
                         const std::string& file)
    : machine_(isa::load_machine("a100-sxm4-80gb")),
      tracer_(
          machine_,
          [this](const LaunchTrace& trace) {
            trace_ = trace;
            time_ = time_launch(trace, machine_);
          },
          instructions) {
  ptx::DeviceOptions options;
  options.threads = threads;
  options.observers = {&tracer_};
  device_ = std::make_unique<ptx::Device>(machine_, options);
  module_ = device_->load(ptx::parse(text, file));
}

std::string kernel(const std::string& body) {
  return std::string(header) + R"(.visible .entry k(.param .u64 out, .param .u32 n)
{
  .reg .pred %p<8>; .reg .b32 %r<128>; .reg .f32 %f<128>; .reg .f64 %d<16>; .reg .b64 %a<16>; .reg .b32 %n;
  .shared .align 16 .b8 memory[16384];
  mov.u32 %r0, %tid.x;
  ld.param.u64 %a0, [out];
  ld.param.u32 %n, [n];
)" + body +
         "\n  ret;\n}\n";
}

std::string mma_loop_ptx(const MmaLoop& loop) {
  const isa::Instruction& i = *loop.instruction;
  const bool wide = is_double(i), f32 = i.c == isa::ElementType::f32;
  const std::string in = wide ? "f64" : "b32",
                    acc = wide  ? "f64"
                          : f32 ? "f32"
                                : "b32",
                    zero = wide  ? "0d0000000000000000"
                           : f32 ? "0f00000000"
                                 : "0";
  const int a = operands(i, isa::Operand::a), b = operands(i, isa::Operand::b),
            c = operands(i, isa::Operand::c);
  std::string text = std::string(header) + ".visible .entry k(.param .u64 out, .param .u32 n)\n{\n";
  text += fmt::format(
      "  .reg .pred %p;\n  .reg .b32 %n, %i, %e, %t;\n  .reg .b64 %out;\n"
      "  .reg .{0} %A<{1}>;\n  .reg .{0} %B<{2}>;\n",
      in, a, b);
  for (int m = 0; m < loop.independent; ++m) text += fmt::format("  .reg .{} %C{}_<{}>;\n", acc, m, c);
  text += "  ld.param.u32 %n, [n];\n  ld.param.u64 %out, [out];\n  mov.u32 %i, 0;\n  mov.u32 %e, %tid.x;\n";
  for (int k = 0; k < a; ++k) text += fmt::format("  ld.global.{} %A{}, [%out+{}];\n", in, k, 8 * k);
  for (int k = 0; k < b; ++k) text += fmt::format("  ld.global.{} %B{}, [%out+{}];\n", in, k, 8 * k);
  if (i.is_sparse()) text += "  ld.global.b32 %e, [%out];\n";
  for (int m = 0; m < loop.independent; ++m)
    for (int k = 0; k < c; ++k) text += fmt::format("  mov.{} %C{}_{}, {};\n", acc, m, k, zero);
  text += "  bar.sync 0;\nLOOP:\n";
  for (int m = 0; m < loop.independent; ++m) {
    const std::string d = list(fmt::format("%C{}_", m), c);
    text += fmt::format("  {} {}, {}, {}, {}{};\n", isa::ptx_name(i), d, list("%A", a), list("%B", b), d,
                        i.is_sparse() ? ", %e, 0x0" : "");
  }
  text += "  add.s32 %i, %i, 1;\n  setp.lt.s32 %p, %i, %n;\n  @%p bra LOOP;\n  bar.sync 0;\n";
  for (int m = 0; m < loop.independent; ++m)
    for (int k = 0; k < c; ++k) text += fmt::format("  st.global.{} [%out], %C{}_{};\n", acc, m, k);
  return text + "  ret;\n}\n";
}

double mma_loop_cycles(const MmaLoop& loop) {
  TimedDevice t(mma_loop_ptx(loop));
  const std::uint64_t out = t.allocate(4096);
  const ptx::Dim3 block{std::uint32_t(32 * loop.warps), 1, 1};
  // What one more iteration takes: the code around the loop aside.
  const auto some = std::uint32_t(loop.iterations), more = 2 * some;
  const double first = t.run("k", {}, block, 0, out, some).sm_cycles;
  const double second = t.run("k", {}, block, 0, out, more).sm_cycles;
  return (second - first) / double(more - some);
}

}  // namespace twofour::emu::profile::test
