#include <nlohmann/json.hpp>

#include "twofour/nas/report/analysis.h"

namespace twofour::nas {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T, class F>
Json array(const std::vector<T>& rows, const F& to_json) {
  Json out = Json::array();
  for (const T& row : rows) out.push_back(to_json(row));
  return out;
}

Json of_layer(const LayerRow& l) {
  return {{"name", l.name},
          {"shape", l.shape},
          {"m", l.m},
          {"n", l.n},
          {"k", l.k},
          {"option", l.option},
          {"latency_us", l.latency_us},
          {"low_us", l.low_us},
          {"high_us", l.high_us},
          {"bound", l.bound},
          {"fidelity", l.fidelity}};
}

Json of_check(const std::optional<OutputCheck>& c) {
  if (!c) return nullptr;
  return {{"images", c->images},
          {"compared", c->compared},
          {"differing", c->differing},
          {"accuracy", c->accuracy}};
}

Json of_kernels(const std::optional<KernelOutputs>& k) {
  if (!k) return nullptr;
  return {
      {"layers", k->layers}, {"lowered", k->lowered}, {"compared", k->compared}, {"differing", k->differing}};
}

Json of_network(const NetworkRow& n) {
  return {{"name", name(n)},
          {"seed", n.seed},
          {"group", n.group},
          {"method", n.method},
          {"budget", n.budget},
          {"latency_us", n.latency_us},
          {"low_us", n.low_us},
          {"high_us", n.high_us},
          {"latency_batch1_us", n.latency_batch1_us},
          {"accuracy", n.accuracy},
          {"heldout_accuracy", n.heldout_accuracy},
          {"predicted_cost", or_null(n.predicted_cost)},
          {"measured_loss", or_null(n.measured_loss)},
          {"layers", array(n.layers, of_layer)},
          {"check", of_check(n.check)},
          {"kernels", of_kernels(n.kernels)},
          {"network_us", n.network_us},
          {"latency_verdict", n.latency_verdict}};
}

Json of_search(const SearchRow& s) {
  return {{"seed", s.seed},
          {"group", s.group},
          {"method", s.method},
          {"budget", s.budget},
          {"evaluations", s.evaluations},
          {"seconds", s.seconds},
          {"note", s.note}};
}

Json of_training(const TrainingPoint& t) {
  return {{"seed", t.seed},
          {"run", t.run},
          {"epoch", t.epoch},
          {"loss", t.loss},
          {"accuracy", or_null(t.accuracy)}};
}

Json of_uncertainty(const UncertaintyRow& u) {
  return {{"seed", u.seed},
          {"group", u.group},
          {"budget", u.budget},
          {"end", u.end},
          {"changed", u.changed},
          {"decisions", u.decisions},
          {"regret", or_null(u.regret)},
          {"meets_budget", u.meets_budget}};
}

Json of_spread(const Spread& s) {
  return {{"mean", s.mean}, {"deviation", s.deviation}, {"count", s.count}};
}

Json of_summary(const MethodSummary& m) {
  return {{"group", m.group},
          {"method", m.method},
          {"budget", m.budget},
          {"accuracy", of_spread(m.accuracy)},
          {"latency_us", of_spread(m.latency_us)},
          {"latency_batch1_us", of_spread(m.latency_batch1_us)}};
}

Json of_hypervolume(const Hypervolume& h) {
  return {{"seed", h.seed}, {"group", h.group}, {"method", h.method}, {"value", h.value}};
}

Json of_comparison(const AgainstBaseline& a) {
  return {{"seed", a.seed},
          {"group", a.group},
          {"method", a.method},
          {"speedup", or_null(a.speedup)},
          {"speedup_batch1", or_null(a.speedup_batch1)},
          {"speedup_network", or_null(a.speedup_network)},
          {"accuracy_gain", or_null(a.accuracy_gain)}};
}

template <class T>
Json object(const std::vector<std::pair<std::string, T>>& fields) {
  Json out = Json::object();
  for (const auto& [key, value] : fields) out[key] = value;
  return out;
}

}  // namespace

std::string to_json(const Report& r) {
  const Json document{{"schema_version", 2},
                      {"network", r.network},
                      {"data_set", r.data_set},
                      {"machine", r.machine},
                      {"batch", r.batch},
                      {"seeds", r.seeds},
                      {"summaries", array(summaries(r), of_summary)},
                      {"against_uniform_sparse_int8", array(against_baseline(r), of_comparison)},
                      {"hypervolumes", array(hypervolumes(r), of_hypervolume)},
                      {"networks", array(r.networks, of_network)},
                      {"searches", array(r.searches, of_search)},
                      {"uncertainty", array(r.uncertainty, of_uncertainty)},
                      {"training", array(r.training, of_training)},
                      {"command", r.command},
                      {"finished", r.finished},
                      {"seconds", object(r.seconds)},
                      {"versions", object(r.versions)},
                      {"notes", r.notes}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace twofour::nas
