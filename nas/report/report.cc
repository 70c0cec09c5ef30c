#include "twofour/nas/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "twofour/nas/report/svg.h"

namespace twofour::nas {
namespace {

using Json = nlohmann::ordered_json;

/// Rows of cells as text; columns are as wide as their widest cell, all but the first `left` aligned to the
/// right.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t left) {
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

std::string percent(std::optional<double> fraction, int decimals = 2) {
  return fraction ? fmt::format("{:.{}f} %", *fraction * 100, decimals) : "-";
}

std::string layers_text(const DemoReport& r) {
  std::vector<std::vector<std::string>> rows{
      {"layer", "shape", "option", "bound", "M", "N", "K", "us", "share", "sensitivity", "arithmetic"}};
  for (const LayerRow& l : r.layers)
    rows.push_back({l.name, l.shape, l.option, l.bound, fmt::to_string(l.m), fmt::to_string(l.n),
                    fmt::to_string(l.k), fmt::format("{:.2f}", l.latency_us), percent(latency_share(r, l), 1),
                    fmt::format("{:.3g}", l.sensitivity), l.fidelity});
  return fmt::format("\nLayers at batch {}\n", r.batch) + text_table(rows, 4);
}

std::string networks_text(const DemoReport& r) {
  std::vector<std::vector<std::string>> rows{
      {"network", "accuracy", fmt::format("us at batch {}", r.batch), "us at batch 1"}};
  for (const NetworkRow& n : r.networks)
    rows.push_back({n.name, percent(n.accuracy), fmt::format("{:.1f}", n.latency_us),
                    fmt::format("{:.1f}", n.latency_batch1_us)});
  return "\nNetworks\n" + text_table(rows, 1);
}

std::string pareto_text(const DemoReport& r) {
  std::vector<std::vector<std::string>> rows{{"point", "series", "us", "predicted cost", "accuracy", ""}};
  for (const ParetoPoint& p : r.pareto)
    rows.push_back({p.label, p.series, fmt::format("{:.1f}", p.latency_us),
                    p.predicted_cost ? fmt::format("{:.4g}", *p.predicted_cost) : "-", percent(p.accuracy),
                    p.chosen ? "<- chosen" : ""});
  return "\nTrade-off\n" + text_table(rows, 2);
}

std::string training_text(const DemoReport& r) {
  std::vector<std::vector<std::string>> rows{{"run", "epoch", "loss", "accuracy"}};
  for (const TrainingPoint& t : r.training)
    rows.push_back({t.run, fmt::to_string(t.epoch), fmt::format("{:.4f}", t.loss), percent(t.accuracy)});
  return "\nTraining\n" + text_table(rows, 1);
}

std::string run_text(const DemoReport& r) {
  std::vector<std::vector<std::string>> rows{
      {"seed", fmt::to_string(r.seed)}, {"command", r.command}, {"finished", r.finished}};
  for (const auto& [phase, s] : r.seconds) rows.push_back({"time, " + phase, fmt::format("{:.3g} s", s)});
  for (const auto& [what, version] : r.versions) rows.push_back({what, version});
  return "\nRun\n" + text_table(rows, 2);
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json layers_json(const DemoReport& r) {
  Json rows = Json::array();
  for (const LayerRow& l : r.layers)
    rows.push_back({{"name", l.name},
                    {"shape", l.shape},
                    {"m", l.m},
                    {"n", l.n},
                    {"k", l.k},
                    {"option", l.option},
                    {"latency_us", l.latency_us},
                    {"share", latency_share(r, l)},
                    {"bound", l.bound},
                    {"sensitivity", l.sensitivity},
                    {"fidelity", l.fidelity}});
  return rows;
}

Json networks_json(const DemoReport& r) {
  Json rows = Json::array();
  for (const NetworkRow& n : r.networks)
    rows.push_back({{"name", n.name},
                    {"accuracy", n.accuracy},
                    {"latency_us", n.latency_us},
                    {"latency_batch1_us", n.latency_batch1_us}});
  return rows;
}

Json pareto_json(const DemoReport& r) {
  Json rows = Json::array();
  for (const ParetoPoint& p : r.pareto)
    rows.push_back({{"label", p.label},
                    {"series", p.series},
                    {"latency_us", p.latency_us},
                    {"predicted_cost", or_null(p.predicted_cost)},
                    {"accuracy", or_null(p.accuracy)},
                    {"chosen", p.chosen}});
  return rows;
}

Json training_json(const DemoReport& r) {
  Json rows = Json::array();
  for (const TrainingPoint& t : r.training)
    rows.push_back({{"run", t.run}, {"epoch", t.epoch}, {"loss", t.loss}, {"accuracy", or_null(t.accuracy)}});
  return rows;
}

Json check_json(const DemoReport& r) {
  if (!r.check) return nullptr;
  return {{"images", r.check->images},
          {"compared", r.check->compared},
          {"differing", r.check->differing},
          {"accuracy", r.check->accuracy}};
}

template <class T>
Json object(const std::vector<std::pair<std::string, T>>& fields) {
  Json out = Json::object();
  for (const auto& [name, value] : fields) out[name] = value;
  return out;
}

}  // namespace

double total_latency_us(const DemoReport& report) {
  double total = 0;
  for (const LayerRow& l : report.layers) total += l.latency_us;
  return total;
}

double latency_share(const DemoReport& report, const LayerRow& layer) {
  const double total = total_latency_us(report);
  return total > 0 ? layer.latency_us / total : 0;
}

std::string to_text(const DemoReport& r) {
  std::string out = fmt::format("{:.1f} us a batch of {} on {}, budget {:.1f} us: {}", total_latency_us(r),
                                r.batch, r.machine, r.budget_us, r.network);
  if (!r.data_set.empty()) out += fmt::format(", {}", r.data_set);
  out += '\n';
  if (r.check)
    out +=
        fmt::format("emulated on {} images: accuracy {}; {} of {} words differ from the integer reference\n",
                    r.check->images, percent(r.check->accuracy), r.check->differing, r.check->compared);
  if (!r.layers.empty()) out += layers_text(r);
  if (!r.networks.empty()) out += networks_text(r);
  if (!r.pareto.empty()) out += pareto_text(r);
  if (!r.training.empty()) out += training_text(r);
  out += run_text(r);
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out;
}

std::string to_json(const DemoReport& r) {
  const Json document{{"schema_version", 1},
                      {"network", r.network},
                      {"data_set", r.data_set},
                      {"machine", r.machine},
                      {"batch", r.batch},
                      {"budget_us", r.budget_us},
                      {"latency_us", total_latency_us(r)},
                      {"layers", layers_json(r)},
                      {"networks", networks_json(r)},
                      {"pareto", pareto_json(r)},
                      {"training", training_json(r)},
                      {"check", check_json(r)},
                      {"seed", r.seed},
                      {"command", r.command},
                      {"finished", r.finished},
                      {"seconds", object(r.seconds)},
                      {"versions", object(r.versions)},
                      {"notes", r.notes}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace twofour::nas
