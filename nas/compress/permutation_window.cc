#include "twofour/nas/compress/permutation_window.h"

#include <algorithm>
#include <map>

#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::nas {
namespace {

using emu::simd_level;
using emu::SimdLevel;
using Columns = std::vector<std::uint8_t>;

/// Collects regroupings, naming equal groups once.
class TableBuilder {
 public:
  TableBuilder(isa::Sparsity form, int window) : pairs_(form == isa::Sparsity::pairs_of_eight) {
    table_.group_width = isa::group_columns(form);
    table_.window = window;
  }

  /// The window's columns in their new order.
  void add(const Columns& order) {
    WindowTable::Regrouping regrouping{};
    for (int g = 0; g < table_.window; ++g) {
      WindowTable::Group group{};
      std::copy_n(order.begin() + g * table_.group_width, table_.group_width, group.begin());
      regrouping[std::size_t(g)] = index(canonical(group));
    }
    table_.regroupings.push_back(regrouping);
  }

  WindowTable take() { return std::move(table_); }

 private:
  /// The order of columns (of pairs, and within pairs) does not matter.
  WindowTable::Group canonical(WindowTable::Group g) const {
    if (!pairs_) {
      Columns sorted(g.begin(), g.begin() + table_.group_width);
      std::sort(sorted.begin(), sorted.end());
      std::copy(sorted.begin(), sorted.end(), g.begin());
      return g;
    }
    std::array<std::pair<std::uint8_t, std::uint8_t>, 4> pair;
    for (std::size_t i = 0; i < 4; ++i) pair[i] = std::minmax(g[2 * i], g[2 * i + 1]);
    std::sort(pair.begin(), pair.end());
    for (std::size_t i = 0; i < 4; ++i) g[2 * i] = pair[i].first, g[2 * i + 1] = pair[i].second;
    return g;
  }

  std::uint16_t index(const WindowTable::Group& group) {
    const auto [at, fresh] = index_.emplace(group, static_cast<std::uint16_t>(table_.groups.size()));
    if (fresh) table_.groups.push_back(group);
    return at->second;
  }

  bool pairs_;
  WindowTable table_;
  std::map<WindowTable::Group, std::uint16_t> index_;
};

/// Calls f with every way to deal `units` units to groups of `width`, the identity first: each group takes
/// the lowest unit that is left and some of the others.
template <class F>
void deal(int units, int width, Columns& dealt, std::vector<bool>& used, const F& f) {
  if (int(dealt.size()) == units) return f(dealt);
  const bool opens = int(dealt.size()) % width == 0;
  for (int u = opens ? 0 : dealt.back() + 1; u < units; ++u) {
    if (used[std::size_t(u)]) continue;
    used[std::size_t(u)] = true;
    dealt.push_back(static_cast<std::uint8_t>(u));
    deal(units, width, dealt, used, f);
    dealt.pop_back();
    used[std::size_t(u)] = false;
    if (opens) return;
  }
}

template <class F>
void deal_all(int units, int width, const F& f) {
  Columns dealt;
  std::vector<bool> used(std::size_t(units), false);
  deal(units, width, dealt, used, f);
}

/// Pairs dealt to groups whole, then any two columns of different pairs swapped; within a group each new
/// pairing of two pairs once.
void add_pair_regroupings(TableBuilder& builder, int window) {
  Columns identity;
  deal_all(4 * window, 4, [&](const Columns& units) {
    Columns order;
    for (const int u : units)
      for (const int half : {0, 1}) order.push_back(static_cast<std::uint8_t>(2 * u + half));
    if (identity.empty()) identity = order;
    builder.add(order);
  });
  for (std::size_t a = 0; a < identity.size(); ++a)
    for (std::size_t b = a / 2 * 2 + 2; b < identity.size(); ++b) {
      if (a / 8 == b / 8 && a % 2 == 0) continue;
      Columns order = identity;
      std::swap(order[a], order[b]);
      builder.add(order);
    }
}

/// Sum of the two largest of four.
TWOFOUR_ALWAYS_INLINE float two_of_four(float a, float b, float c, float d) {
  const float high = std::max(a, b), low = std::min(a, b), high2 = std::max(c, d), low2 = std::min(c, d);
  return std::max(high, high2) + std::max(std::min(high, high2), std::max(low, low2));
}

/// Lanes are added in one order whatever the processor's width.
template <class Kept>
TWOFOUR_ALWAYS_INLINE float lane_sum(std::int64_t rows, const Kept& kept) {
  float lane[row_lanes] = {};
  for (std::int64_t r = 0; r < rows; r += row_lanes)
    for (std::int64_t i = 0; i < row_lanes; ++i) lane[i] += kept(r + i);
  float sum = 0;
  for (const float l : lane) sum += l;
  return sum;
}

TWOFOUR_ALWAYS_INLINE float group_value(isa::Sparsity form, const WindowTable::Group& g,
                                        const float* const* columns, std::int64_t first, std::int64_t rows) {
  const float* p[8];
  for (std::size_t i = 0; i < 8; ++i) p[i] = columns[g[i]] + first;  // narrower groups end in zeros
  const float *a = p[0], *b = p[1];
  if (form == isa::Sparsity::one_of_two)
    return lane_sum(rows, [=](std::int64_t r) { return std::max(a[r], b[r]); });
  const float *c = p[2], *d = p[3];
  if (form == isa::Sparsity::two_of_four)
    return lane_sum(rows, [=](std::int64_t r) { return two_of_four(a[r], b[r], c[r], d[r]); });
  const float *e = p[4], *f = p[5], *x = p[6], *y = p[7];
  return lane_sum(
      rows, [=](std::int64_t r) { return two_of_four(a[r] + b[r], c[r] + d[r], e[r] + f[r], x[r] + y[r]); });
}

constexpr std::int64_t row_block = 256;  ///< of 24 columns: 24 KB, which stays in L1

TWOFOUR_ALWAYS_INLINE void values_body(const WindowTable& table, isa::Sparsity form,
                                       const float* const* columns, std::int64_t padded_rows, float* value) {
  std::fill_n(value, table.groups.size(), 0.0f);
  for (std::int64_t first = 0; first < padded_rows; first += row_block)
    for (std::size_t g = 0; g < table.groups.size(); ++g)
      value[g] +=
          group_value(form, table.groups[g], columns, first, std::min(row_block, padded_rows - first));
}

TWOFOUR_SIMD_VARIANTS(dispatched_values,
                      (const WindowTable& table, isa::Sparsity form, const float* const* columns,
                       std::int64_t padded_rows, float* value),
                      values_body(table, form, columns, padded_rows, value))

}  // namespace

WindowTable window_table(isa::Sparsity form, int window) {
  TableBuilder builder(form, window);
  if (form == isa::Sparsity::pairs_of_eight) {
    add_pair_regroupings(builder, window);
  } else {
    const int width = isa::group_columns(form);
    deal_all(window * width, width, [&](const Columns& order) { builder.add(order); });
  }
  return builder.take();
}

void group_values(const WindowTable& table, isa::Sparsity form, const float* const* columns,
                  std::int64_t padded_rows, float* value) {
  dispatched_values(table, form, columns, padded_rows, value);
}

}  // namespace twofour::nas
