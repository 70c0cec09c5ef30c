#include <fmt/format.h>

#include <algorithm>

#include "twofour/nas/report/analysis.h"
#include "twofour/nas/report/svg.h"

namespace twofour::nas {
namespace {

using Table = std::vector<std::vector<std::string>>;

/// Rows of cells as text; columns are as wide as their widest cell, all but the first `left` aligned to the
/// right.
std::string text_table(const Table& rows, std::size_t left) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string blank(widths[c] - display_width(row[c]), ' ');
      line += c < left ? "  " + row[c] + blank : "  " + blank + row[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string percent(double fraction) {
  return fmt::format("{:.2f} %", fraction * 100);
}

std::string with_spread(const Spread& s, double scale, int decimals) {
  if (s.count < 2) return fmt::format("{:.{}f}", s.mean * scale, decimals);
  return fmt::format("{:.{}f} +- {:.{}f}", s.mean * scale, decimals, s.deviation * scale, decimals);
}

std::string optional_text(const std::optional<double>& value, double scale, const char* unit) {
  return value ? fmt::format("{:.2f}{}", *value * scale, unit) : "-";
}

std::string budget_text(double budget) {
  return budget > 0 ? fmt::format("{:.2f}x", budget) : "-";
}

std::string summary_text(const Report& r) {
  Table rows{{"space", "method", "budget", "accuracy, %", fmt::format("us at batch {}", r.batch),
              "us at batch 1", "seeds"}};
  for (const MethodSummary& m : summaries(r))
    rows.push_back({m.group, m.method, budget_text(m.budget), with_spread(m.accuracy, 100, 2),
                    with_spread(m.latency_us, 1, 1), with_spread(m.latency_batch1_us, 1, 1),
                    fmt::to_string(m.accuracy.count)});
  return "\nNetworks (mean +- standard deviation over the seeds)\n" + text_table(rows, 2);
}

std::string baseline_text(const Report& r) {
  Table rows{
      {"space", "method", "seed", "speedup", "whole network", "at batch 1", "accuracy at its latency"}};
  for (const AgainstBaseline& a : against_baseline(r))
    rows.push_back({a.group, method_label(a.group, a.method), fmt::to_string(a.seed),
                    optional_text(a.speedup, 1, "x"), optional_text(a.speedup_network, 1, "x"),
                    optional_text(a.speedup_batch1, 1, "x"),
                    a.accuracy_gain ? fmt::format("{:+.2f} points", *a.accuracy_gain * 100) : "-"});
  if (rows.size() == 1) return "";
  return "\nAgainst uniform sparse int8 (speedup of the fastest network at most 0.2 points less accurate)\n" +
         text_table(rows, 2);
}

std::string hypervolume_text(const Report& r) {
  Table rows{{"space", "method", "seed", "hypervolume"}};
  for (const Hypervolume& h : hypervolumes(r))
    rows.push_back(
        {h.group, method_label(h.group, h.method), fmt::to_string(h.seed), fmt::format("{:.4f}", h.value)});
  if (rows.size() == 1) return "";
  return "\nHypervolume (below uniform fp16's latency, above its accuracy less 10 points)\n" +
         text_table(rows, 2);
}

std::string searches_text(const Report& r) {
  Table rows{{"space", "method", "budget", "seed", "measured", "s", "note"}};
  for (const SearchRow& s : r.searches)
    rows.push_back({s.group, s.method, budget_text(s.budget), fmt::to_string(s.seed),
                    fmt::to_string(s.evaluations), fmt::format("{:.1f}", s.seconds), s.note});
  return rows.size() == 1 ? "" : "\nCost of the searches\n" + text_table(rows, 2);
}

std::string uncertainty_text(const Report& r) {
  Table rows{{"space", "latencies", "budget", "seed", "other choices", "regret", "choice meets budget"}};
  for (const UncertaintyRow& u : r.uncertainty)
    rows.push_back({u.group, u.end, budget_text(u.budget), fmt::to_string(u.seed),
                    fmt::format("{} of {}", u.changed, u.decisions),
                    u.regret ? fmt::format("{:.4f}", *u.regret) : "-", u.meets_budget ? "yes" : "no"});
  if (rows.size() == 1) return "";
  return "\nIf the latencies are at an end of their band (the exact search's choice)\n" + text_table(rows, 2);
}

std::string deployment_text(const Report& r) {
  Table rows{{"network", "seed", "sum of layers, us", "whole network, us", "kernels", "words", "differ"}};
  for (const NetworkRow& n : r.networks)
    if (n.check && n.kernels)
      rows.push_back({name(n), fmt::to_string(n.seed), fmt::format("{:.1f}", n.latency_us),
                      fmt::format("{:.1f}", n.network_us),
                      fmt::format("{} of {}", n.kernels->lowered, n.kernels->layers),
                      fmt::to_string(n.check->compared + n.kernels->compared),
                      fmt::to_string(n.check->differing + n.kernels->differing)});
  return rows.size() == 1 ? "" : "\nDeployed and executed\n" + text_table(rows, 1);
}

std::string layers_text(const Report& r, const NetworkRow& n) {
  Table rows{{"layer", "shape", "option", "bound", "M", "N", "K", "us", "low", "high", "arithmetic"}};
  for (const LayerRow& l : n.layers)
    rows.push_back({l.name, l.shape, l.option, l.bound, fmt::to_string(l.m), fmt::to_string(l.n),
                    fmt::to_string(l.k), fmt::format("{:.2f}", l.latency_us), fmt::format("{:.2f}", l.low_us),
                    fmt::format("{:.2f}", l.high_us), l.fidelity});
  return fmt::format("\n{} (seed {}), batch {}: {}\n", name(n), n.seed, r.batch, percent(n.accuracy)) +
         text_table(rows, 4) + (n.latency_verdict.empty() ? "" : "  " + n.latency_verdict + "\n");
}

std::string run_text(const Report& r) {
  Table rows{{"command", r.command}, {"finished", r.finished}};
  for (const auto& [phase, s] : r.seconds) rows.push_back({"time, " + phase, fmt::format("{:.3g} s", s)});
  for (const auto& [what, version] : r.versions) rows.push_back({what, version});
  return "\nRun\n" + text_table(rows, 2);
}

}  // namespace

std::string to_text(const Report& r) {
  std::string out = fmt::format("{} on {}, batch {}; {}\n", r.network, r.machine, r.batch, r.data_set);
  out += summary_text(r) + baseline_text(r) + hypervolume_text(r) + searches_text(r) + uncertainty_text(r) +
         deployment_text(r);
  const auto searched = std::ranges::find_if(r.networks, [](const NetworkRow& n) { return n.budget > 0; });
  if (searched != r.networks.end()) out += layers_text(r, *searched);
  out += run_text(r);
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out;
}

}  // namespace twofour::nas
