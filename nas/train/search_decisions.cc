#include "twofour/nas/train/search_decisions.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using Kind = SupernetDecision::Kind;

/// The decision of a kind that lists the layer, or -1.
int find_decision(const std::vector<SupernetDecision>& decisions, Kind kind, int layer) {
  for (std::size_t d = 0; d < decisions.size(); ++d) {
    const auto& layers = decisions[d].layers;
    if (decisions[d].kind == kind && std::find(layers.begin(), layers.end(), layer) != layers.end())
      return int(d);
  }
  return -1;
}

/// Writer of a tensor is layer tensor - 1; the image has none.
int width_of_tensor(const std::vector<SupernetDecision>& decisions, int tensor) {
  return tensor == 0 ? -1 : find_decision(decisions, Kind::width, tensor - 1);
}

/// Steps through all index tuples, the last fastest; false after the last.
bool next_tuple(std::vector<int>& tuple, const std::vector<int>& counts) {
  for (std::size_t i = tuple.size(); i-- > 0;) {
    if (++tuple[i] < counts[i]) return true;
    tuple[i] = 0;
  }
  return false;
}

void check_layers(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions) {
  for (const SupernetDecision& d : decisions)
    for (int layer : d.layers)
      if (layer < 0 || layer >= int(spec.layers.size()))
        fail("decision {}: layer {} is not one of the {} layers of {}", d.name, layer, spec.layers.size(),
             spec.name);
  for (int layer = 0; layer < int(spec.layers.size()); ++layer)
    for (Kind kind : {Kind::option, Kind::kernel, Kind::width}) {
      int found = 0;
      for (const SupernetDecision& d : decisions)
        found += d.kind == kind ? int(std::count(d.layers.begin(), d.layers.end(), layer)) : 0;
      if (found > 1 || (kind == Kind::option && found == 0))
        fail("layer {} is in {} decisions of kind {}; it must be in {}", spec.layers[std::size_t(layer)].name,
             found,
             kind == Kind::option   ? "option"
             : kind == Kind::kernel ? "kernel"
                                    : "width",
             kind == Kind::option ? "one" : "one or none");
    }
}

void check_sizes(const ModelSpec& spec, const SupernetDecision& d) {
  if (d.count() == 0) fail("decision {} has nothing to choose from", d.name);
  for (std::size_t i = 1; i < d.sizes.size(); ++i)
    if (d.sizes[i] <= d.sizes[i - 1])
      fail("decision {}: sizes {} must rise", d.name, fmt::join(d.sizes, " "));
  for (int layer : d.layers) {
    const LayerSpec& l = spec.layers[std::size_t(layer)];
    if (d.kind == Kind::width && layer + 1 == int(spec.layers.size()))
      fail("decision {}: the last layer writes the classes; its width cannot be chosen", d.name);
    const int own = d.kind == Kind::kernel ? l.kernel : l.out_channels;
    if (d.kind != Kind::option && (d.sizes.front() < 1 || d.sizes.back() != own))
      fail("decision {}: the sizes {} must end at {}, that of layer {} in the supernet", d.name,
           fmt::join(d.sizes, " "), own, l.name);
    for (int size : d.sizes)
      if (d.kind == Kind::kernel && (size % 2 == 0 || l.pad != l.kernel / 2))
        fail("decision {}: kernels must be odd with padding kernel / 2 (layer {})", d.name, l.name);
    for (Quantiser q : d.quantisers) {
      const int group = is_integer(q) && q.weight_bits == 4 ? 8 : 4;
      if (q.sparse && l.in_channels % group != 0)
        fail("decision {}: layer {} has {} input channels; sparse weights need a multiple of {}", d.name,
             l.name, l.in_channels, group);
    }
  }
}

void check_residuals(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    const int residual = spec.layers[i].residual;
    if (residual >= 0 &&
        width_of_tensor(decisions, residual) != find_decision(decisions, Kind::width, int(i)))
      fail("layer {} adds a tensor whose width is another decision; residual-connected layers share one",
           spec.layers[i].name);
  }
}

}  // namespace

std::vector<int> decisions_of_layer(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                                    int layer) {
  std::vector<int> found;
  for (int d : {find_decision(decisions, Kind::option, layer), find_decision(decisions, Kind::kernel, layer),
                width_of_tensor(decisions, spec.layers[std::size_t(layer)].input),
                find_decision(decisions, Kind::width, layer)})
    if (d >= 0 && std::find(found.begin(), found.end(), d) == found.end()) found.push_back(d);
  return found;
}

LatencyTerms latency_terms(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                           const std::function<double(int layer, const std::vector<int>& candidate)>& us) {
  LatencyTerms terms;
  for (int layer = 0; layer < int(spec.layers.size()); ++layer) {
    LatencyTerm term{decisions_of_layer(spec, decisions, layer), {}};
    std::vector<int> counts, tuple(term.decisions.size(), 0), candidate(decisions.size(), 0);
    for (int d : term.decisions) counts.push_back(decisions[std::size_t(d)].count());
    do {
      for (std::size_t i = 0; i < tuple.size(); ++i) candidate[std::size_t(term.decisions[i])] = tuple[i];
      term.us.push_back(us(layer, candidate));
    } while (next_tuple(tuple, counts));
    terms.push_back(std::move(term));
  }
  return terms;
}

double expected_latency(const LatencyTerms& terms, const Probabilities& probabilities,
                        Probabilities* derivative) {
  if (derivative) {
    derivative->clear();
    for (const auto& p : probabilities) derivative->emplace_back(p.size(), 0.0);
  }
  double sum = 0;
  for (const LatencyTerm& term : terms) {
    std::vector<int> counts, tuple(term.decisions.size(), 0);
    for (int d : term.decisions) counts.push_back(int(probabilities[std::size_t(d)].size()));
    const auto probability = [&](std::size_t i) {
      return probabilities[std::size_t(term.decisions[i])][std::size_t(tuple[i])];
    };
    for (double us : term.us) {
      double product = us;
      for (std::size_t i = 0; i < tuple.size(); ++i) product *= probability(i);
      sum += product;
      for (std::size_t i = 0; derivative && i < tuple.size(); ++i) {
        double others = us;
        for (std::size_t j = 0; j < tuple.size(); ++j) others *= j == i ? 1 : probability(j);
        (*derivative)[std::size_t(term.decisions[i])][std::size_t(tuple[i])] += others;
      }
      next_tuple(tuple, counts);
    }
  }
  return sum;
}

double candidate_latency(const LatencyTerms& terms, const std::vector<SupernetDecision>& decisions,
                         const std::vector<int>& candidate) {
  double sum = 0;
  for (const LatencyTerm& term : terms) {
    std::size_t index = 0;
    for (int d : term.decisions)
      index = index * std::size_t(decisions[std::size_t(d)].count()) + std::size_t(candidate[std::size_t(d)]);
    sum += term.us[index];
  }
  return sum;
}

void check_decisions(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                     const LatencyTerms& terms) {
  check_layers(spec, decisions);
  for (const SupernetDecision& d : decisions) check_sizes(spec, d);
  check_residuals(spec, decisions);
  for (std::size_t t = 0; t < terms.size(); ++t) {
    std::size_t entries = 1;
    for (int d : terms[t].decisions) {
      if (d < 0 || std::size_t(d) >= decisions.size()) fail("latency term {}: there is no decision {}", t, d);
      entries *= std::size_t(decisions[std::size_t(d)].count());
    }
    if (entries != terms[t].us.size())
      fail("latency term {} has {} entries, its decisions {} combinations", t, terms[t].us.size(), entries);
  }
}

}  // namespace twofour::nas
