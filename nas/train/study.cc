#include "twofour/nas/train/study.h"

#include <chrono>
#include <cmath>
#include <ctime>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/study_rows.h"
#include "twofour/nas/train/study_seed.h"
#include "twofour/nas/train/study_space.h"

namespace twofour::nas {
namespace {

std::string now() {
  const std::time_t t = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return text;
}

std::vector<std::string> notes(const StudySettings& settings) {
  std::vector<std::string> notes{
      "Latencies are those of the timing model (docs/accuracy.md says how far to trust it), kernels in a "
      "CUDA "
      "graph; activations are stored at the width of the layer's own type; residual adds, pooling and "
      "changes "
      "of type are taken as free epilogues.",
      "All networks of a seed are fine-tuned by the same plan. Uniform and MSPS networks start from the same "
      "fp32 weights; an ASPS network starts from its part of shared weights, trained in fp32 first.",
      "Accuracies are those of the fake-quantised networks on all test images; the check says the accuracy "
      "of "
      "the deployed integers on its images. Searches and training curves use held-out images of the training "
      "set; test images chose nothing."};
  if (settings.quick)
    notes.emplace_back("--quick: few, pooled images and short training. The accuracies say nothing more.");
  return notes;
}

/// Throws Error if the smallest budget is below what a uniform network of the narrowest options could reach
/// is left to the engines: they know the space.
/// Before anything is trained.
void check_names(const StudySettings& settings) {
  for (const std::string& engine : settings.engines)
    if (engine != "differentiable") make_search_engine(engine);
  for (const std::string& option : settings.baselines) parse_option(option);
}

double baseline_latency(const Network& network, const StudySettings& settings, const isa::Machine& machine) {
  return network_latency(network, uniform_options(network, Option::int8_sparse, Option::int8), settings.batch,
                         machine);
}

}  // namespace

Report run_study(const StudySettings& settings, Ranks& ranks) {
  check_names(settings);
  const InterruptGuard guard;  // a signal between two stages is seen by the next
  const auto start = std::chrono::steady_clock::now();
  const isa::Machine machine = isa::load_machine(settings.machine);
  const StudyData data = study_data(settings);
  const Network backbone = study_network(settings, data);
  Report report;
  report.network = backbone.name;
  report.data_set = data.description;
  report.machine = machine.name;
  report.batch = settings.batch;
  report.seeds = settings.seeds;
  report.command = settings.command;
  report.versions.emplace_back("twofour", TWOFOUR_VERSION);
  report.notes = notes(settings);
  Stages stages(ranks);
  const double baseline_us = baseline_latency(backbone, settings, machine);
  const auto spaces = study_spaces(settings, backbone, machine, baseline_us);
  const StudyContext context{settings, data, machine, backbone, spaces, ranks, stages, report, baseline_us};
  for (const std::uint64_t seed : settings.seeds) {
    StudySeed(context, seed).run();
  }
  stages.wait_for_end();
  if (ranks.rank() != 0) return {};
  report.seconds.emplace_back(
      "this run", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  report.finished = now();
  isa::write_file(settings.out + "/result.json", to_json(report));
  isa::write_file(settings.out + "/report.html", to_html(report));
  return report;
}

}  // namespace twofour::nas
