#include "twofour/nas/report/analysis.h"

#include <algorithm>
#include <cmath>

#include "twofour/nas/search/hypervolume.h"

namespace twofour::nas {
namespace {

constexpr double accuracy_room = 0.10;  ///< of the reference point below uniform fp16

using Rows = std::vector<const NetworkRow*>;

constexpr const char* random_search = "random";

/// Networks of a seed; of a group and a method where those are not empty. A group as a whole is its engines:
/// random search is what they are compared with.
Rows rows_of(const Report& report, std::uint64_t seed, const std::string& group, const std::string& method) {
  Rows rows;
  for (const NetworkRow& n : report.networks)
    if (n.seed == seed && (group.empty() || n.group == group) &&
        (method.empty() ? group.empty() || n.method != random_search : n.method == method))
      rows.push_back(&n);
  return rows;
}

const NetworkRow* uniform(const Report& report, std::uint64_t seed, const char* method) {
  const Rows rows = rows_of(report, seed, "uniform", method);
  return rows.empty() ? nullptr : rows[0];
}

/// Groups and methods in order of first appearance; behind each group of searches the group as a whole.
std::vector<std::pair<std::string, std::string>> methods(const Report& report) {
  std::vector<std::pair<std::string, std::string>> list;
  const auto add = [&](const std::string& group, const std::string& method) {
    if (std::ranges::find(list, std::pair(group, method)) == list.end()) list.emplace_back(group, method);
  };
  for (const NetworkRow& n : report.networks) add(n.group, n.method);
  for (const NetworkRow& n : report.networks)
    if (n.method != random_search) add(n.group, "");
  return list;
}

/// As points to be minimised.
std::vector<FrontPoint> points_of(const Rows& rows) {
  std::vector<FrontPoint> points;
  for (const NetworkRow* n : rows) points.push_back({n->latency_us, -n->accuracy});
  return points;
}

/// Area between the networks and (most_us, least_accuracy), over most_us * (best - least).
double covered(const Rows& rows, double most_us, double least_accuracy, double best_accuracy) {
  return hypervolume(points_of(rows), {most_us, -least_accuracy}) /
         (most_us * (best_accuracy - least_accuracy));
}

/// The largest of baseline latency over latency among networks that are accurate enough; a latency of 0 is
/// none.
std::optional<double> best_speedup(const Rows& rows, const NetworkRow& baseline,
                                   double NetworkRow::*latency) {
  std::optional<double> best;
  for (const NetworkRow* n : rows)
    if (n->accuracy >= baseline.accuracy - equal_accuracy - 1e-12 && n->*latency > 0 && baseline.*latency > 0)
      best = std::max(best.value_or(0), baseline.*latency / n->*latency);
  return best;
}

std::optional<double> best_gain(const Rows& rows, const NetworkRow& baseline) {
  std::optional<double> best;
  for (const NetworkRow* n : rows)
    if (n->latency_us <= baseline.latency_us)
      best = std::max(best.value_or(-1), n->accuracy - baseline.accuracy);
  return best;
}

}  // namespace

std::string name(const NetworkRow& row) {
  std::string text = row.group + " " + row.method;
  if (row.budget > 0) {
    char factor[32];
    std::snprintf(factor, sizeof factor, " %.2fx", row.budget);
    text += factor;
  }
  return text;
}

Spread spread(const std::vector<double>& values) {
  Spread s{.count = int(values.size())};
  if (values.empty()) return s;
  for (const double v : values) s.mean += v / double(values.size());
  double squares = 0;
  for (const double v : values) squares += (v - s.mean) * (v - s.mean);
  if (values.size() > 1) s.deviation = std::sqrt(squares / double(values.size() - 1));
  return s;
}

std::vector<MethodSummary> summaries(const Report& report) {
  std::vector<MethodSummary> list;
  for (const NetworkRow& first : report.networks) {
    const auto same = [&](const auto& other) {
      return other.group == first.group && other.method == first.method && other.budget == first.budget;
    };
    if (std::ranges::any_of(list, same)) continue;
    std::vector<double> accuracy, latency, batch1;
    for (const NetworkRow& n : report.networks)
      if (same(n)) {
        accuracy.push_back(n.accuracy);
        latency.push_back(n.latency_us);
        batch1.push_back(n.latency_batch1_us);
      }
    list.push_back(
        {first.group, first.method, first.budget, spread(accuracy), spread(latency), spread(batch1)});
  }
  return list;
}

std::vector<Hypervolume> hypervolumes(const Report& report) {
  std::vector<Hypervolume> list;
  for (const std::uint64_t seed : report.seeds) {
    const NetworkRow* reference = uniform(report, seed, "fp16");
    if (!reference) continue;
    for (const auto& [group, method] : methods(report))
      list.push_back({seed, group, method,
                      covered(rows_of(report, seed, group, method), reference->latency_us,
                              reference->accuracy - accuracy_room, reference->accuracy)});
  }
  return list;
}

std::string method_label(const std::string& group, const std::string& method) {
  if (!method.empty()) return method;
  return group == "uniform" ? "all" : "all engines";
}

std::vector<AgainstBaseline> against_baseline(const Report& report) {
  std::vector<AgainstBaseline> list;
  for (const std::uint64_t seed : report.seeds) {
    const NetworkRow* baseline = uniform(report, seed, baseline_method);
    if (!baseline) continue;
    for (const auto& [group, method] : methods(report)) {
      const Rows rows = rows_of(report, seed, group, method);
      list.push_back({seed, group, method, best_speedup(rows, *baseline, &NetworkRow::latency_us),
                      best_speedup(rows, *baseline, &NetworkRow::latency_batch1_us),
                      best_speedup(rows, *baseline, &NetworkRow::network_us), best_gain(rows, *baseline)});
    }
  }
  return list;
}

std::vector<const NetworkRow*> pareto_front(const Report& report, std::uint64_t seed) {
  const Rows rows = rows_of(report, seed, "", "");
  Rows front;
  for (const std::size_t i : pareto_front(points_of(rows))) front.push_back(rows[i]);
  return front;
}

}  // namespace twofour::nas
