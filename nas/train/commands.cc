#include "twofour/nas/train/commands.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <charconv>

#include "twofour/cli/command.h"
#include "twofour/isa/error.h"
#include "twofour/nas/train/study.h"

DEFINE_bool(json, false, "print the result as JSON");
DEFINE_bool(quick, false, "few, pooled images and short training: minutes, every stage");
DEFINE_string(out, "", "work directory: checkpoints, journals, report.html, result.json");
DEFINE_string(network, "resnet8-w64-s2",
              "backbone: resnet8, resnet14, resnet20 (-wN, -s2), resnet18, "
              "resnet50, vgg16, mobilenetv2");
DEFINE_string(data, "fashion-mnist", "fashion-mnist[:FOLDER], cifar10:FOLDER or folder:FOLDER[:SIZE]");
DEFINE_string(weights, "", "checkpoint or ONNX file of the backbone, in place of training it");
DEFINE_string(machine, "a100-sxm4-80gb", "machine: a built-in name or the path of a .toml file");
DEFINE_int32(batch, 1024, "images per inference, for the latencies");
DEFINE_double(budget, 0.75, "latency budget, as a multiple of the uniform sparse int8 network's");
DEFINE_string(budgets, "0.55,0.75", "latency budgets");
DEFINE_uint64(seed, 1, "seed of the weights, the order of the images, their changes and the search");
DEFINE_string(seeds, "1,2,3", "seeds");
DEFINE_string(space, "msps", "msps, asps or a file (twofour-nas space prints one to edit)");
DEFINE_string(spaces, "msps,asps", "spaces: msps, asps or files");
DEFINE_string(engine, "exact", "exact, reweighted, evolution, random or differentiable");
DEFINE_string(engines, "exact,reweighted,evolution,random,differentiable", "engines");
DEFINE_string(baselines, "fp16,int8,int8-2:4,int4", "options of uniform networks");
DEFINE_int32(evaluations, 96, "measurements that an engine may make");
DEFINE_string(masks, "sr-ste", "pruned weights while training: sr-ste, fixed or annealed");
DEFINE_string(steps, "learned", "steps of integers: learned (LSQ), least-square or wrpn");
DEFINE_bool(teacher, false, "the fp32 network teaches the compressed one (Apprentice, scheme C)");
DEFINE_int32(threads, 0, "threads of a process; 0: all cores");

namespace twofour::nas {
namespace {

std::vector<std::string> split(const std::string& text, const char* flag) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end == at) fail("--{} is '{}': an empty entry; separate entries by single commas", flag, text);
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

template <class T>
std::vector<T> numbers(const std::string& text, const char* flag) {
  std::vector<T> list;
  for (const std::string& part : split(text, flag)) {
    T value{};
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size())
      fail("--{}: '{}' is no number; write such as {}", flag, part,
           std::is_integral_v<T> ? "1,2,3" : "0.55,0.75");
    list.push_back(value);
  }
  return list;
}

/// The value of a flag that takes one of a few words.
template <class T>
T one_of(const char* flag, const std::string& text, const std::vector<std::pair<std::string, T>>& values) {
  std::string known;
  for (const auto& [word, value] : values) {
    if (word == text) return value;
    known += (known.empty() ? "" : ", ") + word;
  }
  fail("--{} is '{}'; use one of: {}", flag, text, known);
}

SpaceChoice space_choice(const std::string& text) {
  if (text == "msps") return {"MSPS", ""};
  if (text == "asps") return {"ASPS", ""};
  return {text, text};
}

void check_budgets(const std::vector<double>& budgets, const char* flag) {
  for (const double b : budgets)
    if (!(b > 0 && b < 100)) fail("--{} is {}; use a multiple above 0, such as 0.75", flag, b);
}

