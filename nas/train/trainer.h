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
  StepRule steps = StepRule::learned;
  bool distil = false;  ///< fine-tuning learns from the fp32 network, too: scheme C of Apprentice
};

/// Weights to start from in place of random ones.
struct StartWeights {
  const Engine* weights = nullptr;
  std::string name;     ///< what they depend on, for fingerprints
  bool shared = false;  ///< by networks of several sizes (Engine::train_shared): this one takes its part, and
                        ///< new statistics for its batch normalisations
};

/// Trains one network and its quantised forms. Work is kept in a directory as checkpoints: dense.ckpt, and
/// one finetune-*.ckpt for each assignment of options; a run that was broken off goes on where it stopped,
/// one that is done is not repeated.
class Trainer {
 public:
  /// The directory must exist. `train` is what weights are fitted to; `heldout`, disjoint from it, is what
  /// accuracy during training and sensitivities are measured on.
  Trainer(Network network, Recipe recipe, Dataset train, Dataset heldout, std::string directory);
  /// The same, but training starts from given weights.
  Trainer(Network network, Recipe recipe, Dataset train, Dataset heldout, std::string directory,
          const StartWeights& start);

  /// The network in fp32. Errors as Engine::train.
  std::vector<EpochRecord> train();

  /// From the fp32 network to one whose layers take these options, trained for a short time. train() must be
  /// done.
  std::vector<EpochRecord> fine_tune(const std::vector<Option>& options);

  /// Where train() keeps its weights.
  std::string dense_checkpoint() const { return directory_ + "/dense.ckpt"; }
  /// The network as it stands after the last train() or fine_tune().
  Score evaluate(const Dataset& images) { return engine_->evaluate(images); }
  /// It must have been fine-tuned.
  DeployedNetwork export_network();
  Engine& engine() { return *engine_; }

  /// What the present weights depend on: names caches of whoever works with the network.
  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  Fingerprint dense_fingerprint() const;
  void load_dense();
  Dataset calibration_images() const;
  Engine& teacher();

  Network network_;
  Recipe recipe_;
  Dataset train_, heldout_;
  std::string directory_;
  std::string start_ = "random weights";
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Engine> teacher_;  ///< the fp32 network, once it was needed
  std::vector<Option> options_;
  Fingerprint fingerprint_;
};

Quantiser quantiser(Option option);
std::vector<Quantiser> quantisers(const std::vector<Option>& options, StepRule steps);
/// Name and every size of a network in one line.
std::string describe(const Network& network);
/// Every field of a plan in one line.
std::string describe(const TrainPlan& plan);
ModelSpec model_spec(const Network& network);
/// CRC-32 of the fingerprint in hexadecimal, for file names.
std::string short_name(const Fingerprint& fingerprint);

/// One layer's weights and scales as integers; options other than fp16 and fp32 keep their codes exactly.
DeployedLayer deploy_layer(const Layer& layer, Option option, const LayerExport& exported);

/// Images as stream words, pixel / 255 rounded to the nearest word.
std::vector<std::int32_t> stream_words(const Dataset& images);

}  // namespace twofour::nas
