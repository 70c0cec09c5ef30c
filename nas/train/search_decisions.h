#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "twofour/nas/train/engine.h"

/// nas::Space as the libtorch side sees it. Plain C++17.
namespace twofour::nas {

/// As nas::Decision, with quantisers instead of options.
struct SupernetDecision {
  enum class Kind : std::uint8_t { option, kernel, width };
  Kind kind = Kind::option;
  std::string name;
  std::vector<int> layers;            ///< width: layers that write such a tensor
  std::vector<Quantiser> quantisers;  ///< of kind option
  std::vector<int> sizes;  ///< of kind kernel and width; rising, the last is the network's own size

  int count() const { return int(kind == Kind::option ? quantisers.size() : sizes.size()); }
};

/// The latency of one layer in every form: a table over the decisions that it depends on, each once.
struct LatencyTerm {
  std::vector<int> decisions;
  std::vector<double> us;  ///< row-major in the order of `decisions`, the last fastest
};
/// One term a layer (or any other split of the network's latency into sums).
using LatencyTerms = std::vector<LatencyTerm>;

/// By decision: the probability of each of its values.
using Probabilities = std::vector<std::vector<double>>;

/// Decisions that a layer's latency depends on: its option, its kernel, the widths of what it reads and
/// writes; those there are, each once.
std::vector<int> decisions_of_layer(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                                    int layer);

/// A term a layer, filled by us(layer, candidate): candidates are indices by decision, 0 where the layer does
/// not depend on them.
LatencyTerms latency_terms(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                           const std::function<double(int layer, const std::vector<int>& candidate)>& us);

/// Expected latency in us when every decision is drawn independently, and (where not null) its derivative by
/// each probability.
double expected_latency(const LatencyTerms& terms, const Probabilities& probabilities,
                        Probabilities* derivative);

/// Latency in us of one candidate.
double candidate_latency(const LatencyTerms& terms, const std::vector<SupernetDecision>& decisions,
                         const std::vector<int>& candidate);

/// Throws Error that names the decision: a layer in no or two option decisions or in two of another kind;
/// layers that are not there; sizes that do not rise or do not end at the network's own size; kernels even; a
/// width of the last layer; a residual add of tensors whose widths are not one decision; sparse
/// quantisers where channels do not fill groups; latency terms of another size.
void check_decisions(const ModelSpec& spec, const std::vector<SupernetDecision>& decisions,
                     const LatencyTerms& terms);

}  // namespace twofour::nas
