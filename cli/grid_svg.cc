#include <fmt/format.h>

#include <algorithm>

#include "twofour/cli/fragment_grid.h"

namespace twofour::cli {
namespace {

constexpr int row_height = 24, font_size = 13, margin = 16, heading = 64;
constexpr double character_width = 7.9;  // of 13 px monospace, rounded up

/// Eight hues for the quads of lanes; within a quad, four shades, light enough for black text.
std::string colour(int lane) {
  if (lane < 0) return "#ffffff";
  return fmt::format("hsl({},70%,{}%)", 45 * (lane / 4), 91 - 5 * (lane % 4));
}

int text_pixels(std::size_t characters) {
  return int(double(characters) * character_width) + 10;
}

std::string text(double x, double y, const std::string& anchor, const std::string& words) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, words);
}

std::string rectangle(int x, int y, int width, const GridCell& cell) {
  return fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#666\" "
      "stroke-width=\"0.5\"/>\n",
      x, y, width, row_height, colour(cell.lane));
}

}  // namespace

std::string svg_drawing(const Grid& grid) {
  std::size_t longest = 0, label = grid.row_axis.size() + 1 + grid.col_axis.size();
  for (const auto& c : grid.cells) longest = std::max(longest, c.text.size());
  for (const auto& l : grid.col_labels) longest = std::max(longest, l.size());
  for (const auto& l : grid.row_labels) label = std::max(label, l.size());
  const int cell = text_pixels(longest), left = margin + text_pixels(label), top = heading + row_height;
  const auto columns = int(grid.col_labels.size()), rows = int(grid.row_labels.size());
  const int width = std::max({left + columns * cell, margin + text_pixels(grid.title.size()),
                              margin + text_pixels(grid.legend.size())}) +
                    margin;
  const int height = top + rows * row_height + margin;
  const auto baseline = [](int y) { return y + row_height - 8; };

  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"{2}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      width, height, font_size);
  out += text(margin, 24, "start", grid.title) + text(margin, 46, "start", grid.legend);
  out += text(left - 6, baseline(heading), "end", grid.row_axis + "\\" + grid.col_axis);
  for (int col = 0; col < columns; ++col)
    out += text(left + (col + 0.5) * cell, baseline(heading), "middle", grid.col_labels[std::size_t(col)]);
  for (int row = 0; row < rows; ++row) {
    const int y = top + row * row_height;
    out += text(left - 6, baseline(y), "end", grid.row_labels[std::size_t(row)]);
    for (int col = 0; col < columns; ++col) {
      const GridCell& c = grid.cells[std::size_t(row * columns + col)];
      out += rectangle(left + col * cell, y, cell, c);
      out += text(left + (col + 0.5) * cell, baseline(y), "middle", c.text);
    }
  }
  return out + "</svg>\n";
}

}  // namespace twofour::cli
