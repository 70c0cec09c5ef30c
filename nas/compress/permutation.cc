#include "twofour/nas/compress/permutation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "twofour/isa/error.h"
#include "twofour/nas/compress/permutation_window.h"

namespace twofour::nas {
namespace {

constexpr float least_gain = 1e-5f;  ///< of a window's kept magnitude: above the rounding of its sum
constexpr int swaps_per_escape = 2;
constexpr std::size_t least_parallel_work = 1 << 21;  ///< below it starting threads takes longer

int kept_units(isa::Sparsity form) {
  return form == isa::Sparsity::one_of_two ? 1 : 2;
}

void check(const MagnitudeMatrix& m, isa::Sparsity form) {
  const int width = isa::group_columns(form);
  if (width == 0)
    fail("permutation: a dense form has no groups; use two_of_four, one_of_two or pairs_of_eight");
  if (m.columns % width != 0)
    fail("permutation: {} columns are not whole groups of {}; fill them up with zeros", m.columns, width);
  if (std::int64_t(m.values.size()) != m.rows * m.columns)
    fail("permutation: {} values for {} x {}", m.values.size(), m.rows, m.columns);
}

void check_order(const MagnitudeMatrix& m, const ColumnOrder& order) {
  ColumnOrder sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < m.columns; ++i)
    if (std::int64_t(sorted.size()) != m.columns || sorted[std::size_t(i)] != i)
      fail("permutation: the order is not a permutation of {} columns", m.columns);
}

ColumnOrder identity(std::int64_t n) {
  ColumnOrder order(std::size_t(n), 0);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// Greedy search on one matrix: the present order, and for every window its best regrouping.
class Search {
 public:
  Search(const MagnitudeMatrix& matrix, const PermutationSettings& settings)
      : settings_(settings),
        table_(window_table(settings.form, std::min<int>(settings.window, groups_of(matrix)))),
        padded_((matrix.rows + row_lanes - 1) / row_lanes * row_lanes),
        columns_(std::size_t(padded_ * matrix.columns), 0.0f),
        order_(identity(matrix.columns)),
        random_(settings.seed) {
    for (std::int64_t c = 0; c < matrix.columns; ++c)
      std::copy_n(matrix.column(c), matrix.rows, columns_.begin() + c * padded_);
    list_windows(groups_of(matrix));
  }

  void converge() {
    while (!stopped()) {
      compare_windows();
      if (!apply_best()) return;
    }
  }

  /// A few columns change places with columns of other groups; what is worse after converging is undone.
  void escape(const MagnitudeMatrix& matrix, double& kept) {
    const auto before = order_;
    const auto windows = windows_;
    for (int i = 0; i < swaps_per_escape; ++i) swap_two();
    converge();
    const double now = kept_magnitude(matrix, settings_.form, order_);
    if (now > kept) {
      kept = now;
      return;
    }
    order_ = before;
    windows_ = windows;
  }

  bool stopped() const { return settings_.stop && settings_.stop(); }
  bool has_several_groups() const { return table_.window > 1; }
  const ColumnOrder& order() const { return order_; }
  std::int64_t compared() const { return compared_; }

 private:
  struct Window {
    std::array<int, WindowTable::most_groups> group{};  ///< rising
    float gain = 0;
    std::uint16_t regrouping = 0;
    bool stale = true;
  };

  int groups_of(const MagnitudeMatrix& m) const {
    return int(m.columns) / isa::group_columns(settings_.form);
  }

  void list_windows(int groups) {
    for (int a = 0; a < groups; ++a) {
      if (table_.window == 1) windows_.push_back({.group = {a}});  // pairs can still be paired otherwise
      for (int b = a + 1; table_.window > 1 && b < groups; ++b) {
        if (table_.window == 2) windows_.push_back({.group = {a, b}});
        for (int c = b + 1; table_.window == 3 && c < groups; ++c) windows_.push_back({.group = {a, b, c}});
      }
    }
  }

  void compare_windows() {
    std::vector<Window*> stale;
    for (Window& w : windows_)
      if (w.stale) stale.push_back(&w);
    compared_ += std::int64_t(stale.size());
    const std::size_t work = stale.size() * table_.groups.size() * std::size_t(padded_);
#pragma omp parallel if (work > least_parallel_work)
    {
      std::vector<float> value(table_.groups.size());
#pragma omp for schedule(dynamic, 16)
      for (std::size_t i = 0; i < stale.size(); ++i) compare(*stale[i], value);
    }
  }

  std::size_t place(const Window& w, int column) const {
    return std::size_t(w.group[std::size_t(column / table_.group_width)] * table_.group_width +
                       column % table_.group_width);
  }

  void compare(Window& w, std::vector<float>& value) const {
    const float* columns[WindowTable::most_columns] = {};
    for (int i = 0; i < table_.window * table_.group_width; ++i)
      columns[i] = columns_.data() + order_[place(w, i)] * padded_;
    group_values(table_, settings_.form, columns, padded_, value.data());
    const auto sum = [&](const WindowTable::Regrouping& r) {
      float s = 0;
      for (int g = 0; g < table_.window; ++g) s += value[r[std::size_t(g)]];
      return s;
    };
    const float present = sum(table_.regroupings[0]);
    w.gain = least_gain * present;
    w.regrouping = 0;
    w.stale = false;
    for (std::size_t r = 1; r < table_.regroupings.size(); ++r)
      if (const float gain = sum(table_.regroupings[r]) - present; gain > w.gain) {
        w.gain = gain;
        w.regrouping = static_cast<std::uint16_t>(r);
      }
  }

  /// False: no window gains.
  bool apply_best() {
    std::vector<const Window*> gaining;
    for (const Window& w : windows_)
      if (w.regrouping != 0) gaining.push_back(&w);
    std::stable_sort(gaining.begin(), gaining.end(), [](auto* a, auto* b) { return a->gain > b->gain; });
    std::vector<bool> touched(order_.size() / std::size_t(table_.group_width), false);
    for (const Window* w : gaining)
      if (!any_touched(*w, touched)) regroup(*w, touched);
    mark_stale(touched);
    return !gaining.empty();
  }

  bool any_touched(const Window& w, const std::vector<bool>& touched) const {
    return std::any_of(w.group.begin(), w.group.begin() + table_.window,
                       [&](int g) { return touched[std::size_t(g)]; });
  }

  void regroup(const Window& w, std::vector<bool>& touched) {
    const ColumnOrder before = order_;
    const auto& groups = table_.regroupings[w.regrouping];
    for (int i = 0; i < table_.window * table_.group_width; ++i) {
      const auto& group = table_.groups[groups[std::size_t(i / table_.group_width)]];
      order_[place(w, i)] = before[place(w, group[std::size_t(i % table_.group_width)])];
    }
    for (int g = 0; g < table_.window; ++g) touched[std::size_t(w.group[std::size_t(g)])] = true;
  }

  void mark_stale(const std::vector<bool>& touched) {
    for (Window& w : windows_) w.stale = w.stale || any_touched(w, touched);
  }

  void swap_two() {
    const std::size_t width = std::size_t(table_.group_width), n = order_.size();
    const std::size_t a = random_() % n;
    std::size_t b = random_() % (n - width);
    if (b >= a / width * width) b += width;  // of another group
    std::swap(order_[a], order_[b]);
    std::vector<bool> touched(n / width, false);
    touched[a / width] = touched[b / width] = true;
    mark_stale(touched);
  }

  const PermutationSettings& settings_;
  WindowTable table_;
  std::int64_t padded_;
  std::vector<float> columns_;
  ColumnOrder order_;
  std::mt19937_64 random_;
  std::vector<Window> windows_;
  std::int64_t compared_ = 0;
};

}  // namespace

double kept_magnitude(const MagnitudeMatrix& m, isa::Sparsity form, const ColumnOrder& order) {
  check(m, form);
  check_order(m, order);
  const int width = isa::group_columns(form), unit = form == isa::Sparsity::pairs_of_eight ? 2 : 1;
  double sum = 0;
  for (std::int64_t first = 0; first < m.columns; first += width)
    for (std::int64_t r = 0; r < m.rows; ++r) {
      std::array<float, 4> size{};
      for (int i = 0; i < width; ++i)
        size[std::size_t(i / unit)] += m.column(order[std::size_t(first + i)])[r];
      std::sort(size.begin(), size.end(), std::greater<>());
      for (int i = 0; i < kept_units(form); ++i) sum += size[std::size_t(i)];
    }
  return sum;
}

double kept_bound(const MagnitudeMatrix& m) {
  double sum = 0;
  std::vector<float> row(std::size_t(m.columns), 0.0f);
  for (std::int64_t r = 0; r < m.rows; ++r) {
    for (std::int64_t c = 0; c < m.columns; ++c) row[std::size_t(c)] = m.column(c)[r];
    const auto half = row.begin() + m.columns / 2;
    std::nth_element(row.begin(), half, row.end(), std::greater<>());
    sum += std::accumulate(row.begin(), half, 0.0);
  }
  return sum;
}

Permutation search_permutation(const MagnitudeMatrix& matrix, const PermutationSettings& settings) {
  check(matrix, settings.form);
  if (settings.window != 2 && settings.window != 3)
    fail("permutation: a window of {} groups; use 2 or 3", settings.window);
  Permutation result;
  result.kept_before = kept_magnitude(matrix, settings.form, identity(matrix.columns));
  result.bound = kept_bound(matrix);
  Search search(matrix, settings);
  search.converge();
  result.kept_after = kept_magnitude(matrix, settings.form, search.order());
  for (int i = 0; i < settings.escapes && search.has_several_groups() && !search.stopped(); ++i)
    search.escape(matrix, result.kept_after);
  result.order = search.order();
  result.windows = search.compared();
  return result;
}

}  // namespace twofour::nas
