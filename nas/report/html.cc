#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "twofour/nas/report/report.h"
#include "twofour/nas/report/svg.h"

namespace twofour::nas {
namespace {

constexpr std::string_view style = R"(
:root{color-scheme:light;--ink:#1c2430;--soft:#5b6675;--line:#dde3ea;--back:#f5f7fa}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI","Liberation Sans",sans-serif}
main{max-width:1280px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0;line-height:1.25}
h2{font-size:18px;margin:0 0 12px}
p{margin:6px 0}
.soft{color:var(--soft)}
section{background:#fff;border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin-top:20px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin-top:20px}
.card{background:#fff;border:1px solid var(--line);border-radius:10px;padding:14px 18px}
.card b{display:block;font-size:25px;line-height:1.3;font-weight:650}
.card.good{border-left:5px solid #009e73}
.card.bad{border-left:5px solid #c92a2a}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(460px,100%),1fr));gap:16px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:5px 10px;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
tr.chosen td{background:#eef6ff;font-weight:600}
.chip{display:inline-block;min-width:76px;padding:1px 8px;border-radius:5px;color:#fff;text-align:center;font-size:13px}
.legend{display:flex;flex-wrap:wrap;gap:8px;margin:10px 0 14px}
.meter{display:inline-block;width:50px;height:9px;background:#e9edf2;border-radius:4px;overflow:hidden;vertical-align:middle}
.meter i{display:block;height:100%}
svg{display:block;width:100%;height:auto;font:12px system-ui,"Segoe UI","Liberation Sans",sans-serif;fill:var(--ink)}
svg .title{font-size:14px;font-weight:600}
svg .tick{fill:var(--soft);font-size:11px}
svg .grid{stroke:#e8ecf1}
svg .axis{fill:none;stroke:#7b8794}
svg .mark{fill:var(--soft)}
svg .strong{fill:var(--ink);font-weight:600}
code{font:13px ui-monospace,"Liberation Mono",monospace;background:var(--back);padding:2px 6px;border-radius:4px;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
@media print{body{background:#fff}section,.card{break-inside:avoid}}
)";

/// Colour of an option: one hue a precision, darker when sparse.
std::string option_colour(std::string_view option) {
  struct Colour {
    std::string_view option, colour;
  };
  static constexpr std::array<Colour, 7> colours{{{"fp16", "#7d8797"},
                                                  {"fp16-2:4", "#4a5464"},
                                                  {"int8", "#3f8fd6"},
                                                  {"int8-2:4", "#1a5a96"},
                                                  {"int4", "#2fa37c"},
                                                  {"int4-4:8", "#0c6a4c"},
                                                  {"int1", "#c96a00"}}};
  for (const Colour& c : colours)
    if (c.option == option) return std::string(c.colour);
  return "#8b5fa8";
}

std::string percent(double fraction, int decimals = 2) {
  return fmt::format("{:.{}f} %", fraction * 100, decimals);
}

/// 1,234,567; counts and sizes are not negative.
std::string group_digits(std::int64_t value) {
  const std::string digits = fmt::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// Builds the page.
class Page {
 public:
  explicit Page(const DemoReport& report) : r_(report) {}

  std::string write() {
    head();
    cards();
    trade_off();
    layers();
    networks();
    training();
    run();
    put("</main></body></html>\n");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }

  void head() {
    const std::string title = escape(fmt::format("{} on {}", r_.network, r_.machine));
    put("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\"><title>{}</title>\n<style>{}</style></head>\n",
        title, style);
    put("<body><main>\n<h1>{}</h1>\n<p class=\"soft\">Sparse, mixed-precision search with emulated Tensor "
        "Core latencies. {}</p>\n",
        title, escape(r_.data_set));
  }

  void card(std::string_view kind, const std::string& figure, const std::string& text) {
    put("<div class=\"card {}\"><b>{}</b><span class=\"soft\">{}</span></div>\n", kind, escape(figure),
        escape(text));
  }

  void cards() {
    put("<div class=\"cards\">\n");
    card("", fmt::format("{:.1f} µs", total_latency_us(r_)),
         fmt::format("a batch of {}, budget {:.1f} µs", r_.batch, r_.budget_us));
    if (r_.check) {
      card("", percent(r_.check->accuracy),
           fmt::format("emulated accuracy on {} images", group_digits(r_.check->images)));
      card(r_.check->differing == 0 ? "good" : "bad", group_digits(r_.check->differing),
           fmt::format("of {} words differ from the integer reference", group_digits(r_.check->compared)));
    }
    put("</div>\n");
  }

  /// Points of the trade-off that have the value, as series in order of appearance. Labels only where they
  /// are few.
  std::vector<PlotSeries> pareto_series(std::optional<double> ParetoPoint::*value, double scale) const {
    std::vector<PlotSeries> series;
    for (const ParetoPoint& p : r_.pareto)
      if (p.*value)
        series_named(series, p.series)
            .points.push_back({p.latency_us, *(p.*value) * scale, p.label, p.chosen});
    for (PlotSeries& s : series) {
      std::ranges::stable_sort(s.points, {}, &PlotPoint::x);
      s.labelled = s.points.size() <= 8;
    }
    return series;
  }

  static PlotSeries& series_named(std::vector<PlotSeries>& series, const std::string& name) {
    const auto at = std::ranges::find(series, name, &PlotSeries::name);
    return at != series.end() ? *at : series.emplace_back(PlotSeries{name, {}});
  }

  /// The curve that the chosen network lies on is drawn as a line.
  static std::vector<PlotSeries> joined_where_chosen(std::vector<PlotSeries> series) {
    for (PlotSeries& s : series) s.joined = std::ranges::any_of(s.points, &PlotPoint::emphasised);
    return series;
  }

  void plot(std::string title, std::string x_label, std::string y_label, std::vector<PlotSeries> series) {
    if (!series.empty())
      out_ += "<div>" +
              svg_plot({std::move(title), std::move(x_label), std::move(y_label), std::move(series)}) +
              "</div>\n";
  }

  void trade_off() {
    if (r_.pareto.empty()) return;
    const std::string x_label = fmt::format("latency at batch {}, µs", r_.batch);
    put("<section><h2>Trade-off</h2><div class=\"plots\">\n");
    plot("Measured: accuracy after training", x_label, "test accuracy, %",
         pareto_series(&ParetoPoint::accuracy, 100));
    plot("Predicted: cost in the search", x_label, "sum of sensitivities",
         joined_where_chosen(pareto_series(&ParetoPoint::predicted_cost, 1)));
    put("</div></section>\n");
  }

  void layers() {
    if (r_.layers.empty()) return;
    put("<section><h2>What each layer takes, and its part of the latency</h2>\n");
    std::vector<BarPiece> pieces;
    std::vector<std::string> used;
    for (const LayerRow& l : r_.layers) {
      pieces.push_back({latency_share(r_, l), option_colour(l.option), l.option,
                        fmt::format("{}: {}, {:.2f} µs, {}", l.name, l.option, l.latency_us,
                                    percent(latency_share(r_, l), 1))});
      if (std::ranges::find(used, l.option) == used.end()) used.push_back(l.option);
    }
    out_ += svg_stacked_bar(pieces);
    put("<div class=\"legend\">");
    for (const std::string& o : used) chip(o);
    put("</div>\n<div class=\"scroll\"><table><tr><th class=\"n\">#</th><th>layer</th><th>shape</th>"
        "<th class=\"n\">GEMM M × N × K</th><th>option</th><th class=\"n\">µs</th><th>share</th><th>bound "
        "by</th>"
        "<th class=\"n\">sensitivity</th><th>arithmetic</th></tr>\n");
    for (std::size_t i = 0; i < r_.layers.size(); ++i) layer_row(i);
    put("</table></div></section>\n");
  }

  void chip(const std::string& option) {
    put("<span class=\"chip\" style=\"background:{}\">{}</span>", option_colour(option), escape(option));
  }

  void layer_row(std::size_t i) {
    const LayerRow& l = r_.layers[i];
    const double share = latency_share(r_, l);
    put("<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td class=\"n\">{} × {} × {}</td><td>", i + 1,
        escape(l.name), escape(l.shape), group_digits(l.m), group_digits(l.n), group_digits(l.k));
    chip(l.option);
    put("</td><td class=\"n\">{:.2f}</td><td><span class=\"meter\"><i "
        "style=\"width:{:.1f}%;background:{}\"></i></span> {}</td>"
        "<td>{}</td><td class=\"n\">{:.3g}</td><td>{}</td></tr>\n",
        l.latency_us, share * 100, option_colour(l.option), percent(share, 1), escape(l.bound), l.sensitivity,
        escape(l.fidelity));
  }

  void networks() {
    if (r_.networks.empty()) return;
    put("<section><h2>Networks</h2><div class=\"scroll\"><table><tr><th>network</th><th class=\"n\">test "
        "accuracy</th>"
        "<th class=\"n\">µs at batch {}</th><th class=\"n\">µs at batch 1</th></tr>\n",
        r_.batch);
    for (const NetworkRow& n : r_.networks)
      put("<tr{}><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1f}</td><td "
          "class=\"n\">{:.1f}</td></tr>\n",
          is_chosen(n.name) ? " class=\"chosen\"" : "", escape(n.name), percent(n.accuracy), n.latency_us,
          n.latency_batch1_us);
    put("</table></div></section>\n");
  }

  bool is_chosen(const std::string& name) const {
    return std::ranges::any_of(r_.pareto, [&](const ParetoPoint& p) { return p.chosen && p.label == name; });
  }

  std::vector<PlotSeries> training_series(double (*value)(const TrainingPoint&), bool needs_accuracy) const {
    std::vector<PlotSeries> series;
    for (const TrainingPoint& t : r_.training) {
      if (needs_accuracy && !t.accuracy) continue;
      PlotSeries& run = series_named(series, t.run);
      run.joined = true;
      run.points.push_back({double(t.epoch), value(t), "", false});
    }
    return series;
  }

  void training() {
    if (r_.training.empty()) return;
    put("<section><h2>Training</h2><div class=\"plots\">\n");
    plot("Loss", "epoch", "training loss",
         training_series([](const TrainingPoint& t) { return t.loss; }, false));
    plot("Accuracy", "epoch", "held-out accuracy, %",
         training_series([](const TrainingPoint& t) { return *t.accuracy * 100; }, true));
    put("</div></section>\n");
  }

  void fact(std::string_view name, const std::string& html) {
    put("<dt>{}</dt><dd>{}</dd>\n", escape(name), html);
  }

  void run() {
    put("<section><h2>This run</h2><dl>\n");
    fact("command", fmt::format("<code>{}</code>", escape(r_.command)));
    fact("seed", fmt::to_string(r_.seed));
    fact("finished", escape(r_.finished));
    for (const auto& [phase, s] : r_.seconds) fact("time, " + phase, fmt::format("{:.3g} s", s));
    for (const auto& [what, version] : r_.versions) fact(what, escape(version));
    put("</dl>\n");
    for (const std::string& note : r_.notes) put("<p class=\"soft\">{}</p>\n", escape(note));
    put("</section>\n");
  }

  const DemoReport& r_;
  std::string out_;
};

}  // namespace

std::string to_html(const DemoReport& report) {
  return Page(report).write();
}

}  // namespace twofour::nas
