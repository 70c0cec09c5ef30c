#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Second moments of the columns of a layer's im2col matrix, K in the order r, s, c.
struct LayerMoments {
  std::int64_t columns = 0;
  std::vector<float> gram;  ///< K x K: mean of x x^T
  std::vector<float> mean;  ///< K
};

/// Goes through the network on calibration images, from the first layer to the last, so that each layer is
/// changed while it reads what its changed predecessors write. The images stay in memory as they stand at
/// each tensor.
class LayerwisePass {
 public:
  LayerwisePass(Engine& engine, const Dataset& images);
  ~LayerwisePass();
  LayerwisePass(const LayerwisePass&) = delete;
  LayerwisePass& operator=(const LayerwisePass&) = delete;

  int layer() const { return layer_; }

  /// How the present layer rounds: its input step is that of least square error for what it reads now, its
  /// weight steps those for its present weights.
  void set_quantiser(Quantiser quantiser);
  /// Of what the layer's instruction sees: rounded activations. Not of depthwise layers.
  LayerMoments input_moments() const;
  /// The batch normalisation takes the statistics of what the layer's rounded weights write for these images;
  /// the last layer, which has none, stays as it is.
  void retune_batch_norm();
  /// Runs the layer and goes on to the next.
  void advance();

 private:
  struct State;
  Engine& engine_;
  int layer_ = 0;
  std::unique_ptr<State> state_;
};

}  // namespace twofour::nas
