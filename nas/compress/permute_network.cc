#include "twofour/nas/compress/permute_network.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// Disjoint sets of tensors.
class Ties {
 public:
  explicit Ties(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  int root(int t) const {
    while (parent_[std::size_t(t)] != t) t = parent_[std::size_t(t)];
    return t;
  }
  /// The lower tensor stays the root.
  void tie(int a, int b) {
    const int x = root(a), y = root(b);
    parent_[std::size_t(std::max(x, y))] = std::min(x, y);
  }

 private:
  std::vector<int> parent_;
};

std::int64_t columns_of(const Layer& layer) {
  const auto& s = layer.shape;
  return s.kernel_h * s.kernel_w * (layer.depthwise() ? 1 : s.in_channels);
}

void check_sizes(const Network& network, const std::vector<LayerWeights>& weights) {
  if (weights.size() != network.layers.size())
    fail("{}: weights of {} layers for {}", network.name, weights.size(), network.layers.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Layer& layer = network.layers[i];
    const auto expected = std::size_t(layer.shape.out_channels * columns_of(layer));
    if (weights[i].weight.size() != expected)
      fail("{}, layer {}: {} weights, expected {}", network.name, layer.name, weights[i].weight.size(),
           expected);
    for (const auto& values : weights[i].per_channel)
      if (!values.empty() && std::int64_t(values.size()) != layer.shape.out_channels)
        fail("{}, layer {}: {} values for {} output channels", network.name, layer.name, values.size(),
             layer.shape.out_channels);
  }
}

/// values: rows x n x inner; place i of n takes what was at order[i].
std::vector<float> reordered(const std::vector<float>& values, const ColumnOrder& order, std::size_t inner) {
  std::vector<float> out(values.size());
  const std::size_t n = order.size(), rows = values.size() / (n * inner);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < n; ++i)
      std::copy_n(values.begin() + std::ptrdiff_t((r * n + std::size_t(order[i])) * inner), inner,
                  out.begin() + std::ptrdiff_t((r * n + i) * inner));
  return out;
}

MagnitudeMatrix stacked(const std::vector<int>& layers, std::int64_t channels,
                        const std::vector<LayerWeights>& weights) {
  MagnitudeMatrix m{0, channels, {}};
  for (const int l : layers) m.rows += std::int64_t(weights[std::size_t(l)].weight.size()) / channels;
  m.values.resize(std::size_t(m.rows * channels));
  std::int64_t row = 0;
  for (const int l : layers) {
    const auto& w = weights[std::size_t(l)].weight;
    for (std::size_t i = 0; i < w.size(); ++row)
      for (std::int64_t c = 0; c < channels; ++c, ++i)
        m.values[std::size_t(c * m.rows + row)] = std::abs(w[i]);
  }
  return m;
}

double kept_by_all(const std::map<isa::Sparsity, std::vector<int>>& readers, const ChannelGroup& group,
                   const std::vector<LayerWeights>& weights, const ColumnOrder& order) {
  double sum = 0;
  for (const auto& [form, layers] : readers)
    sum += kept_magnitude(stacked(layers, group.channels, weights), form, order);
  return sum;
}

/// The sparse readers of a group by form, and the form with the most weights.
struct SparseReaders {
  std::map<isa::Sparsity, std::vector<int>> by_form;
  isa::Sparsity largest = isa::Sparsity::dense;

  SparseReaders(const ChannelGroup& group, const std::vector<isa::Sparsity>& forms,
                const std::vector<LayerWeights>& weights) {
    std::map<isa::Sparsity, std::size_t> count;
    for (const int l : group.readers)
      if (const auto form = forms[std::size_t(l)]; form != isa::Sparsity::dense) {
        by_form[form].push_back(l);
        count[form] += weights[std::size_t(l)].weight.size();
      }
    for (const auto& [form, n] : count)
      if (largest == isa::Sparsity::dense || n > count[largest]) largest = form;
  }
};

}  // namespace

std::vector<ChannelGroup> channel_groups(const Network& network) {
  const int layers = int(network.layers.size());
  Ties ties(std::size_t(layers) + 1);
  for (int i = 0; i < layers; ++i) {
    const Layer& layer = network.layers[std::size_t(i)];
    if (layer.residual >= 0) ties.tie(i + 1, layer.residual);
    if (layer.depthwise()) ties.tie(i + 1, layer.input);
  }
  std::map<int, ChannelGroup> groups;
  for (int t = 0; t <= layers; ++t) {
    ChannelGroup& g = groups[ties.root(t)];
    g.tensors.push_back(t);
    g.fixed = g.fixed || t == 0 || t == layers;
    if (t == 0) continue;
    const Layer& writer = network.layers[std::size_t(t - 1)];
    g.writers.push_back(t - 1);
    g.channels = writer.shape.out_channels;
    if (!writer.depthwise()) groups[ties.root(writer.input)].readers.push_back(t - 1);
  }
  if (!network.layers.empty()) groups[ties.root(0)].channels = network.layers[0].shape.in_channels;
  std::vector<ChannelGroup> list;
  for (auto& [root, group] : groups) list.push_back(std::move(group));
  return list;
}

void permute_group(const Network& network, const ChannelGroup& group, const ColumnOrder& order,
                   std::vector<LayerWeights>& weights) {
  check_sizes(network, weights);
  if (std::int64_t(order.size()) != group.channels)
    fail("{}: an order of {} for {} channels", network.name, order.size(), group.channels);
  for (const int l : group.writers) {
    LayerWeights& w = weights[std::size_t(l)];
    w.weight = reordered(w.weight, order, std::size_t(columns_of(network.layers[std::size_t(l)])));
    for (auto& values : w.per_channel)
      if (!values.empty()) values = reordered(values, order, 1);
  }
  for (const int l : group.readers) {
    LayerWeights& w = weights[std::size_t(l)];
    w.weight = reordered(w.weight, order, 1);
  }
}

std::vector<GroupPermutation> permute_network(const Network& network, const std::vector<isa::Sparsity>& forms,
                                              std::vector<LayerWeights>& weights,
                                              const PermutationSettings& settings) {
  check_sizes(network, weights);
  if (forms.size() != network.layers.size())
    fail("{}: forms of {} layers for {}", network.name, forms.size(), network.layers.size());
  std::vector<GroupPermutation> result;
  for (const ChannelGroup& group : channel_groups(network)) {
    const SparseReaders readers(group, forms, weights);
    if (group.fixed || readers.by_form.empty()) continue;
    PermutationSettings own = settings;
    own.form = readers.largest;
    Permutation found =
        search_permutation(stacked(readers.by_form.at(own.form), group.channels, weights), own);
    ColumnOrder identity = found.order;
    std::sort(identity.begin(), identity.end());
    if (kept_by_all(readers.by_form, group, weights, found.order) <=
        kept_by_all(readers.by_form, group, weights, identity)) {
      found.order = identity;
      found.kept_after = found.kept_before;
    }
    permute_group(network, group, found.order, weights);
    result.push_back({group, own.form, std::move(found)});
  }
  return result;
}

}  // namespace twofour::nas
