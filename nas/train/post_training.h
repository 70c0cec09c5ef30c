#pragma once
#include <string>
#include <vector>

#include "twofour/nas/compress/permute_network.h"
#include "twofour/nas/train/engine.h"

/// From a trained network to a pruned and rounded one without training: minutes at most, on some hundred
/// images without labels.
namespace twofour::nas {

struct PostTrainingSettings {
  bool permutation = true;  ///< channels are permuted before sparse layers are pruned
  bool obs = true;     ///< pruning and rounding with compensation; else by magnitude and to the nearest code
  bool retune = true;  ///< batch normalisations take the statistics of the compressed layers
  PermutationSettings search = {};  ///< of permutation; form and stop are not used
  double damping = 0.01;            ///< of obs
};

/// Mean squared error of a layer's sums over the calibration images, as a part of the mean square of the sums
/// (around their means: a shift is free).
struct LayerError {
  std::string name;
  double plain = 0;  ///< magnitude pruning and rounding to the nearest
  double final = 0;  ///< as the layer was left
};

struct PostTrainingResult {
  std::vector<GroupPermutation> permutations;
  std::vector<LayerError> layers;  ///< those that obs changed
  double seconds = 0;
};

/// The engine must hold the fp32 weights of the network. Channels are permuted; then, from the first layer to
/// the last, each reading what its compressed predecessors write: input step by least square error, pruning
/// and rounding, batch normalisation. Afterwards the engine computes with these options (evaluate,
/// export_layer); do not call set_quantisers on it, which chooses the steps anew. Depthwise layers are
/// rounded without compensation. Progress on stderr. A signal throws Interrupted; that and an Error leave the
/// weights as they were.
PostTrainingResult post_training(Engine& engine, const Network& network, const std::vector<Option>& options,
                                 const Dataset& calibration, const PostTrainingSettings& settings = {});

}  // namespace twofour::nas
