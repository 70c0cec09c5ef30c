#include "oracle_warp.h"

#include <algorithm>

namespace twofour::oracle {
namespace {

using Grid = std::vector<std::vector<std::uint64_t>>;

Grid grid(int rows, int cols) {
  return Grid(std::size_t(rows), std::vector<std::uint64_t>(std::size_t(cols)));
}

/// Element e of the n-th register of a lane; a register of f64 is a pair of 32-bit words, low word first.
std::uint64_t read(const emu::Fragment& f, int lane, int n, int e, int width) {
  const auto at = std::size_t(lane);
  if (width == 64)
    return f.word[std::size_t(2 * n)][at] | std::uint64_t(f.word[std::size_t(2 * n + 1)][at]) << 32;
  const std::uint64_t word = f.word[std::size_t(n)][at];
  return word >> (e * width) & ((std::uint64_t(1) << width) - 1);
}

void write(emu::Fragment& f, int lane, int n, int e, int width, std::uint64_t value) {
  const auto at = std::size_t(lane);
  if (width == 64) {
    f.word[std::size_t(2 * n)][at] = std::uint32_t(value);
    f.word[std::size_t(2 * n + 1)][at] = std::uint32_t(value >> 32);
  } else {
    f.word[std::size_t(n)][at] |= std::uint32_t(value << (e * width));
  }
}

/// Calls visit(lane, register, element, row of the outer index, k) for A (m x stored k) and B (n x k): lane =
/// 4 * row + quarter; registers walk rows g and g + 8 first (A of m16), then k.
template <class Visit>
void walk(int rows, int k, int width, const Visit& visit) {
  const int per = width >= 32 ? 1 : 32 / width, halves = rows / 8;
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < rows * k / 32 / per; ++n)
      for (int e = 0; e < per; ++e)
        visit(lane, n, e, lane / 4 + 8 * (n % halves), (n / halves) * 4 * per + lane % 4 * per + e);
}

/// The same for C and D (m x n): two neighbouring columns of row g, then of row g + 8.
template <class Visit>
void walk_result(int rows, int cols, int width, const Visit& visit) {
  const int per = width >= 32 ? 1 : 32 / width;
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < rows * cols / 32; ++n)
      visit(lane, n / per, n % per, lane / 4 + 8 * (n / 2), 2 * (lane % 4) + n % 2);
}

struct Tiles {
  Grid a, b, c;
};

Tiles unpack(const isa::Instruction& i, const emu::MmaOperands& x) {
  const auto [m, n, k] = i.shape;
  Tiles t{grid(m, i.stored_k()), grid(n, k), grid(m, n)};
  const int wa = isa::bits(i.a), wb = isa::bits(i.b), wc = isa::bits(i.c);
  walk(m, i.stored_k(), wa, [&](int lane, int r, int e, int row, int at) {
    t.a[std::size_t(row)][std::size_t(at)] = read(x.a, lane, r, e, wa);
  });
  walk(n, k, wb, [&](int lane, int r, int e, int col, int at) {
    t.b[std::size_t(col)][std::size_t(at)] = read(x.b, lane, r, e, wb);
  });
  walk_result(m, n, wc, [&](int lane, int r, int e, int row, int col) {
    t.c[std::size_t(row)][std::size_t(col)] = read(x.c, lane, r, e, wc);
  });
  return t;
}

/// Metadata code of a group of a row: PTX ISA, figures of "Sparse matrix storage" for each shape.
int metadata_code(const isa::Instruction& i, const emu::MmaOperands& x, int row, int group, int groups) {
  const int g = row % 8, high = row / 8;
  int lane = 0, bit = 0;
  if (isa::bits(i.a) >= 16) {  // rows g and g + 8 share a word
    lane = groups == 4 ? 4 * g + x.selector : 4 * g + 2 * x.selector + group / 4;
    bit = 16 * high + 4 * (group % 4);
  } else {  // each has its own
    lane = groups == 8 ? 4 * g + 2 * x.selector + high : 4 * g + 2 * (group / 8) + high;
    bit = 4 * (group % 8);
  }
  return int(x.metadata[std::size_t(lane)] >> bit & 15);
}

}  // namespace

std::vector<int> kept_columns(const isa::Instruction& i, const emu::MmaOperands& x, int row) {
  const int width = isa::bits(i.a), per_group = width == 32 ? 2 : width == 4 ? 8 : 4;
  const int groups = i.shape.k / per_group;
  std::vector<int> columns;
  for (int group = 0; group < groups; ++group) {
    const int code = metadata_code(i, x, row, group, groups), first = code % 4, second = code / 4;
    const int base = per_group * group;
    if (width == 32)
      columns.push_back(base + first / 2);
    else if (width == 4)
      columns.insert(columns.end(),
                     {base + 2 * first, base + 2 * first + 1, base + 2 * second, base + 2 * second + 1});
    else
      columns.insert(columns.end(), {base + first, base + second});
  }
  return columns;
}

emu::Fragment execute(const isa::Instruction& i, const emu::MmaOperands& x, const Options& options) {
  const Tiles t = unpack(i, x);
  Grid d = grid(i.shape.m, i.shape.n);
  for (std::size_t row = 0; row < d.size(); ++row) {
    const std::vector<int> columns = i.is_sparse() ? kept_columns(i, x, int(row)) : std::vector<int>();
    for (std::size_t col = 0; col < d[row].size(); ++col) {
      std::vector<std::uint64_t> b = i.is_sparse() ? std::vector<std::uint64_t>() : t.b[col];
      for (const int k : columns) b.push_back(t.b[col][std::size_t(k)]);
      d[row][col] = dot(i, t.a[row], b, t.c[row][col], options);
    }
  }
  emu::Fragment result;
  walk_result(i.shape.m, i.shape.n, isa::bits(i.d), [&](int lane, int r, int e, int row, int col) {
    write(result, lane, r, e, isa::bits(i.d), d[std::size_t(row)][std::size_t(col)]);
  });
  return result;
}

bool same(const isa::Instruction& i, const emu::Fragment& x, const emu::Fragment& y) {
  if (i.d != isa::ElementType::f64) return x == y;
  bool all = true;
  walk_result(i.shape.m, i.shape.n, 64, [&](int lane, int r, int e, int, int) {
    all = all && same(i.d, read(x, lane, r, e, 64), read(y, lane, r, e, 64));
  });
  return all;
}

emu::MmaOperands random_registers(const isa::Instruction& i, std::mt19937& random) {
  emu::MmaOperands x;
  std::vector<Operands> rows;
  for (int row = 0; row < std::max(i.shape.m, i.shape.n); ++row) rows.push_back(random_operands(i, random));
  const int wa = isa::bits(i.a), wb = isa::bits(i.b), wc = isa::bits(i.c);
  walk(i.shape.m, i.stored_k(), wa, [&](int lane, int r, int e, int row, int k) {
    write(x.a, lane, r, e, wa, rows[std::size_t(row)].a[std::size_t(k)]);
  });
  walk(i.shape.n, i.shape.k, wb, [&](int lane, int r, int e, int col, int k) {
    write(x.b, lane, r, e, wb, rows[std::size_t(col)].b[std::size_t(k % i.stored_k())]);
  });
  walk_result(i.shape.m, i.shape.n, wc, [&](int lane, int r, int e, int row, int) {
    write(x.c, lane, r, e, wc, rows[std::size_t(row)].c);
  });
  for (auto& word : x.metadata) word = std::uint32_t(random());
  x.selector = i.is_sparse() ? int(random() % unsigned(i.selectors())) : 0;
  return x;
}

}  // namespace twofour::oracle
