#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "twofour/nas/graph/network.h"

namespace twofour::nas {

enum class DecisionKind : std::uint8_t {
  option,  ///< matrix type and precision of layers
  kernel,  ///< side of their square kernels; padding is kernel / 2
  width    ///< channels of the tensors that they write
};

/// One thing that a search decides, for all its layers alike.
struct Decision {
  DecisionKind kind = DecisionKind::option;
  std::string name;             ///< "stage1.block1.conv1 option", "stage1 width"
  std::vector<int> layers;      ///< option and kernel: tied layers; width: layers that write such a tensor
  std::vector<Option> options;  ///< of kind option
  std::vector<int> sizes;       ///< of kind kernel: sides; of kind width: channels; rising

  int count() const { return int(kind == DecisionKind::option ? options.size() : sizes.size()); }
};

/// What a search chooses from. Every layer is in exactly one option decision, in at most one kernel and in at
/// most one width decision; where it is in none, the backbone's size holds. All combinations are legal.
struct Space {
  std::string name;
  Network backbone;
  std::vector<Decision> decisions;
};

/// By decision: the index of what it takes.
using Candidate = std::vector<int>;

/// A network with an option for every layer.
struct Architecture {
  Network network;
  std::vector<Option> options;
};

/// The decisions that form one layer, by index, or -1 where there is none. A depthwise layer, and one whose
/// residual is its own input, has the same decision on both sides.
struct LayerDecisions {
  int option = -1, kernel = -1, in_width = -1, out_width = -1;
};
std::vector<LayerDecisions> layer_decisions(const Space& space);

/// A layer of a candidate's network and its option.
struct FormedLayer {
  Layer layer;
  Option option{};
};
/// `at`: the layer's decisions; choices of other decisions are not looked at, nothing is checked.
FormedLayer formed_layer(const Space& space, const LayerDecisions& at, const Candidate& candidate, int layer);

/// Throws Error, naming the decision, where the space is not what Space says: a layer in no option decision
/// or in two of a kind, sizes that do not rise, widths of tensors that must be equal in different decisions.
void check_space(const Space& space);
/// Throws Error for a candidate that is not of the space.
void check_candidate(const Space& space, const Candidate& candidate);

/// The network that a candidate stands for. Throws Error as check_candidate.
Architecture architecture(const Space& space, const Candidate& candidate);

/// The widest network of the space, with the largest kernels: what a supernet's weights are made for.
Network largest_network(const Space& space);

/// Backbone sizes (or the nearest there are), and `option` wherever a layer may take it, else `fallback`,
/// else the first that it may take.
Candidate uniform_candidate(const Space& space, Option option, Option fallback);

/// "int8 k3 w64" for one layer.
std::string choice_text(const Space& space, const Candidate& candidate, int layer);
/// A line a layer: its name and choice_text().
std::string space_text(const Space& space, const Candidate& candidate);
/// How many candidates there are, as a real number: it may exceed 2^64.
double candidate_count(const Space& space);

}  // namespace twofour::nas
