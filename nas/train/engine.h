#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "twofour/nas/graph/layer_kinds.h"
#include "twofour/nas/search/fingerprint.h"
#include "twofour/nas/train/dataset.h"
#include "twofour/nas/train/quantise.h"

/// The libtorch side of nas/train behind plain C++17 types: libtorch's headers do not compile as C++20 with
/// clang 14, and the headers of emu/ need C++20. trainer.h is the interface for everybody else.
namespace twofour::nas {

/// One convolution of the network that is trained; fields as in nas::Layer. All kernels are square.
struct LayerSpec {
  std::string name;
  int in_channels, out_channels, kernel, stride, pad;
  int input, residual;
  Activation activation;
  Pool pool;
  int groups = 1;
  Pool residual_pool{};
};

/// Layers in the order they run. Every layer has a batch normalisation, except the last, which has a bias.
struct ModelSpec {
  std::string name;
  int height, width;  ///< of the images
  std::vector<LayerSpec> layers;
};

/// Who teaches a network while it is trained: Apprentice (Mishra and Marr, ICLR 2018, arXiv 1711.05852). The
/// loss is alpha * H(y, p_T) + beta * H(y, p_A) + gamma * H(z_T, p_A) with their 1, 0.5, 0.5
/// (nas/train/distillation.h).
///  - joint: their scheme A. The teacher is trained along from where it stands, at its own precision.
///  - fixed: a trained teacher that stays as it is. Scheme B if the student begins with random weights,
///  scheme C if it
///    begins with weights trained at full precision.
enum class Distillation : std::uint8_t { none, joint, fixed };

/// Stochastic gradient descent with Nesterov momentum 0.9 and a learning rate that rises linearly and falls
/// by a cosine.
struct TrainPlan {
  int epochs = 1;            ///< 0: the weights stay as they are
  int images_per_epoch = 0;  ///< 0: all; else the first of each epoch's order
  int batch = 128;
  double peak_rate = 0.1;
  double warmup = 0.15;  ///< fraction of all steps
  double weight_decay = 5e-4;
  double label_smoothing = 0.05;
  bool flip = true;  ///< mirror half of the images
  int shift = 1;     ///< move by up to this many pixels
  std::uint64_t seed = 1;
  MaskRule masks = MaskRule::sr_ste;  ///< of sparse layers
  Distillation distillation = Distillation::none;
};

struct EpochRecord {
  int epoch = 0;  ///< from 1
  double loss = 0;
  double heldout_accuracy = 0;  ///< 0..1
  double seconds = 0;
};

struct Score {
  int images = 0, correct = 0;
  double loss = 0;  ///< mean cross entropy
  double accuracy() const { return images == 0 ? 0 : double(correct) / images; }
};

/// Everything that deployment needs of a layer. Real-valued meaning: y_c = gain_c * sum(w * x) + offset_c,
/// with w = code * weight_step_c (integers) or the half itself, and x = activation code * input_step
/// (integers).
struct LayerExport {
  Quantiser quantiser;
  std::vector<std::int8_t> codes;     ///< integers: Cout x K, K in the order r, s, c
  std::vector<std::uint16_t> halves;  ///< f16 bits, the same order
  std::vector<double> weight_step;    ///< one per output channel; integers
  double input_step = 0;              ///< integers
  std::vector<double> gain, offset;   ///< one per output channel: the folded batch normalisation
};

/// A layer's own numbers, one a channel but for the weights: y = gamma (conv - mean) / sqrt(variance +
/// epsilon) + beta.
struct LayerParameters {
  static constexpr double epsilon = 1e-5;
  std::vector<float> weight;                       ///< Cout x K, K in the order r, s, c
  std::vector<float> gamma, beta, mean, variance;  ///< of the last layer only beta, its bias
  std::vector<float> weight_step = {};
};

class Engine {
 public:
  /// Random weights from the seed. `threads` 0: all cores.
  Engine(ModelSpec spec, std::uint64_t seed, int threads = 0);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Runs the images through the network at full precision and keeps samples of what each layer reads.
  void calibrate(const Dataset& images);
  /// How each layer rounds from now on; steps of least square error for the present weights and the
  /// calibration images. calibrate() must have run unless all are f32.
  void set_quantisers(const std::vector<Quantiser>& quantisers);
  /// From now on steps that were computed once are used again: for engines whose weights and calibration stay
  /// as they are while quantisers change.
  void keep_steps();

  /// Trains until the plan is done, from the checkpoint if there is one (same bits as without the break), and
  /// saves it at each epoch's end and at least every 30 s. `label` begins the lines of progress. A signal
  /// saves and throws Interrupted. A loss that is not finite throws Error and leaves the last checkpoint.
  /// Throws Error for a checkpoint of another fingerprint.
  /// `teacher` where the plan asks for distillation, else null: it gives its scores on the same, changed
  /// images. A joint teacher's weights change and lie in the checkpoint, too; of a fixed one the checkpoint's
  /// fingerprint has the field "teacher", its checksum().
  std::vector<EpochRecord> train(const TrainPlan& plan, const Dataset& images, const Dataset& heldout,
                                 const std::string& checkpoint, const Fingerprint& fingerprint,
                                 const std::string& label, Engine* teacher = nullptr);
  /// Trains weights that networks of several sizes share: step s trains the part (see part()) that
  /// `part_of_step(s)` says; `evaluate` gives the score of an epoch's end. Everything else as train().
  std::vector<EpochRecord> train_shared(const TrainPlan& plan, const Dataset& images,
                                        const std::function<Score()>& evaluate, const std::string& checkpoint,
                                        const Fingerprint& fingerprint, const std::string& label,
                                        const std::function<ModelSpec(std::int64_t)>& part_of_step);
  /// A network of the same wiring whose layers are cut out of this one's: the first channels, the centre of
  /// kernels. Tensors are copies; batch normalisation needs new statistics (retune_batch_norm). Throws Error
  /// that names the layer for a network that is no part.
  std::unique_ptr<Engine> part(const ModelSpec& spec) const;
  /// Takes the weights of a checkpoint, quantisation steps left out. Throws Error as train() does.
  void load_weights(const std::string& checkpoint, const Fingerprint& fingerprint);
  /// Takes weights, batch normalisations and bias of a checkpoint of the same network, whatever run it is of;
  /// quantisation steps are left out. Throws Error that names the first tensor which is missing there or has
  /// another shape; nothing is changed then.
  void import_checkpoint(const std::string& checkpoint);

  /// Replaces the running statistics of all batch normalisations by those of these images (2 or more) at the
  /// present weights and quantisers, which stay: the mean of the batches' means and variances, in batches of
  /// at most 500 images of nearly equal size. For networks that were compressed without training.
  void retune_batch_norm(const Dataset& images);

  Score evaluate(const Dataset& images);

  LayerExport export_layer(int layer);
  /// Activation codes that each layer reads (integer layers; empty for the others), images x height x width x
  /// channels; after the pool for a layer that pools.
  std::vector<std::vector<float>> input_codes(const Dataset& images);
  /// All parameters and running statistics, one after the other.
  std::vector<float> state() const;
  /// CRC-32 of state() in hexadecimal.
  std::string checksum() const;

  LayerParameters layer_parameters(int layer) const;
  /// Empty vectors are left as they are. Throws Error for another length.
  void set_layer_parameters(int layer, const LayerParameters& parameters);

 private:
  void check_teacher(const TrainPlan& plan, const Engine* teacher) const;

  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  friend struct EngineAccess;  ///< engine_impl.h
};

}  // namespace twofour::nas
