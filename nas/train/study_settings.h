#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/nas/train/gumbel_search.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

/// A search space of a study.
struct SpaceChoice {
  std::string group;  ///< "MSPS", "ASPS"
  std::string file;   ///< of the space; empty: the built-in space of the group
};

/// What the user chooses. One seed, one space, one engine and one budget make a search; more of each a study.
struct StudySettings {
  std::string command;  ///< that runs it again, for the report
  bool quick = false;   ///< few, pooled images and short training: minutes, every stage
  std::string network = "resnet8-w64-s2";
  std::string data = "fashion-mnist";
  std::string weights;  ///< checkpoint or ONNX file to start from in place of training; may be empty
  std::string machine = "a100-sxm4-80gb";  ///< built-in name or file
  std::string out;                         ///< work directory
  int batch = 1024;                        ///< images per inference, for the latencies
  std::vector<std::uint64_t> seeds{1};
  std::vector<SpaceChoice> spaces{{"MSPS", ""}};
  std::vector<std::string> engines{"exact"};
  std::vector<double> budgets{0.75};  ///< latency over that of the uniform sparse int8 network
  std::vector<std::string> baselines{"fp16", "int8", "int8-2:4", "int4"};  ///< uniform options
  int evaluations = 96;                                                    ///< measurements of a search
  int threads = 0;                                                         ///< 0: all cores
  MaskRule masks = MaskRule::sr_ste;                                       ///< of fine-tuning
  StepRule steps = StepRule::learned;
  bool teacher = false;  ///< the fp32 network teaches (Apprentice, scheme C)
};

/// How much is done; what --quick changes.
struct StudyScale {
  bool pooled = false;
  int train_images = 0;  ///< 0: all but the held-out ones
  int heldout_images = 5000, test_images = 10000;
  int measured_images = 2000;  ///< held-out images that searches measure on
  int checked_images = 500;    ///< test images that run on the emulator and the reference, for each network
  Recipe recipe;               ///< of the backbone
  TrainPlan shared, part;      ///< of weights that networks of several sizes share, and of a part of them
  GumbelPlan search;           ///< of the differentiable engine
  int search_images = 20000;   ///< training images that it uses: four fifths for weights, one for the choice
};
StudyScale study_scale(const StudySettings& settings, std::uint64_t seed);

struct StudyData {
  Dataset train, heldout, test;
  std::string description;
};
/// Held-out images are the last ones of the training set.
StudyData study_data(const StudySettings& settings);

/// The backbone for those images.
Network study_network(const StudySettings& settings, const StudyData& data);
/// Trains the backbone in OUT/seed-N, which is made; with settings.weights it has those and trains nothing.
Trainer study_trainer(const StudySettings& settings, const StudyData& data, const Network& network,
                      std::uint64_t seed);
/// A folder that is there when this returns; throws Error that names it.
std::string made_folder(const std::string& path);

/// The flags that every command with a network has. Without --out the work directory is twofour-COMMAND, with
/// -quick behind it for --quick.
StudySettings settings_from_flags(const char* command);

}  // namespace twofour::nas
