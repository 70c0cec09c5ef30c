#include <fmt/format.h>
#include <gflags/gflags.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "twofour/cli/command.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/commands.h"
#include "twofour/nas/train/deployment_check.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/post_training.h"
#include "twofour/nas/train/study_settings.h"

DECLARE_string(option);
DECLARE_bool(json);

namespace twofour::nas {
namespace {

std::string option_of_flag() {
  return FLAGS_option.empty() ? "int8-2:4" : FLAGS_option;
}

struct Outcome {
  std::string option;
  Score full, rounded, compressed;  ///< test images: fp32; magnitude and rounding alone; post_training()
  double seconds = 0;
  OutputCheck check;
};

DeployedNetwork deployed(const Network& network, const std::vector<Option>& options, Engine& engine) {
  DeployedNetwork out{network, {}};
  for (std::size_t i = 0; i < options.size(); ++i)
    out.layers.push_back(deploy_layer(network.layers[i], options[i], engine.export_layer(int(i))));
  return out;
}

Outcome compress(const StudySettings& settings) {
  const InterruptGuard guard;
  const StudyData data = study_data(settings);
  const Network network = study_network(settings, data);
  const StudyScale scale = study_scale(settings, settings.seeds[0]);
  Trainer trainer = study_trainer(settings, data, network, settings.seeds[0]);
  trainer.train();
  Engine& engine = trainer.engine();
  const auto options = uniform_options(network, parse_option(option_of_flag()), Option::int8);
  const Dataset calibration =
      slice(data.train, 0, std::min(data.train.count, scale.recipe.calibration_images));
  Outcome out;
  out.option = option_of_flag();
  out.full = engine.evaluate(data.test);
  engine.calibrate(calibration);
  engine.set_quantisers(quantisers(options, StepRule::least_square));
  out.rounded = engine.evaluate(data.test);
  const auto fresh = engine.part(model_spec(network));
  const PostTrainingResult result = post_training(*fresh, network, options, calibration);
  out.seconds = result.seconds;
  out.compressed = fresh->evaluate(data.test);
  Fingerprint key = trainer.fingerprint();
  key.emplace_back("post-training", option_of_flag());
  out.check = check_deployment(deployed(network, options, *fresh),
                               slice(data.test, 0, std::min(scale.checked_images, data.test.count)),
                               settings.out + "/compress-check.json", key);
  return out;
}

void print_text(const Outcome& o) {
  fmt::print("fp32                                   {:.2f} %\n", 100 * o.full.accuracy());
  fmt::print("{:<10} magnitude and rounding        {:.2f} %\n", o.option, 100 * o.rounded.accuracy());
  fmt::print("{:<10} permuted, OBS, re-tuned       {:.2f} %  ({:+.2f} points against fp32, {:.1f} s)\n",
             o.option, 100 * o.compressed.accuracy(), 100 * (o.compressed.accuracy() - o.full.accuracy()),
             o.seconds);
  fmt::print("{} outputs compared on {} test images, {} differ.\n", o.check.compared, o.check.images,
             o.check.differing);
}

void print_json(const Outcome& o) {
  const nlohmann::ordered_json document{{"schema_version", 1},
                                        {"option", o.option},
                                        {"test_images", o.full.images},
                                        {"accuracy_fp32", o.full.accuracy()},
                                        {"accuracy_rounded", o.rounded.accuracy()},
                                        {"accuracy_compressed", o.compressed.accuracy()},
                                        {"seconds", o.seconds},
                                        {"outputs_compared", o.check.compared},
                                        {"outputs_differing", o.check.differing}};
  fmt::print("{}\n", document.dump(2));
}

}  // namespace

int run_compress_command(std::span<const std::string>) {
  const Outcome outcome = compress(settings_from_flags("compress"));
  FLAGS_json ? print_json(outcome) : print_text(outcome);
  return outcome.check.differing == 0 ? cli::exit_ok : cli::exit_verdict;
}

}  // namespace twofour::nas