int run(const StudySettings& settings) {
  Ranks ranks;
  const Report report = run_study(settings, ranks);
  if (ranks.rank() != 0) return cli::exit_ok;
  fmt::print(stderr, "wrote {0}/report.html and {0}/result.json\n", settings.out);
  fmt::print("{}", FLAGS_json ? to_json(report) : to_text(report));
  std::int64_t compared = 0, differing = 0, images = 0;
  for (const NetworkRow& n : report.networks)
    compared += n.check->compared + n.kernels->compared,
        differing += n.check->differing + n.kernels->differing, images += n.check->images;
  if (!FLAGS_json)
    fmt::print("{} outputs compared on {} images in {} networks, {} differ.\n", compared, images,
               report.networks.size(), differing);
  return differing == 0 ? cli::exit_ok : cli::exit_verdict;
}

/// "--budget=0.9", "--quick"
std::string flag_text(const gflags::CommandLineFlagInfo& flag) {
  if (flag.type == "bool")
    return fmt::format(" --{}{}", flag.name, flag.current_value == "true" ? "" : "=false");
  if (flag.type == "double") return fmt::format(" --{}={}", flag.name, std::stod(flag.current_value));
  return fmt::format(" --{}={}", flag.name, flag.current_value);
}

}  // namespace

/// The program's command with the flags that were given.
std::string command_line(const char* command) {
  std::string text = fmt::format("twofour-nas {}", command);
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  for (const auto& flag : flags)
    if (!flag.is_default && flag.name != "json") text += flag_text(flag);
  return text;
}

StudySettings settings_from_flags(const char* command) {
  if (FLAGS_batch < 1 || FLAGS_batch > 65536) fail("--batch is {}; use 1 to 65536", FLAGS_batch);
  if (FLAGS_threads < 0 || FLAGS_threads > 1024) fail("--threads is {}; use 0 to 1024", FLAGS_threads);
  if (FLAGS_evaluations < 1 || FLAGS_evaluations > 1000000)
    fail("--evaluations is {}; use 1 to 1000000", FLAGS_evaluations);
  StudySettings s;
  s.quick = FLAGS_quick;
  s.network = FLAGS_network;
  s.data = FLAGS_data;
  s.weights = FLAGS_weights;
  s.machine = FLAGS_machine;
  s.batch = FLAGS_batch;
  s.evaluations = FLAGS_evaluations;
  s.threads = FLAGS_threads;
  s.masks = one_of<MaskRule>(
      "masks", FLAGS_masks,
      {{"sr-ste", MaskRule::sr_ste}, {"fixed", MaskRule::fixed}, {"annealed", MaskRule::annealed}});
  s.steps = one_of<StepRule>(
      "steps", FLAGS_steps,
      {{"learned", StepRule::learned}, {"least-square", StepRule::least_square}, {"wrpn", StepRule::wrpn}});
  s.teacher = FLAGS_teacher;
  s.seeds = {FLAGS_seed};
  s.command = command_line(command);
  s.out = !FLAGS_out.empty() ? FLAGS_out : fmt::format("twofour-{}{}", command, FLAGS_quick ? "-quick" : "");
  return s;
}

int run_demo_command(std::span<const std::string>) {
  StudySettings s = settings_from_flags("demo");
  check_budgets({FLAGS_budget}, "budget");
  s.budgets = {FLAGS_budget};
  return run(s);
}

int run_search_command(std::span<const std::string>) {
  StudySettings s = settings_from_flags("search");
  check_budgets({FLAGS_budget}, "budget");
  s.budgets = {FLAGS_budget};
  s.spaces = {space_choice(FLAGS_space)};
  s.engines = {FLAGS_engine};
  s.baselines = {};
  return run(s);
}

int run_compare_command(std::span<const std::string>) {
  StudySettings s = settings_from_flags("compare");
  s.budgets = numbers<double>(FLAGS_budgets, "budgets");
  check_budgets(s.budgets, "budgets");
  s.seeds = numbers<std::uint64_t>(FLAGS_seeds, "seeds");
  s.engines = split(FLAGS_engines, "engines");
  s.baselines = split(FLAGS_baselines, "baselines");
  s.spaces.clear();
  for (const std::string& text : split(FLAGS_spaces, "spaces")) s.spaces.push_back(space_choice(text));
  return run(s);
}

}  // namespace twofour::nas
