#pragma once
#include <string>
#include <vector>

#include "twofour/nas/compress/permutation.h"
#include "twofour/nas/graph/network.h"

/// One channel order for every tensor of a network: producers' output channels and consumers' input channels
/// are permuted together, so that the network computes the same sums in another order.
namespace twofour::nas {

/// What a layer is made of, as far as channels go.
struct LayerWeights {
  std::vector<float> weight;  ///< Cout x K, K in the order r, s, c (of a depthwise layer: r, s)
  /// One value an output channel each: gain, offset, mean and variance of the batch normalisation, steps,
  /// bias; empty ones are left alone.
  std::vector<std::vector<float>> per_channel;
};

/// Tensors whose channels must stand in one order: what residual adds and depthwise layers tie together.
/// Pools and activations keep the order. Layer i writes tensor i + 1.
struct ChannelGroup {
  std::vector<int> tensors;
  std::vector<int> writers;  ///< layers whose output channels follow the order, depthwise ones too
  std::vector<int> readers;  ///< layers whose input channels follow it, without depthwise ones
  std::int64_t channels = 0;
  bool fixed = false;  ///< holds the image or the class scores: must not be permuted
};
/// Every tensor is in one group; by rising first tensor.
std::vector<ChannelGroup> channel_groups(const Network& network);

struct GroupPermutation {
  ChannelGroup group;
  isa::Sparsity form = isa::Sparsity::dense;  ///< what the search maximised
  Permutation permutation;
};

/// Finds an order for every group that is not fixed and has a sparse reader, and permutes the weights in
/// place. forms: by layer, dense where it is not pruned. The objective is the magnitude that all sparse
/// readers keep together; where they differ in form, the form with the most weights, and the order is taken
/// only if all readers, each in its own form, keep more than before. settings.form is not used. Throws Error
/// where sizes do not fit the network.
std::vector<GroupPermutation> permute_network(const Network& network, const std::vector<isa::Sparsity>& forms,
                                              std::vector<LayerWeights>& weights,
                                              const PermutationSettings& settings);

/// The same for one given order: channel i of the group becomes what was channel order[i].
void permute_group(const Network& network, const ChannelGroup& group, const ColumnOrder& order,
                   std::vector<LayerWeights>& weights);

}  // namespace twofour::nas
