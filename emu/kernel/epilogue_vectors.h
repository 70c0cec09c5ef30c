#pragma once
// Where the epilogue's vectors lie in shared memory, in D and in the workspace. Private to emu/kernel.
#include "twofour/emu/kernel/lowering.h"

namespace twofour::emu {

/// A warp's slab of shared memory: one row of instruction tiles of the accumulators, as the sums' type, in
/// the order in which D is stored.
struct Slab {
  bool transposed;
  int lines, columns, stride, base;

  explicit Slab(const WarpPlace& at) {
    const Kernel& k = at.kernel;
    const int m = k.problem.instruction->shape.m;
    transposed = k.problem.epilogue.transposed;
    lines = transposed ? k.warp_n : m;
    columns = transposed ? m : k.warp_n;
    stride = k.slab_bytes / lines;
    base = at.warp * k.slab_bytes;
  }
  int address(int line, int column, int bytes) const { return base + line * stride + column * bytes; }
};

/// Where vectors of a slab lie in D (or its transpose), and how wide they are.
struct Vectors {
  const WarpPlace& at;
  const Kernel& k;
  Slab slab;
  int width;                    ///< elements
  std::int64_t line0, column0;  ///< of the slab in D as stored
  std::int64_t lines, columns;  ///< of D as stored
  int tile_line0, tile_column0, tile_columns;

  Vectors(const WarpPlace& place, int i) : at(place), k(place.kernel), slab(place) {
    const Tile& t = k.schedule.tile;
    const int row = at.row0() + i * k.problem.instruction->shape.m, column = at.column0();
    tile_line0 = slab.transposed ? column : row;
    tile_column0 = slab.transposed ? row : column;
    tile_columns = slab.transposed ? t.m : t.n;
    line0 = tile_line0 + (slab.transposed ? at.work.tile_n * t.n : at.work.tile_m * t.m);
    column0 = tile_column0 + (slab.transposed ? at.work.tile_m * t.m : at.work.tile_n * t.n);
    lines = slab.transposed ? k.problem.n : k.problem.m;
    columns = slab.transposed ? k.problem.m : k.problem.n;
    width = at.work.finish == Finish::store_partial ? 16 / k.sum_bytes() : output_width();
  }

  int output_bits() const { return isa::bits(k.problem.epilogue.output); }
  /// 16 bytes of 64-, 32- and 16-bit outputs, 8 elements of smaller ones; less where the rows of D ask for
  /// it.
  int output_width() const {
    int bytes = output_bits() >= 16 ? 16 : output_bits();
    while (packed_row_bytes(columns, output_bits()) % bytes != 0) bytes /= 2;
    return bytes * 8 / output_bits();
  }
  int passes() const { return (slab.lines * slab.columns / width + warp_lanes - 1) / warp_lanes; }
  bool channel_along_vector() const { return k.problem.epilogue.channel_is_row == slab.transposed; }
};

/// One pass: lane l has vector 32 pass + l.
struct Pass {
  const Vectors& v;
  int index;

  int line(int lane) const { return (32 * index + lane) / (v.slab.columns / v.width); }
  int column(int lane) const { return (32 * index + lane) % (v.slab.columns / v.width) * v.width; }
  bool in_slab(int lane) const { return line(lane) < v.slab.lines; }
  bool in_output(int lane) const {
    return in_slab(lane) && v.line0 + line(lane) < v.lines && v.column0 + column(lane) < v.columns;
  }
  std::int64_t output_byte(int lane, int bits) const {
    return (v.line0 + line(lane)) * packed_row_bytes(v.columns, bits) + (v.column0 + column(lane)) * bits / 8;
  }
  std::int64_t channel(int lane) const {
    return v.channel_along_vector() ? v.column0 + column(lane) : v.line0 + line(lane);
  }
  std::int64_t workspace_byte(std::int64_t slot, int lane) const {
    const Tile& t = v.k.schedule.tile;
    const std::int64_t in_tile =
        std::int64_t(v.tile_line0 + line(lane)) * v.tile_columns + v.tile_column0 + column(lane);
    return (slot * t.m * t.n + in_tile) * v.k.sum_bytes();
  }
};

}  // namespace twofour::emu
