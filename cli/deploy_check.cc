#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <random>

#include "twofour/cli/commands.h"
#include "twofour/cli/deploy_print.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/export_json.h"

DECLARE_int64(batch);
DEFINE_int64(images, 4, "random images to run");
DEFINE_string(input, "", "images instead: .npy of int32 stream words, one image a row in the order H, W, C");
DEFINE_bool(kernels, false, "run layers as emulated kernels, warp instruction by warp instruction");
DEFINE_bool(accumulators, false, "compare accumulators of kernels that store outputs, too: they run twice");
DEFINE_bool(simulate, false, "time the kernels cycle by cycle, too");

namespace twofour::cli {
namespace {

struct Images {
  std::vector<std::int32_t> words;
  int count = 0;
};

/// Pixels from 0 to 1.
Images random_images(const emu::ConvShape& s) {
  if (FLAGS_images < 1 || FLAGS_images > 100000)
    fail("deploy check: --images is {}; it must be 1 to 100000", FLAGS_images);
  std::mt19937_64 random{std::uint64_t(FLAGS_seed)};
  Images images{std::vector<std::int32_t>(std::size_t(FLAGS_images * s.height * s.width * s.in_channels)),
                int(FLAGS_images)};
  for (std::int32_t& word : images.words) word = std::int32_t(random() >> 48);
  return images;
}

Images read_images(const emu::ConvShape& s) {
  if (flag_given("images")) fail("deploy check: give either --images or --input");
  const emu::PackedMatrix m = emu::read_npy(FLAGS_input, isa::ElementType::s32);
  const std::int64_t words = s.height * s.width * s.in_channels;
  if (m.rows() < 1 || m.cols() != words)
    fail("{}: {} x {} words; the network takes rows of {} x {} x {} = {}", FLAGS_input, m.rows(), m.cols(),
         s.height, s.width, s.in_channels, words);
  const auto* first = m.row_as<std::int32_t>(0);
  return {{first, first + m.rows() * words}, int(m.rows())};
}

void write_scores(const nas::LayerResult& last, int images) {
  const std::int64_t columns = std::ssize(last.output) / images;
  emu::PackedMatrix m(isa::ElementType::s32, images, columns);
  std::copy(last.output.begin(), last.output.end(), m.row_as<std::int32_t>(0));
  emu::write_npy(FLAGS_output, m);
}

int check_kernels(const nas::DeployedNetwork& net, const Images& images) {
  if (FLAGS_batch < 1 || FLAGS_batch > 1 << 20)
    fail("deploy check: --batch is {}; it must be 1 to 2^20", FLAGS_batch);
  const isa::Machine machine = isa::load_machine(FLAGS_machine);
  nas::KernelNetwork kernels = nas::lower(net, FLAGS_batch, machine);
  if (FLAGS_simulate) nas::simulate_layers(kernels, net, machine);
  const nas::KernelCheck check =
      nas::run_kernels(net, kernels, images.words, images.count, FLAGS_accumulators);
  if (!FLAGS_output.empty()) write_scores(check.results.back(), images.count);
  if (FLAGS_json)
    print_json("deploy check", kernel_check_json(net, kernels, check, images.count));
  else
    fmt::print("{}", kernel_check_text(net, kernels, check, images.count));
  return check.differing() == 0 ? exit_ok : exit_verdict;
}

int check_fast(const nas::DeployedNetwork& net, const Images& images) {
  for (const char* flag : {"accumulators", "simulate", "batch", "machine"})
    if (flag_given(flag)) fail("deploy check: --{} is for --kernels", flag);
  const auto emulated = nas::run_emulated(net, images.words, images.count);
  const nas::Comparison c = nas::compare(emulated, nas::run_reference(net, images.words, images.count));
  if (!FLAGS_output.empty()) write_scores(emulated.back(), images.count);
  if (FLAGS_json)
    print_json("deploy check", fast_check_json(net, c, images.count));
  else
    fmt::print("{}", fast_check_text(net, c, images.count));
  return c.differing == 0 ? exit_ok : exit_verdict;
}

int run(std::span<const std::string> words) {
  const nas::DeployedNetwork net = nas::read_deployed(words[0]);
  const emu::ConvShape& first = net.network.layers[0].shape;
  const Images images = FLAGS_input.empty() ? random_images(first) : read_images(first);
  return FLAGS_kernels ? check_kernels(net, images) : check_fast(net, images);
}

}  // namespace

Command deploy_check_command() {
  return {
      "deploy check",
      "NETWORK.json",
      "run a deployed network on emulated Tensor Cores and compare every word with an independent "
      "computation",
      "Without --kernels each layer is one emulated convolution. With --kernels each is the kernel that the\n"
      "latency model chooses at --batch on --machine, executed warp instruction by warp instruction: about "
      "a\n"
      "billion multiply-adds a second of processor time, fewer where tiles are mostly empty. Layers that\n"
      "emulated kernels cannot compute say why.\n"
      "--output writes the scores, int32 stream words (value times 65536), as .npy.\n"
      "Examples: twofour deploy check network.json --images 100\n"
      "          twofour deploy check network.json --images 2 --kernels --batch 1024 --simulate\n"
      "Exit status: 0 done, 1 words differ, 2 the input was refused.",
      {"images", "input", "kernels", "accumulators", "simulate", "batch", "machine", "seed", "output",
       "json"},
      1,
      1,
      run};
}

}  // namespace twofour::cli
