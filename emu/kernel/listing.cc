#include "twofour/emu/kernel/listing.h"

#include <fmt/format.h>

#include <bit>
#include <string_view>

namespace twofour::emu {
namespace {

std::string_view name(Tensor t) {
  constexpr std::string_view names[] = {"",      "a",    "e",        "b",         "c",
                                        "scale", "bias", "residual", "workspace", "d"};
  return names[std::size_t(t)];
}

std::string_view name(Action action) {
  switch (action) {
    case Action::none: return "add.u32";
    case Action::zero: return "mov.b32";
    case Action::widen_low:
    case Action::widen_high: return "cvt.f32.f16";
    case Action::widen_bf16_low:
    case Action::widen_bf16_high: return "cvt.f32.bf16";
    case Action::to_float: return "cvt.rn.f32.s32";
    case Action::add_float: return "add.rn.f32";
    case Action::multiply: return "mul.rn.f32";
    case Action::fma: return "fma.rn.f32";
    case Action::add_integer: return "add.s32";
    case Action::add_double: return "add.rn.f64";
    case Action::scale_wide: return "mad.wide.s32";
    case Action::add_wide: return "add.s64";
    case Action::relu_wide: return "max.s64";
    case Action::saturate_wide: return "cvt.sat.s32.s64";
    case Action::relu_float: return "max.f32";
    case Action::relu_integer: return "max.s32";
    case Action::to_integer: return "cvt.rni.s32.f32";
    case Action::pack_f16: return "cvt.rn.f16x2.f32";
    case Action::pack_bf16: return "cvt.rn.bf16x2.f32";
    case Action::pack_s8: return "cvt.pack.sat.s8.s32.b32";
    case Action::pack_u8: return "cvt.pack.sat.u8.s32.b32";
    case Action::pack_s4: return "cvt.pack.sat.s4.s32.b32";
    case Action::pack_u4: return "cvt.pack.sat.u4.s32.b32";
    case Action::pack_b1: return "selp.or.b32";
  }
  return "";
}

std::string registers(RegisterRange r) {
  if (r.count <= 1) return fmt::format("R{}", r.first);
  return fmt::format("{{R{}..R{}}}", r.first, r.first + r.count - 1);
}

int first_lane(std::uint32_t lanes) {
  return lanes == 0 ? 0 : std::countr_zero(lanes);
}
std::string shared_place(const WarpOp& op) {
  return fmt::format("[{:#06x}]", op.shared[std::size_t(first_lane(op.active))]);
}
std::string global_place(const WarpOp& op) {
  return fmt::format("[{} + {}]", name(op.tensor),
                     op.global[std::size_t(first_lane(op.active & ~op.filled))]);
}

std::string predicate(const WarpOp& op) {
  if (op.active == 0) return "@false ";
  return op.active == ~0u ? "" : "@p ";
}

std::string mma_text(const WarpOp& op) {
  std::string text = fmt::format("{} {}, {}, {}, {}", isa::ptx_name(*op.instruction), registers(op.write),
                                 registers(op.read[0]), registers(op.read[1]), registers(op.read[2]));
  if (op.instruction->is_sparse()) text += fmt::format(", {}, {}", registers(op.read[3]), op.argument);
  return text;
}

std::string arithmetic_text(const WarpOp& op) {
  std::string text = fmt::format("{} {}", name(op.action), registers(op.write));
  for (const RegisterRange& r : op.read)
    if (r.count > 0) text += ", " + registers(r);
  if (op.action == Action::zero) text += ", 0";
  return text;
}

std::string copy_text(const WarpOp& op) {
  const int zeros = std::popcount(op.active & op.filled);
  return fmt::format("cp.async.{}.shared.global {}, {}, {}{}", op.bytes == 16 ? "cg" : "ca", shared_place(op),
                     global_place(op), op.bytes, zeros > 0 ? fmt::format(", {} lanes zeros", zeros) : "");
}

std::string text_of(const WarpOp& op) {
  switch (op.kind) {
    case OpKind::mma: return mma_text(op);
    case OpKind::ldmatrix:
      return fmt::format("{} {}, {}", isa::ptx_name(*op.instruction), registers(op.write), shared_place(op));
    case OpKind::cp_async: return copy_text(op);
    case OpKind::load_shared:
      return fmt::format("ld.shared.b{} {}, {}", 8 * op.bytes, registers(op.write), shared_place(op));
    case OpKind::store_shared:
      return fmt::format("st.shared.b{} {}, {}", 8 * op.bytes, shared_place(op), registers(op.read[0]));
    case OpKind::load_global:
      return fmt::format("ld.global.b{} {}, {}", 8 * op.bytes, registers(op.write), global_place(op));
    case OpKind::store_global:
      return fmt::format("st.global.b{} {}, {}", 8 * op.bytes, global_place(op), registers(op.read[0]));
    case OpKind::commit_group: return "cp.async.commit_group";
    case OpKind::wait_group: return fmt::format("cp.async.wait_group {}", op.argument);
    case OpKind::barrier: return "bar.sync 0";
    case OpKind::arrive: return "bar.arrive 0";
    case OpKind::integer:
    case OpKind::fp32:
    case OpKind::fp64:
    case OpKind::special: return arithmetic_text(op);
    case OpKind::branch: return "bra";
    case OpKind::exit: return "exit";
  }
  return "";
}

}  // namespace

std::string listing_line(const WarpOp& op) {
  const TimedOp t = timed(op);
  const bool predicated = op.kind != OpKind::ldmatrix;
  std::string line = fmt::format("{:5}  {}{}", op.line, predicated ? predicate(op) : "", text_of(op));
  if (t.wavefronts > 0) line += fmt::format("  // {} wavefronts", t.wavefronts);
  if (t.bytes > 0) line += fmt::format("{} {} bytes of sectors", t.wavefronts > 0 ? "," : "  //", t.bytes);
  return line;
}

}  // namespace twofour::emu
