#include <fmt/format.h>

#include <algorithm>

#include "twofour/cli/fragment_grid.h"

namespace twofour::cli {
namespace {

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t most = 0;
  for (const auto& text : texts) most = std::max(most, text.size());
  return most;
}

struct Widths {
  std::size_t label, cell;
};

Widths widths(const Grid& grid) {
  std::size_t cell = longest(grid.col_labels);
  for (const GridCell& c : grid.cells) cell = std::max(cell, c.text.size());
  return {std::max(longest(grid.row_labels), grid.row_axis.size() + 1 + grid.col_axis.size()), cell};
}

std::string panel(const Grid& grid, Widths w, std::size_t first, std::size_t last) {
  std::string out = fmt::format("{:>{}}", grid.row_axis + "\\" + grid.col_axis, w.label);
  for (std::size_t col = first; col < last; ++col)
    out += fmt::format(" {:<{}}", grid.col_labels[col], w.cell);
  const auto trim = [&out] { out.erase(out.find_last_not_of(' ') + 1); };
  trim();
  for (std::size_t row = 0; row < grid.row_labels.size(); ++row) {
    out += fmt::format("\n{:>{}}", grid.row_labels[row], w.label);
    for (std::size_t col = first; col < last; ++col)
      out += fmt::format(" {:<{}}", grid.cells[row * grid.col_labels.size() + col].text, w.cell);
    trim();
  }
  return out + '\n';
}

}  // namespace

std::size_t text_width(const Grid& grid) {
  const Widths w = widths(grid);
  return w.label + grid.col_labels.size() * (w.cell + 1);
}

std::string text_drawing(const Grid& grid, std::size_t width) {
  const Widths w = widths(grid);
  const std::size_t columns = grid.col_labels.size();
  std::size_t per_panel = width > w.label ? (width - w.label) / (w.cell + 1) : 1;
  per_panel = std::clamp<std::size_t>(per_panel, 1, columns);
  if (per_panel < columns && per_panel > 4) per_panel -= per_panel % 4;
  std::string out = grid.title + '\n' + grid.legend + '\n';
  for (std::size_t first = 0; first < columns; first += per_panel)
    out += '\n' + panel(grid, w, first, std::min(first + per_panel, columns));
  return out;
}

}  // namespace twofour::cli
