#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twofour::nas {

/// Text for HTML and SVG: & < > " ' as entities.
std::string escape(std::string_view text);

/// Columns that UTF-8 text takes: its code points.
std::size_t display_width(std::string_view text);

struct PlotPoint {
  double x = 0, y = 0;
  std::string label;        ///< shown when the point is pointed at, and printed beside it where there is room
  bool emphasised = false;  ///< drawn larger, with a ring; its label is the first to get room
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
  bool joined = false;    ///< by a line in the order given
  bool labelled = false;  ///< labels are printed; otherwise only those of emphasised points
};

/// A linear x-y plot.
struct Plot {
  std::string title, x_label, y_label;
  std::vector<PlotSeries> series;  ///< at least one point in all
};

/// The plot as an <svg> element that scales with its container.
std::string svg_plot(const Plot& plot);

/// One piece of a stacked bar.
struct BarPiece {
  double share = 0;  ///< of the bar, 0..1
  std::string colour, label, tooltip;
};

/// A horizontal stacked bar as an <svg> element; labels are left out of pieces that are too narrow.
std::string svg_stacked_bar(const std::vector<BarPiece>& pieces);

}  // namespace twofour::nas
