#include "twofour/nas/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace twofour::nas {
namespace {

// Sizes in SVG user units; the view box scales to the container.
constexpr double width = 560, height = 360, left = 64, right = 16, bottom = 50, legend_row = 18, font = 12;

/// Okabe and Ito's palette, told apart with any colour vision.
constexpr std::array<std::string_view, 7> palette{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#8a6d00", "#56b4e9", "#4d4d4d"};

double text_width(std::string_view text) {
  return 0.57 * font * double(display_width(text));
}

/// The range of an axis, a little wider than the data, and the round numbers in it.
struct Ticks {
  double step, low, high;

  Ticks(double least, double most, int about) {
    const double span = most > least ? most - least : std::max(std::fabs(most), 1e-9) * 0.2;
    low = least - 0.07 * span;
    high = most + 0.07 * span;
    if (least >= 0) low = std::max(low, 0.0);
    const double raw = (high - low) / about, power = std::pow(10.0, std::floor(std::log10(raw))),
                 lead = raw / power;
    step = power * (lead <= 1.0001 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
  }

  std::vector<double> values() const {
    std::vector<double> all;
    for (double i = std::ceil(low / step - 1e-6); i * step <= high + 1e-6 * step; ++i)
      all.push_back(i == 0 ? 0 : i * step);
    return all;
  }
  std::string text(double value) const {
    const int decimals = std::max(0, int(-std::floor(std::log10(step) + 1e-9)));
    return decimals > 5 ? fmt::format("{:.2g}", value) : fmt::format("{:.{}f}", value, decimals);
  }
};

struct Box {
  double x0, y0, x1, y1;
  bool overlaps(const Box& o) const { return x0 < o.x1 && o.x0 < x1 && y0 < o.y1 && o.y0 < y1; }
};

/// Draws one plot.
class PlotWriter {
 public:
  explicit PlotWriter(const Plot& plot)
      : plot_(plot),
        top_(30 + legend_row * legend_rows()),
        x_(range(&PlotPoint::x, 9)),
        y_(range(&PlotPoint::y, 8)) {}

  std::string write() {
    put("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width, height,
        escape(plot_.title));
    put("<text x=\"{}\" y=\"16\" class=\"title\">{}</text>\n", left, escape(plot_.title));
    legend();
    axes();
    for (std::size_t s = 0; s < plot_.series.size(); ++s) line(s);
    for (std::size_t s = 0; s < plot_.series.size(); ++s) markers(s);
    labels();
    return out_ + "</svg>\n";
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }

  static std::string_view colour(std::size_t series) { return palette[series % palette.size()]; }

  Ticks range(double PlotPoint::*field, int about) const {
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (const PlotSeries& s : plot_.series)
      for (const PlotPoint& p : s.points) {
        least = std::min(least, p.*field);
        most = std::max(most, p.*field);
      }
    return {least, most, about};
  }

  double px(double x) const { return left + (x - x_.low) / (x_.high - x_.low) * (width - left - right); }
  double py(double y) const {
    return height - bottom - (y - y_.low) / (y_.high - y_.low) * (height - bottom - top_);
  }

  static double legend_width(const PlotSeries& s) { return 34 + text_width(s.name); }

  /// Calls place(series, x, row) for each entry; returns the number of rows.
  template <class Place>
  int lay_out_legend(Place place) const {
    double x = left;
    int row = 0;
    for (std::size_t s = 0; s < plot_.series.size(); ++s) {
      const double w = legend_width(plot_.series[s]);
      if (x > left && x + w > width - right) {
        x = left;
        ++row;
      }
      place(s, x, row);
      x += w;
    }
    return row + 1;
  }
  int legend_rows() const {
    return lay_out_legend([](std::size_t, double, int) {});
  }

  void legend() {
    lay_out_legend([&](std::size_t s, double x, int row) {
      const double y = 34 + legend_row * row;
      if (plot_.series[s].joined)
        put("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
            "stroke-width=\"2\"/>",
            x, y, x + 18, y, colour(s));
      put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"/>", x + 9, y, colour(s));
      put("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 23, y + 4, escape(plot_.series[s].name));
    });
  }

  void axes() {
    const double x1 = width - right, y0 = height - bottom;
    for (const double value : x_.values()) {
      const double x = px(value);
      put("<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>", x, top_, y0);
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"middle\">{}</text>\n", x, y0 + 16,
          x_.text(value));
    }
    for (const double value : y_.values()) {
      const double y = py(value);
      put("<line class=\"grid\" x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\"/>", left, y, x1);
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"end\">{}</text>\n", left - 7, y + 4,
          y_.text(value));
    }
    put("<path class=\"axis\" d=\"M{0} {1:.1f}V{2}H{3}\"/>\n", left, top_, y0, x1);
    put("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (left + x1) / 2, height - 12,
        escape(plot_.x_label));
    put("<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        (top_ + y0) / 2, escape(plot_.y_label));
  }

  void line(std::size_t s) {
    if (!plot_.series[s].joined || plot_.series[s].points.size() < 2) return;
    put("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\" points=\"",
        colour(s));
    const std::vector<PlotPoint>& points = plot_.series[s].points;
    for (const PlotPoint& p : points) put("{:.1f},{:.1f} ", px(p.x), py(p.y));
    put("\"/>\n");
    for (std::size_t i = 1; i < points.size(); ++i) keep_clear(points[i - 1], points[i]);
  }

  /// Labels shall not lie on the line between two points.
  void keep_clear(const PlotPoint& from, const PlotPoint& to) {
    constexpr int pieces = 40;
    for (int i = 0; i <= pieces; ++i) {
      const double t = double(i) / pieces, x = px(from.x + (to.x - from.x) * t),
                   y = py(from.y + (to.y - from.y) * t);
      taken_.push_back({x - 1, y - 1, x + 1, y + 1});
    }
  }

  void markers(std::size_t s) {
    for (const PlotPoint& p : plot_.series[s].points) {
      const double x = px(p.x), y = py(p.y),
                   r = p.emphasised                         ? 6
                       : plot_.series[s].points.size() > 30 ? 2.2
                                                            : 3.5;
      taken_.push_back({x - r, y - r, x + r, y + r});
      if (p.emphasised)
        put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9.5\" fill=\"none\" stroke=\"{}\" "
            "stroke-width=\"1.5\"/>",
            x, y, colour(s));
      put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" "
          "stroke=\"#fff\"><title>{}</title></circle>\n",
          x, y, r, colour(s), escape(p.label.empty() ? plot_.series[s].name : p.label));
    }
  }

