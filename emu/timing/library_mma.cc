#include "twofour/emu/timing/library_mma.h"

#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

bool multiplies(const isa::Instruction& i, ElementType type, bool sparse) {
  return i.is_tensor_core() && i.a == type && i.b == type && i.is_sparse() == sparse && isa::bits(i.c) == 32;
}

bool better(const isa::Instruction& i, const isa::Instruction& than, const isa::Machine& machine) {
  if (i.fma() != than.fma()) return i.fma() > than.fma();
  return isa::issue_timing(i, machine).interval < isa::issue_timing(than, machine).interval;
}

[[noreturn]] void refuse(ElementType type, bool sparse, bool known, const isa::Machine& machine) {
  if (!known)
    fail(
        "there is no {}mma of {} to time; types: f16, bf16, tf32, s8, u8, s4, u4 (dense or sparse), e4m3, "
        "e5m2 "
        "and b1 (dense)",
        sparse ? "sparse " : "", isa::name(type));
  fail("machine {} (sm_{:.0f}) has no {}mma of {}; choose another type or machine", machine.name,
       machine.compute_capability, sparse ? "sparse " : "", isa::name(type));
}

}  // namespace

LibraryMma library_mma(ElementType type, bool sparse, const isa::Machine& machine) {
  const isa::Instruction* best = nullptr;
  bool known = false;
  for (const auto& i : isa::instructions()) {
    if (!multiplies(i, type, sparse)) continue;
    known = true;
    if (isa::has_issue_timing(i, machine) && (!best || better(i, *best, machine))) best = &i;
  }
  if (!best) refuse(type, sparse, known, machine);
  const auto timing = isa::issue_timing(*best, machine);
  const bool warpgroup = machine.mma_sync_share < 1 && isa::bits(type) != 4;
  const double share = warpgroup ? machine.mma_sync_share : 1;
  return {best, timing.interval * share, timing.effective_interval * share, timing.latency, warpgroup};
}

}  // namespace twofour::emu
