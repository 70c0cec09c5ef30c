#include "twofour/emu/tune/legality.h"

#include <algorithm>
#include <bit>

#include "twofour/emu/timing/kernel_time.h"

namespace twofour::emu {
namespace {

constexpr int step_bytes = 32;  // of a row of the stored operand, in one mma
constexpr int address_registers = 40;
constexpr int max_registers = 255;  // of a thread; CUDA C++ programming guide, compute capability 8.0
constexpr int max_warps = 32;       // of a CTA; the same
constexpr std::int64_t least_chunks = 2;

/// 2:4 metadata over the bytes of the dense operand: 4 bits a group of 4 columns (tf32: 2, 4-bit types: 8).
double metadata_share(isa::ElementType type) {
  const int bits = isa::bits(type), columns = bits == 32 ? 2 : bits == 4 ? 8 : 4;
  return 4.0 / (columns * bits);
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::string_view illegal_shape(const Schedule& s, const GemmProblem& p) {
  const Tile& t = s.tile;
  if (t.m < 1 || t.n < 1 || t.k_bytes < 1 || t.warps_m < 1 || t.warps_n < 1) return "a size is below 1";
  if (t.m % (16 * t.warps_m) != 0 || t.n % (8 * t.warps_n) != 0)
    return "a warp's share is not whole m16n8 tiles";
  // mma.sp takes twice the columns: its A is stored at half width
  if (t.k_bytes % (p.sparse ? 2 * step_bytes : step_bytes) != 0)
    return "k of the tile is not whole mma steps";
  if (t.stages < 2) return "fewer than two stages";
  return {};
}

std::string_view illegal_share(const Schedule& s, const GemmProblem& p) {
  const std::int64_t chunks = ceil_div(p.k, s.tile.k(p.type));
  const std::int64_t rows = ceil_div(p.m, s.tile.m), columns = ceil_div(p.n, s.tile.n);
  switch (s.decomposition) {
    case Decomposition::data_parallel:
      if (s.splits != 1) return "only split-k has splits";
      break;
    case Decomposition::split_k:
      if (s.splits < 2) return "split-k needs two splits or more";
      if (chunks < least_chunks * s.splits) return "a CTA of split-k has fewer than two k-chunks";
      break;
    case Decomposition::stream_k:
      if (s.splits != 1) return "only split-k has splits";
      if (rows * columns * p.batch * chunks < least_chunks) return "stream-K has fewer than two k-chunks";
  }
  if (s.raster_columns < 1) return "the raster is narrower than one column";
  if (s.raster_columns > static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(columns))))
    return "the raster is wider than the matrix";
  return {};
}

}  // namespace

Footprint footprint(const Schedule& schedule, const GemmProblem& p) {
  const Tile& t = schedule.tile;
  const double a_share = p.sparse ? 0.5 + metadata_share(p.type) : 1;
  const double warp_m = double(t.m) / t.warps_m, warp_n = double(t.n) / t.warps_n;
  Footprint f{};
  f.shared_bytes = t.stages * (t.m * a_share + t.n) * t.k_bytes;
  f.registers = warp_m * warp_n / 32 + 2 * (warp_m + warp_n) * step_bytes / (32 * 4) + address_registers;
  f.warps = t.warps();
  return f;
}

int resident_ctas(const Footprint& f, const isa::Machine& machine) {
  constexpr double system_bytes = 1024;
  if (f.shared_bytes > machine.smem_per_cta || f.registers > max_registers) return 0;
  const double registers = f.registers * 32 * f.warps;
  return static_cast<int>(
      std::min({machine.smem_per_sm / (f.shared_bytes + system_bytes), machine.registers_per_sm / registers,
                machine.max_warps_per_sm / f.warps, machine.max_ctas_per_sm}));
}

std::string_view illegality(const Schedule& s, const TuningTask& task, const isa::Machine& machine) {
  if (const auto why = illegal_shape(s, task.gemm); !why.empty()) return why;
  const auto f = footprint(s, task.gemm);
  if (f.warps > max_warps) return "more than 1024 threads";
  if (f.shared_bytes > machine.smem_per_cta) return "more shared memory than a CTA may have";
  if (f.registers > max_registers) return "more than 255 registers a thread";
  if (resident_ctas(f, machine) < 1) return "an SM cannot hold one CTA";
  if (s.alignment != 4 && s.alignment != 8 && s.alignment != 16) return "cp.async moves 4, 8 or 16 bytes";
  if (s.alignment > task.alignment()) return "the rows are not aligned to that cp.async";
  return illegal_share(s, task.gemm);
}

}  // namespace twofour::emu
