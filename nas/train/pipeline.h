#pragma once
#include <cstdint>
#include <string>

#include "twofour/nas/report/report.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

/// What the user chooses.
struct DemoSettings {
  bool quick = false;                ///< small network, images pooled to 14x14, a tenth of them
  std::string out = "twofour-demo";  ///< work directory: checkpoints, caches, report.html, result.json
  std::string data = fashion_mnist_directory;
  std::string machine = "a100-sxm4-80gb";  ///< built-in name or file
  int batch = 1024;                        ///< images per inference, for the latencies
  double budget = 0.75;                    ///< latency budget over that of the uniform sparse int8 network
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores
};

/// Everything that --quick changes.
struct DemoScale {
  int blocks, width, stem_stride;
  bool pooled;
  int train_images, heldout_images, test_images;
  int sensitivity_images;  ///< of the held-out ones
  int checked_images;      ///< test images that run on the emulator and the reference
  Recipe recipe;
  std::vector<double> more_budgets;  ///< further solutions that are fine-tuned and tested, over the budget
};
DemoScale demo_scale(const DemoSettings& settings);

struct DemoData {
  Dataset train, heldout, test;
};
/// Fashion-MNIST at that scale; held-out images are the last ones of the training file.
DemoData demo_data(const DemoSettings& settings, const DemoScale& scale);
Trainer demo_trainer(const DemoSettings& settings, const DemoScale& scale, const DemoData& data);

/// Train, measure sensitivities, search, fine-tune, deploy, check, compare. Every finished stage is kept in
/// settings.out, so that a run that was broken off goes on. Writes report.html and result.json there. Throws
/// Error and Interrupted.
DemoReport run_demo(const DemoSettings& settings);

}  // namespace twofour::nas
