#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/command.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/commands.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/study_settings.h"

DEFINE_string(option, "",
              "what every layer takes where it is legal, int8 elsewhere (compress: int8-2:4 if not given)");
DEFINE_string(distil, "none", "none, joint (a teacher learns along) or fixed (a trained teacher)");

namespace twofour::nas {
namespace {

Distillation distillation_of_flag() {
  if (FLAGS_distil == "none") return Distillation::none;
  if (FLAGS_option.empty()) fail("--distil needs a student: give --option, such as --option=int4");
  if (FLAGS_distil == "joint") return Distillation::joint;
  if (FLAGS_distil == "fixed") return Distillation::fixed;
  fail("--distil is '{}'; use none, joint or fixed", FLAGS_distil);
}

/// From random weights on, with the plan of the fp32 network.
void train_compressed(const StudySettings& settings, const StudyData& data, const Network& network,
                      Distillation distillation) {
  const std::uint64_t seed = settings.seeds[0];
  Trainer teacher = study_trainer(settings, data, network, seed);
  if (distillation == Distillation::fixed) teacher.train();
  const Recipe recipe = study_scale(settings, seed).recipe;
  TrainPlan plan = recipe.dense;
  plan.masks = settings.masks;
  plan.distillation = distillation;
  const auto options = uniform_options(network, parse_option(FLAGS_option), Option::int8);
  Engine student(model_spec(network), seed, settings.threads);
  student.calibrate(slice(data.train, 0, std::min(data.train.count, recipe.calibration_images)));
  student.set_quantisers(quantisers(options, settings.steps));
  const Fingerprint key{{"network", describe(network)},
                        {"data", data.description},
                        {"plan", describe(plan)},
                        {"option", FLAGS_option},
                        {"steps", fmt::to_string(int(settings.steps))}};
  const std::string checkpoint =
      fmt::format("{}/seed-{}/scratch-{}.ckpt", settings.out, seed, short_name(key));
  const auto history = student.train(plan, data.train, data.heldout, checkpoint, key, FLAGS_option,
                                     distillation == Distillation::none ? nullptr : &teacher.engine());
  const Score score = student.evaluate(data.test);
  fmt::print("{:.2f} % of {} test images right after {} epochs with {}, distillation {}; weights in {}\n",
             100 * score.accuracy(), score.images, history.size(), FLAGS_option, FLAGS_distil, checkpoint);
}

}  // namespace

int run_train_command(std::span<const std::string>) {
  const InterruptGuard guard;
  const Distillation distillation = distillation_of_flag();
  const StudySettings settings = settings_from_flags("train");
  const StudyData data = study_data(settings);
  const Network network = study_network(settings, data);
  if (!FLAGS_option.empty()) {
    train_compressed(settings, data, network, distillation);
    return cli::exit_ok;
  }
  Trainer trainer = study_trainer(settings, data, network, settings.seeds[0]);
  const auto history = trainer.train();
  const Score score = trainer.evaluate(data.test);
  fmt::print("{:.2f} % of {} test images right after {} epochs in fp32; weights in {}\n",
             100 * score.accuracy(), score.images, history.size(), trainer.dense_checkpoint());
  return cli::exit_ok;
}

}  // namespace twofour::nas