  /// Labels, emphasised points first, each at the first of nine places where it hides nothing; otherwise the
  /// tooltip must do.
  void labels() {
    for (const bool emphasised : {true, false})
      for (const PlotSeries& s : plot_.series)
        for (const PlotPoint& p : s.points)
          if (p.emphasised == emphasised && (emphasised || s.labelled) && !p.label.empty()) label(p);
  }

  void label(const PlotPoint& p) {
    const double w = text_width(p.label), x = px(p.x), y = py(p.y), gap = p.emphasised ? 13 : 7;
    const std::array<std::array<double, 2>, 9> places{{{x + gap, y - 6},
                                                       {x - gap - w, y - 6},
                                                       {x - w / 2, y - gap - 12},
                                                       {x - w / 2, y + gap},
                                                       {x + gap, y + 3},
                                                       {x + gap, y - 17},
                                                       {x - gap - w, y + 3},
                                                       {x - gap - w, y - 17},
                                                       {x + gap, y - 32}}};
    for (const auto& [x0, y0] : places) {
      const Box box{x0, y0, x0 + w, y0 + 13};
      const bool inside =
          box.x0 > left && box.x1 < width - right + 8 && box.y0 > top_ && box.y1 < height - bottom;
      if (!inside || std::ranges::any_of(taken_, [&](const Box& b) { return b.overlaps(box); })) continue;
      put("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x0, y0 + 10,
          p.emphasised ? "mark strong" : "mark", escape(p.label));
      taken_.push_back(box);
      return;
    }
  }

  const Plot& plot_;
  double top_;
  Ticks x_, y_;
  std::vector<Box> taken_;
  std::string out_;
};

}  // namespace

std::size_t display_width(std::string_view text) {
  return std::size_t(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string svg_plot(const Plot& plot) {
  return PlotWriter(plot).write();
}

std::string svg_stacked_bar(const std::vector<BarPiece>& pieces) {
  constexpr double bar_width = 1140, bar_height = 44;
  std::string out =
      fmt::format("<svg class=\"bar\" viewBox=\"0 0 {} {}\" role=\"img\">\n", bar_width, bar_height);
  double x = 0;
  for (const BarPiece& p : pieces) {
    const double w = p.share * bar_width;
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"><title>{}</title></rect>", x,
        std::max(w - 1.5, 0.5), bar_height, escape(p.colour), escape(p.tooltip));
    if (text_width(p.label) + 6 < w)
      out += fmt::format("<text x=\"{:.2f}\" y=\"27\" text-anchor=\"middle\" fill=\"#fff\">{}</text>",
                         x + w / 2 - 0.75, escape(p.label));
    out += '\n';
    x += w;
  }
  return out + "</svg>\n";
}

}  // namespace twofour::nas
