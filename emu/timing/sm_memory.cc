#include "twofour/emu/timing/sm_memory.h"

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

double ticks_per_byte(double bytes_per_clk, std::string_view what) {
  if (!(bytes_per_clk > 0)) fail("SM pipeline: the bandwidth of {} must be above 0", what);
  return static_cast<double>(ticks_per_cycle) / bytes_per_clk;
}

}  // namespace

SmMemory::SmMemory(const SmParameters& p, SmListener& listener)
    : listener_(listener),
      share_(p.share),
      wavefront_(to_ticks(128 / p.machine.smem_bytes_per_clk)),
      shared_latency_(to_ticks(p.machine.smem_latency)),
      wavefront_latency_(to_ticks(p.machine.smem_wavefront_latency)),
      store_latency_(to_ticks(p.machine.smem_store_latency)),
      copy_latency_(to_ticks(p.machine.copy_latency)),
      l1_latency_(to_ticks(p.machine.l1_latency)),
      l2_latency_(to_ticks(p.machine.l2_latency)),
      dram_latency_(to_ticks(p.machine.dram_latency)),
      l1_ticks_(ticks_per_byte(p.constants.l1_lookup_bytes, "L1")),
      l2_ticks_(ticks_per_byte(p.share.l2_bytes_per_clk, "L2")),
      dram_ticks_(ticks_per_byte(p.share.dram_bytes_per_clk, "DRAM")) {}

Ticks SmMemory::serve(Server& server, Pipe pipe, Ticks at, Ticks busy) {
  const Ticks start = server.serve(at, busy);
  listener_.on_pipe({pipe, -1, start, busy});
  return start;
}

bool SmMemory::hits(double& debt, int bytes, double hit) {
  debt += bytes * (1 - hit);
  if (debt < bytes) return true;
  debt -= bytes;
  return false;
}

SmMemory::Access SmMemory::shared(Ticks at, int wavefronts, bool store) {
  const Ticks start = serve(shared_, Pipe::shared_memory, at, wavefronts * wavefront_);
  const Ticks latency = store ? store_latency_ : shared_latency_;
  return {start, start + latency + (wavefronts - 1) * wavefront_latency_};
}

SmMemory::Access SmMemory::global(Ticks at, int bytes, OpKind kind) {
  const auto time = [&](double per_byte) { return static_cast<Ticks>(bytes * per_byte); };
  const Ticks looked_up = serve(l1_, Pipe::l1, at, time(l1_ticks_));
  if (kind == OpKind::load_global && hits(l1_debt_, bytes, share_.l1_hit))
    return {looked_up, looked_up + l1_latency_};
  const Ticks l2 = serve(l2_, Pipe::l2, looked_up, time(l2_ticks_));
  const bool store = kind == OpKind::store_global;
  if (store ? !share_.write_back : hits(l2_debt_, bytes, share_.l2_hit))
    return {store ? l2 : looked_up, l2 + time(l2_ticks_) + l2_latency_};
  const Ticks dram = serve(dram_, Pipe::dram, l2, time(dram_ticks_));
  return {store ? dram : looked_up, dram + time(dram_ticks_) + dram_latency_};
}

Ticks SmMemory::copy_in(Ticks at, int wavefronts) {
  const Ticks start = serve(shared_, Pipe::shared_memory, at, wavefronts * wavefront_);
  return start + (wavefronts - 1) * wavefront_ + copy_latency_;
}

}  // namespace twofour::emu
