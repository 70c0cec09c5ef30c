#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/command.h"
#include "twofour/isa/error.h"
#include "twofour/nas/train/pipeline.h"

DEFINE_bool(json, false, "print the result as JSON");
DEFINE_bool(quick, false, "a small network on few, pooled images: minutes instead of a quarter of an hour");
DEFINE_string(out, "",
              "work directory: checkpoints, report.html, result.json (default twofour-demo, or "
              "twofour-demo-quick with --quick)");
DEFINE_string(data, twofour::nas::fashion_mnist_directory, "folder of the four Fashion-MNIST .gz files");
DEFINE_string(machine, "a100-sxm4-80gb", "machine: a built-in name or the path of a .toml file");
DEFINE_int32(batch, 1024, "images per inference, for the latencies");
DEFINE_double(budget, 0.75, "latency budget, as a multiple of the uniform sparse int8 network's");
DEFINE_uint64(seed, 1, "seed of the weights, the order of the images and their changes");
DEFINE_int32(threads, 0, "threads of the training; 0: all cores");

namespace {

using namespace twofour;

nas::DemoSettings settings_from_flags() {
  if (FLAGS_batch < 1 || FLAGS_batch > 65536) fail("--batch is {}; use 1 to 65536", FLAGS_batch);
  if (!(FLAGS_budget > 0 && FLAGS_budget < 100))
    fail("--budget is {}; use a multiple above 0, such as 0.75", FLAGS_budget);
  if (FLAGS_threads < 0 || FLAGS_threads > 1024) fail("--threads is {}; use 0 to 1024", FLAGS_threads);
  if (FLAGS_out.empty()) FLAGS_out = FLAGS_quick ? "twofour-demo-quick" : "twofour-demo";
  return {FLAGS_quick, FLAGS_out,    FLAGS_data, FLAGS_machine,
          FLAGS_batch, FLAGS_budget, FLAGS_seed, FLAGS_threads};
}

int demo(std::span<const std::string>) {
  const nas::DemoReport report = nas::run_demo(settings_from_flags());
  fmt::print(stderr, "wrote {0}/report.html and {0}/result.json\n", FLAGS_out);
  fmt::print("{}", FLAGS_json ? nas::to_json(report) : nas::to_text(report));
  const nas::OutputCheck& check = *report.check;
  if (!FLAGS_json)
    fmt::print("{} outputs compared on {} test images, {} differ.\n", check.compared, check.images,
               check.differing);
  return check.differing == 0 ? cli::exit_ok : cli::exit_verdict;
}

int train(std::span<const std::string>) {
  const nas::DemoSettings settings = settings_from_flags();
  const nas::DemoScale scale = nas::demo_scale(settings);
  const nas::DemoData data = nas::demo_data(settings, scale);
  nas::Trainer trainer = nas::demo_trainer(settings, scale, data);
  const auto history = trainer.train();
  const nas::Score score = trainer.evaluate(data.test);
  fmt::print("{:.2f} % of {} test images right after {} epochs in fp32; weights in {}/dense.ckpt\n",
             100 * score.accuracy(), score.images, history.size(), settings.out);
  return cli::exit_ok;
}

constexpr std::string_view interruption =
    "Ctrl-C saves and exits with status 2; the same command goes on from there.\n"
    "Exit status: 0 done, 1 an emulated output differs from the reference, 2 input refused or interrupted.";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<cli::Command> commands{
      {"demo",
       "",
       "train, search, fine-tune, deploy on the emulator, check every output, report",
       interruption,
       {"quick", "out", "data", "machine", "batch", "budget", "seed", "threads", "json"},
       0,
       0,
       demo},
      {"train",
       "",
       "the demo's first stage alone: train its network in fp32",
       interruption,
       {"quick", "out", "data", "seed", "threads"},
       0,
       0,
       train}};
  return cli::run_program("twofour-nas",
                          "twofour-nas: trains networks and searches their sparsity and precision", commands,
                          argc, argv);
}
