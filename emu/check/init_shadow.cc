#include "twofour/emu/check/init_shadow.h"

#include <algorithm>

namespace twofour::emu::check {

InitFrame& WarpShadow::frame(ptx::Warp& warp, const ptx::Site& site, InitPlans& plans) {
  const std::size_t index = warp.depth() - 1;
  if (index >= frames_.size()) frames_.resize(index + 1);
  InitFrame& f = frames_[index];
  if (!f.fresh && f.function == site.function) return f;
  if (f.function != site.function) {
    f.function = site.function;
    f.plans = &plans.of(*site.function);
  }
  enter(warp, f);
  return f;
}

void WarpShadow::enter(ptx::Warp& warp, InitFrame& f) {
  f.fresh = false;
  f.set.assign(f.function->registers.size(), 0);
  const ptx::Program& program = *warp.frame().program;
  const std::size_t base = warp.frame().local_base;
  if (local_.size() < base + program.local_bytes) local_.resize(base + program.local_bytes);
  std::fill_n(local_.begin() + std::ptrdiff_t(base), program.local_bytes, 0u);
  for (const ptx::Slot& slot : program.parameters)
    if (!slot.reg)
      std::fill_n(local_.begin() + std::ptrdiff_t(base + slot.local), slot.bytes, ptx::all_lanes);
  for (const ptx::Variable& v : f.function->parameters)
    for (std::size_t r = 0; v.space == ptx::Space::reg && r < f.set.size(); ++r)
      if (f.function->registers[r].name == v.name) f.set[r] = ptx::all_lanes;
}

bool WarpShadow::any_local(int lane, std::uint64_t address, std::uint64_t bytes) const {
  const std::uint64_t offset = address - ptx::local_window;
  if (offset >= local_.size() || bytes > local_.size() - offset) return true;
  std::uint32_t lanes = 0;
  for (std::uint64_t i = 0; i < bytes; ++i) lanes |= local_[offset + i];
  return (lanes >> lane & 1) != 0;
}

void WarpShadow::set_local(int lane, std::uint64_t address, std::uint64_t bytes, bool set) {
  const std::uint64_t offset = address - ptx::local_window;
  if (offset >= local_.size() || bytes > local_.size() - offset) return;
  const std::uint32_t bit = 1u << lane;
  for (std::uint64_t i = 0; i < bytes; ++i)
    local_[offset + i] = (local_[offset + i] & ~bit) | (set ? bit : 0);
}

}  // namespace twofour::emu::check
