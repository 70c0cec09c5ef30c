#pragma once
#include <string>
#include <vector>

#include "twofour/nas/deploy/integer_network.h"
#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// How a network is trained, from scratch and again after its layers were quantised.
struct Recipe {
  TrainPlan dense, fine_tune;
  int calibration_images = 512;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores
};

/// Trains one network and its quantised forms. Work is kept in a directory as checkpoints: dense.ckpt, and
/// one finetune-*.ckpt for each assignment of options; a run that was broken off goes on where it stopped,
/// one that is done is not repeated.
class Trainer {
 public:
  /// The directory must exist. `train` is what weights are fitted to; `heldout`, disjoint from it, is what
  /// accuracy during training and sensitivities are measured on.
  Trainer(Network network, Recipe recipe, Dataset train, Dataset heldout, std::string directory);

  /// The network in fp32. Errors as Engine::train.
  std::vector<EpochRecord> train();

  /// Loss and accuracy on the first `images` held-out images when one layer of the fp32 network takes one
  /// option, calibrated but not trained, and all others stay fp32. train() must be done. The result is kept
  /// in sensitivity.json.
  struct Sensitivity {
    Score full;                             ///< all layers fp32
    std::vector<std::vector<Score>> score;  ///< by layer and option, in the order given
  };
  Sensitivity sensitivity(const std::vector<std::vector<Option>>& options, int images);

  /// From the fp32 network to one whose layers take these options, trained for a short time. train() must be
  /// done.
  std::vector<EpochRecord> fine_tune(const std::vector<Option>& options);

  /// The network as it stands after the last train() or fine_tune().
  Score evaluate(const Dataset& images) { return engine_.evaluate(images); }
  /// It must have been fine-tuned.
  DeployedNetwork export_network();
  Engine& engine() { return engine_; }

  /// What the present weights depend on: names caches of whoever works with the network.
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  Fingerprint dense_fingerprint() const;
  void load_dense();

  Network network_;
  Recipe recipe_;
  Dataset train_, heldout_;
  std::string directory_;
  Engine engine_;
  std::vector<Option> options_;
  Fingerprint fingerprint_;
};

Quantiser quantiser(Option option);
ModelSpec model_spec(const Network& network);
/// CRC-32 of the fingerprint in hexadecimal, for file names.
std::string short_name(const Fingerprint& fingerprint);

/// One layer's weights and scales as integers; options other than fp16 and fp32 keep their codes exactly.
DeployedLayer deploy_layer(const Layer& layer, Option option, const LayerExport& exported);

/// Images as stream words, pixel / 255 rounded to the nearest word.
std::vector<std::int32_t> stream_words(const Dataset& images);

}  // namespace twofour::nas
