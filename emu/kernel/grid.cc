#include <algorithm>

#include "twofour/emu/kernel/kernel.h"

namespace twofour::emu {
namespace {

/// Tile number `id` of the raster: cohorts of raster_columns columns, row after row in each.
Work tile_work(const Kernel& k, std::int64_t id) {
  const std::int64_t cohort = k.schedule.raster_columns * k.grid_m;
  const std::int64_t first = id / cohort * k.schedule.raster_columns, within = id % cohort;
  const std::int64_t width = std::min<std::int64_t>(k.schedule.raster_columns, k.grid_n - first);
  Work w;
  w.tile_m = within / width;
  w.tile_n = first + within % width;
  w.chunk_end = k.chunks;
  return w;
}

std::int64_t tiles(const Kernel& k) {
  return k.grid_m * k.grid_n;
}

std::vector<std::vector<Work>> split_k_grid(const Kernel& k) {
  const int splits = k.schedule.splits;
  std::vector<std::vector<Work>> ctas;
  for (int z = 0; z < splits; ++z)
    for (std::int64_t id = 0; id < tiles(k); ++id) {
      Work w = tile_work(k, id);
      w.chunk_begin = int(std::int64_t(k.chunks) * z / splits);
      w.chunk_end = int(std::int64_t(k.chunks) * (z + 1) / splits);
      w.finish = Finish::store_partial;
      w.slot = id * splits + z;
      ctas.push_back({w});
    }
  for (std::int64_t id = 0; id < tiles(k); ++id) {
    Work w = tile_work(k, id);
    w.chunk_end = 0;
    w.finish = Finish::add_partials;
    w.slot = id * splits;
    w.partials = splits;
    ctas.push_back({w});
  }
  return ctas;
}

/// First chunk of CTA g, of the chunks of all tiles.
std::int64_t stream_begin(const Kernel& k, std::int64_t g, std::int64_t ctas) {
  return tiles(k) * k.chunks * g / ctas;
}

std::int64_t stream_ctas(const Kernel& k) {
  return std::min<std::int64_t>(k.problem.places, tiles(k) * k.chunks);
}

/// CTA g's slot is g: only its first piece can start within a tile. A CTA that starts a tile owns it and adds
/// what the CTAs after it store.
std::vector<Work> stream_run(const Kernel& k, std::int64_t g) {
  const std::int64_t ctas = stream_ctas(k), end = stream_begin(k, g + 1, ctas);
  std::vector<Work> run;
  for (std::int64_t at = stream_begin(k, g, ctas); at < end;) {
    Work w = tile_work(k, at / k.chunks);
    const std::int64_t tile_end = (at / k.chunks + 1) * k.chunks;
    w.chunk_begin = int(at % k.chunks);
    w.chunk_end = int(w.chunk_begin + std::min(end, tile_end) - at);
    if (w.chunk_begin > 0) {
      w.finish = Finish::store_partial;
      w.slot = g;
    } else if (w.chunk_end < k.chunks) {
      w.finish = Finish::add_partials;
      w.slot = g + 1;
      while (stream_begin(k, w.slot + w.partials, ctas) < tile_end) ++w.partials;
    }
    run.push_back(w);
    at += w.chunk_end - w.chunk_begin;
  }
  return run;
}

}  // namespace

std::vector<std::vector<Work>> grid(const Kernel& k) {
  std::vector<std::vector<Work>> ctas;
  switch (k.schedule.decomposition) {
    case Decomposition::data_parallel:
      for (std::int64_t id = 0; id < tiles(k); ++id) ctas.push_back({tile_work(k, id)});
      break;
    case Decomposition::split_k: return split_k_grid(k);
    case Decomposition::stream_k:
      for (std::int64_t g = 0; g < stream_ctas(k); ++g) ctas.push_back(stream_run(k, g));
      break;
  }
  return ctas;
}

std::int64_t workspace_slots(const Kernel& k) {
  switch (k.schedule.decomposition) {
    case Decomposition::data_parallel: break;
    case Decomposition::split_k: return tiles(k) * k.schedule.splits;
    case Decomposition::stream_k: return stream_ctas(k);
  }
  return 0;
}

}  // namespace twofour::emu
