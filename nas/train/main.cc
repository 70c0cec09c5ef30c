#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>

#include "twofour/cli/command.h"
#include "twofour/isa/error.h"
#include "twofour/nas/train/commands.h"

namespace {

using namespace twofour;

constexpr std::string_view interruption =
    "Ctrl-C saves and exits with status 2; the same command goes on from there, also after kill -9.\n"
    "Under mpirun the ranks share the measurements of a search; the answer stays the same.\n"
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
       nas::run_demo_command},
      {"search",
       "",
       "one search: a space, an engine, a budget; the network is fine-tuned, deployed, checked and exported",
       interruption,
       {"space", "engine", "budget", "evaluations", "network", "data", "weights", "machine", "batch", "seed",
        "threads", "masks", "steps", "teacher", "quick", "out", "json"},
       0,
       0,
       nas::run_search_command},
      {"compare",
       "",
       "every engine on every space at every budget and seed, against uniform networks; one report",
       interruption,
       {"spaces", "engines", "budgets", "baselines", "evaluations", "network", "data", "weights", "machine",
        "batch", "seeds", "threads", "masks", "steps", "teacher", "quick", "out", "json"},
       0,
       0,
       nas::run_compare_command},
      {"compress",
       "",
       "prune and quantise a trained network without retraining: permutation, OBS, new batch statistics",
       interruption,
       {"option", "network", "data", "weights", "seed", "threads", "quick", "out", "json"},
       0,
       0,
       nas::run_compress_command},
      {"space",
       "[FILE]",
       "print a built-in search space to edit, or check a file and say what it holds",
       "Example: twofour-nas space --kind asps > my.toml\n"
       "Exit status: 0 done, 2 the file was refused.",
       {"kind", "network", "data", "json"},
       0,
       1,
       nas::run_space_command},
      {"train",
       "",
       "train a network in fp32, or with --option a compressed one from scratch",
       "--option: every layer that may takes it, from random weights on; --distil joint trains an fp32 "
       "teacher along\n"
       "(Apprentice, scheme A), --distil fixed first trains the teacher (scheme B).\n"
       "Ctrl-C saves and exits with status 2; the same command goes on from there.",
       {"option", "distil", "masks", "steps", "network", "data", "weights", "seed", "threads", "quick",
        "out"},
       0,
       0,
       nas::run_train_command}};
  return cli::run_program("twofour-nas",
                          "twofour-nas: trains networks and searches their sparsity, precision and sizes",
                          commands, argc, argv);
}
