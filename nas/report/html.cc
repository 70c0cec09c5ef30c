#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "twofour/nas/report/analysis.h"
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
tr.best td{background:#eef6ff;font-weight:600}
td.map{padding:1px 2px;border:0}
td.map .chip{min-width:70px;padding:1px 4px;font-size:12px;display:block}
th.turn{font-size:12px;font-weight:600;white-space:normal;min-width:74px;text-align:center;vertical-align:bottom}
details{margin-top:10px}
summary{cursor:pointer;color:var(--soft)}
.chip{display:inline-block;min-width:76px;padding:1px 8px;border-radius:5px;color:#fff;text-align:center;font-size:13px}
.legend{display:flex;flex-wrap:wrap;gap:8px;margin:10px 0 14px}
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
  static constexpr std::array<Colour, 11> colours{{{"fp16", "#7d8797"},
                                                   {"fp16-2:4", "#4a5464"},
                                                   {"bf16", "#a08c7a"},
                                                   {"bf16-2:4", "#6d5a49"},
                                                   {"tf32", "#b08aa0"},
                                                   {"tf32-1:2", "#7a5169"},
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
  explicit Page(const Report& report) : r_(report) {}

  std::string write() {
    head();
    cards();
    trade_off();
    summary();
    baseline();
    hypervolume();
    choices();
    searches();
    uncertainty();
    training();
    networks();
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
    put("<body><main>\n<h1>{}</h1>\n<p class=\"soft\">Search of sparsity, precision and sizes on emulated "
        "Tensor Cores; latencies at batch {}. {}</p>\n",
        title, r_.batch, escape(r_.data_set));
  }

  void card(std::string_view kind, const std::string& figure, const std::string& text) {
    put("<div class=\"card {}\"><b>{}</b><span class=\"soft\">{}</span></div>\n", kind, escape(figure),
        escape(text));
  }

  std::vector<std::string> searched_groups() const {
    std::vector<std::string> groups;
    for (const NetworkRow& n : r_.networks)
      if (n.group != "uniform" && std::ranges::count(groups, n.group) == 0) groups.push_back(n.group);
    return groups;
  }

  /// Do the networks differ in more than their options?
  static bool has_sizes(const std::vector<const NetworkRow*>& networks) {
    for (const NetworkRow* n : networks)
      for (std::size_t l = 0; l < n->layers.size(); ++l)
        if (n->layers[l].shape != networks[0]->layers[l].shape) return true;
    return false;
  }

  /// Mean over the seeds of a group's speedup; nothing if a seed has none.
  static std::optional<double> mean_speedup(const std::vector<AgainstBaseline>& rows,
                                            const std::string& group) {
    std::vector<double> values;
    for (const AgainstBaseline& a : rows)
      if (a.group == group && a.method.empty()) {
        if (!a.speedup) return std::nullopt;
        values.push_back(*a.speedup);
      }
    if (values.empty()) return std::nullopt;
    return spread(values).mean;
  }

  void cards() {
    put("<div class=\"cards\">\n");
    const auto rows = against_baseline(r_);
    for (const std::string& group : searched_groups())
      if (const auto speedup = mean_speedup(rows, group))
        card("", fmt::format("{:.2f}×", *speedup),
             group + ": faster than uniform sparse int8 at its accuracy (within 0.2 points)");
    std::int64_t words = 0, wrong = 0;
    for (const NetworkRow& n : r_.networks) words += compared(n), wrong += differing(n);
    if (words > 0)
      card(wrong == 0 ? "good" : "bad", group_digits(wrong),
           fmt::format("of {} words of {} deployed networks differ from the integer reference",
                       group_digits(words), r_.networks.size()));
    put("</div>\n");
  }

  static PlotSeries& series_named(std::vector<PlotSeries>& series, const std::string& name) {
    const auto at = std::ranges::find(series, name, &PlotSeries::name);
    return at != series.end() ? *at : series.emplace_back(PlotSeries{name, {}});
  }

  void plot(std::string title, std::string x_label, std::string y_label, std::vector<PlotSeries> series) {
    if (!series.empty())
      out_ += "<div>" +
              svg_plot({std::move(title), std::move(x_label), std::move(y_label), std::move(series)}) +
              "</div>\n";
  }

  static std::string series_name(const std::string& group, const std::string& method) {
    return group == "uniform" ? group : group + " " + method;
  }

  /// One point a method and budget: means over the seeds. Searches are joined over their budgets.
  std::vector<PlotSeries> mean_series(Spread MethodSummary::*latency) const {
    std::vector<PlotSeries> series;
    for (const MethodSummary& m : summaries(r_)) {
      PlotSeries& s = series_named(series, series_name(m.group, m.method));
      s.points.push_back({(m.*latency).mean, m.accuracy.mean * 100,
                          m.group == "uniform" ? m.method : fmt::format("{:.2f}x", m.budget), false});
      s.labelled = m.group == "uniform";
      s.joined = m.group != "uniform";
    }
    for (PlotSeries& s : series) std::ranges::stable_sort(s.points, {}, &PlotPoint::x);
    return series;
  }

  std::vector<PlotSeries> seed_series(std::uint64_t seed) const {
    const auto best = pareto_front(r_, seed);
    std::vector<PlotSeries> series;
    for (const NetworkRow& n : r_.networks) {
      if (n.seed != seed) continue;
      PlotSeries& s = series_named(series, series_name(n.group, n.method));
      s.points.push_back({n.latency_us, n.accuracy * 100, name(n), std::ranges::count(best, &n) > 0});
    }
    return series;
  }

  void trade_off() {
    if (r_.networks.empty()) return;
    put("<section><h2>Trade-off</h2><div class=\"plots\">\n");
    const char* what = r_.seeds.size() > 1 ? "Mean over the seeds" : "Accuracy and latency";
    plot(fmt::format("{}, batch {}", what, r_.batch), "latency, µs", "test accuracy, %",
         mean_series(&MethodSummary::latency_us));
    if (r_.batch != 1)
      plot(fmt::format("{}, batch 1", what), "latency, µs", "test accuracy, %",
           mean_series(&MethodSummary::latency_batch1_us));
    if (r_.seeds.size() > 1)
      for (const std::uint64_t seed : r_.seeds)
        plot(fmt::format("Seed {}, batch {}: ringed points are its Pareto front", seed, r_.batch),
             "latency, µs", "test accuracy, %", seed_series(seed));
    put("</div></section>\n");
  }

  /// `columns`: headings; those from `first_number` on are aligned to the right.
  void begin_table(std::string_view title, std::initializer_list<std::string> columns,
                   std::size_t first_number) {
    put("<section><h2>{}</h2><div class=\"scroll\"><table><tr>", title);
    for (std::size_t i = 0; const std::string& c : columns)
      put("<th{}>{}</th>", i++ >= first_number ? " class=\"n\"" : "", escape(c));
    put("</tr>\n");
  }
  void row(std::initializer_list<std::string> cells, std::size_t first_number, bool best = false) {
    put("<tr{}>", best ? " class=\"best\"" : "");
    for (std::size_t i = 0; const std::string& c : cells)
      put("<td{}>{}</td>", i++ >= first_number ? " class=\"n\"" : "", escape(c));
    put("</tr>\n");
  }
  void end_table() { put("</table></div></section>\n"); }

  /// By the fast emulation and as kernels.
  static std::int64_t compared(const NetworkRow& n) {
    return (n.check ? n.check->compared : 0) + (n.kernels ? n.kernels->compared : 0);
  }
  static std::int64_t differing(const NetworkRow& n) {
    return (n.check ? n.check->differing : 0) + (n.kernels ? n.kernels->differing : 0);
  }

  static std::string with_spread(const Spread& s, double scale, int decimals) {
    std::string text = fmt::format("{:.{}f}", s.mean * scale, decimals);
    if (s.count > 1) text += fmt::format(" ± {:.{}f}", s.deviation * scale, decimals);
    return text;
  }
  static std::string budget_text(double budget) { return budget > 0 ? fmt::format("{:.2f}×", budget) : "–"; }
  static std::string times(const std::optional<double>& value) {
    return value ? fmt::format("{:.2f}×", *value) : "–";
  }

  void summary() {
    if (r_.networks.empty()) return;
    begin_table(r_.seeds.size() > 1 ? "Networks: mean ± standard deviation over the seeds" : "Networks",
                {"space", "method", "budget", "accuracy, %", fmt::format("µs at batch {}", r_.batch),
                 "µs at batch 1", "seeds"},
                2);
    for (const MethodSummary& m : summaries(r_))
      row({m.group, m.method, budget_text(m.budget), with_spread(m.accuracy, 100, 2),
           with_spread(m.latency_us, 1, 1), with_spread(m.latency_batch1_us, 1, 1),
           fmt::to_string(m.accuracy.count)},
          2, m.group == "uniform" && m.method == baseline_method);
    end_table();
  }

  void baseline() {
    const auto rows = against_baseline(r_);
    if (rows.empty()) return;
    begin_table(
        "Against uniform sparse int8: speedup at its accuracy (within 0.2 points), accuracy at its latency",
        {"space", "method", "seed", "speedup", "whole network", "at batch 1", "accuracy gained, points"}, 2);
    for (const AgainstBaseline& a : rows)
      row({a.group, method_label(a.group, a.method), fmt::to_string(a.seed), times(a.speedup),
           times(a.speedup_network), times(a.speedup_batch1),
           a.accuracy_gain ? fmt::format("{:+.2f}", *a.accuracy_gain * 100) : "–"},
          2, a.method.empty());
    end_table();
  }

  void hypervolume() {
    const auto values = hypervolumes(r_);
    if (values.empty()) return;
    put("<section><h2>Hypervolume below uniform fp16’s latency, above its accuracy less 10 points</h2>"
        "<div class=\"scroll\"><table><tr><th>space</th><th>method</th>");
    for (const std::uint64_t seed : r_.seeds) put("<th class=\"n\">seed {}</th>", seed);
    put("</tr>\n");
    for (const Hypervolume& first : values) {
      if (first.seed != r_.seeds[0]) continue;
      put("<tr{}><td>{}</td><td>{}</td>", first.method.empty() ? " class=\"best\"" : "", escape(first.group),
          escape(method_label(first.group, first.method)));
      for (const Hypervolume& h : values)
        if (h.group == first.group && h.method == first.method) put("<td class=\"n\">{:.4f}</td>", h.value);
      put("</tr>\n");
    }
    end_table();
  }

  std::string chip(const std::string& option) const {
    return fmt::format("<span class=\"chip\" style=\"background:{}\">{}</span>", option_colour(option),
                       escape(option));
  }

  /// One table a seed and group: layers down, networks across.
  void choices() {
    if (r_.networks.empty()) return;
    put("<section><h2>What each layer takes</h2>\n");
    for (const std::uint64_t seed : r_.seeds)
      for (const std::string& group : searched_groups()) {
        std::vector<const NetworkRow*> found;
        for (const NetworkRow& n : r_.networks)
          if (n.seed == seed && n.group == group) found.push_back(&n);
        if (!found.empty()) choice_map(seed, group, found, seed == r_.seeds[0]);
      }
    put("</section>\n");
  }

  void choice_map(std::uint64_t seed, const std::string& group, const std::vector<const NetworkRow*>& found,
                  bool open) {
    put("<details{}><summary>{}, seed {}</summary><div class=\"scroll\"><table><tr><th>layer</th>",
        open ? " open" : "", escape(group), seed);
    for (const NetworkRow* n : found)
      put("<th class=\"turn\">{}<br/>{}</th>", escape(n->method), budget_text(n->budget));
    put("</tr>\n");
    for (std::size_t l = 0; l < found[0]->layers.size(); ++l) {
      put("<tr><td>{}</td>", escape(found[0]->layers[l].name));
      for (const NetworkRow* n : found) choice_cell(n->layers[l], has_sizes(found));
      put("</tr>\n");
    }
    put("<tr><td class=\"soft\">µs</td>");
    for (const NetworkRow* n : found) put("<td class=\"n\">{:.1f}</td>", n->latency_us);
    put("</tr>\n<tr><td class=\"soft\">accuracy</td>");
    for (const NetworkRow* n : found) put("<td class=\"n\">{}</td>", percent(n->accuracy));
    put("</tr></table></div></details>\n");
  }

  void choice_cell(const LayerRow& l, bool with_shape) {
    put("<td class=\"map\" title=\"{}: {}, {}, {:.2f} µs\">{}{}</td>", escape(l.name), escape(l.shape),
        escape(l.option), l.latency_us, chip(l.option),
        with_shape ? fmt::format("<span class=\"soft\" style=\"font-size:11px\">{}</span>",
                                 escape(l.shape.substr(0, l.shape.find(" /"))))
                   : "");
  }

  void searches() {
    if (r_.searches.empty()) return;
    begin_table("Cost of the searches",
                {"space", "method", "note", "budget", "seed", "measured networks", "seconds"}, 3);
    for (const SearchRow& s : r_.searches)
      row({s.group, s.method, s.note, budget_text(s.budget), fmt::to_string(s.seed),
           group_digits(s.evaluations), fmt::format("{:.1f}", s.seconds)},
          3);
    end_table();
  }

  void uncertainty() {
    if (r_.uncertainty.empty()) return;
    begin_table("If the latencies are at an end of their band: does the exact search’s choice survive?",
                {"space", "latencies", "budget", "seed", "decisions that change", "regret (predicted loss)",
                 "choice meets its budget"},
                2);
    for (const UncertaintyRow& u : r_.uncertainty)
      row({u.group, u.end, budget_text(u.budget), fmt::to_string(u.seed),
           fmt::format("{} of {}", u.changed, u.decisions), u.regret ? fmt::format("{:.4f}", *u.regret) : "–",
           u.meets_budget ? "yes" : "no"},
          2);
    end_table();
  }

  /// Runs of more than one epoch.
  std::vector<PlotSeries> training_series(double (*value)(const TrainingPoint&)) const {
    std::vector<PlotSeries> series;
    for (const TrainingPoint& t : r_.training) {
      const bool longer = std::ranges::any_of(r_.training, [&](const TrainingPoint& o) {
        return o.seed == t.seed && o.run == t.run && o.epoch == 2;
      });
      if (!longer || !t.accuracy) continue;
      PlotSeries& run =
          series_named(series, r_.seeds.size() > 1 ? fmt::format("{}, seed {}", t.run, t.seed) : t.run);
      run.joined = true;
      run.points.push_back({double(t.epoch), value(t), "", false});
    }
    return series;
  }

  void training() {
    const auto loss = training_series([](const TrainingPoint& t) { return t.loss; });
    if (loss.empty()) return;
    put("<section><h2>Training</h2><div class=\"plots\">\n");
    plot("Loss", "epoch", "training loss", loss);
    plot("Accuracy", "epoch", "held-out accuracy, %",
         training_series([](const TrainingPoint& t) { return *t.accuracy * 100; }));
    put("</div></section>\n");
  }

  void networks() {
    if (r_.networks.empty()) return;
    begin_table("Every network",
                {"network", "seed", "test accuracy", "held-out", fmt::format("µs at batch {}", r_.batch),
                 "band of the sum", "whole network, µs", "µs at batch 1", "emulated accuracy",
                 "words compared", "differ", "run as kernels"},
                1);
    for (const NetworkRow& n : r_.networks)
      row({name(n), fmt::to_string(n.seed), percent(n.accuracy), percent(n.heldout_accuracy),
           fmt::format("{:.1f}", n.latency_us), fmt::format("{:.1f} to {:.1f}", n.low_us, n.high_us),
           n.network_us > 0 ? fmt::format("{:.1f}", n.network_us) : "–",
           fmt::format("{:.1f}", n.latency_batch1_us),
           n.check ? fmt::format("{} of {}", percent(n.check->accuracy), n.check->images) : "–",
           group_digits(compared(n)), group_digits(differing(n)),
           n.kernels ? fmt::format("{} of {} layers", n.kernels->lowered, n.kernels->layers) : "–"},
          1);
    put("</table></div>");
    for (const NetworkRow& n : r_.networks)
      if (n.group != "uniform" && n.seed == r_.seeds[0] && !n.latency_verdict.empty())
        put("<p class=\"soft\">{}: {}</p>\n", escape(name(n)), escape(n.latency_verdict));
    put("</section>\n");
  }

  void fact(std::string_view key, const std::string& html) {
    put("<dt>{}</dt><dd>{}</dd>\n", escape(key), html);
  }

  void run() {
    put("<section><h2>This run</h2><dl>\n");
    fact("command", fmt::format("<code>{}</code>", escape(r_.command)));
    fact("finished", escape(r_.finished));
    for (const auto& [phase, s] : r_.seconds) fact("time, " + phase, fmt::format("{:.3g} s", s));
    for (const auto& [what, version] : r_.versions) fact(what, escape(version));
    put("</dl>\n");
    for (const std::string& note : r_.notes) put("<p class=\"soft\">{}</p>\n", escape(note));
    put("</section>\n");
  }

  const Report& r_;
  std::string out_;
};

}  // namespace

std::string to_html(const Report& report) {
  return Page(report).write();
}

}  // namespace twofour::nas
