#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/network_print.h"
#include "twofour/cli/network_source.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/graph/workload_builtin.h"

DECLARE_string(launch);
DEFINE_string(
    fusion, "on",
    "on: epilogues compute what follows a product, as an inference engine does; off: a kernel a node");
DEFINE_bool(list, false, "list the built-in networks");

namespace twofour::cli {
namespace {

nas::NetworkOptions options_from_flags() {
  nas::NetworkOptions options;
  options.type = nas::parse_network_type(FLAGS_dtype);
  options.sparse = FLAGS_sparse;
  if (FLAGS_fusion != "on" && FLAGS_fusion != "off")
    fail("time network: --fusion is '{}'; it is on or off", FLAGS_fusion);
  options.fusion = FLAGS_fusion == "on";
  if (flag_given("launch")) options.launch = emu::parse_launch(FLAGS_launch);
  return options;
}

std::string list_text() {
  std::string out;
  for (const auto& known : nas::builtin_workloads()) {
    const auto workload = nas::builtin_workload(known.name, {});
    out += fmt::format("{:<12}  {:>6.2f} G multiply-adds  {:>7.2f} M weights  {}\n", known.name,
                       static_cast<double>(nas::macs(workload)) / 1e9,
                       static_cast<double>(nas::weights(workload)) / 1e6, known.description);
  }
  return out;
}

nlohmann::ordered_json list_json() {
  auto list = nlohmann::ordered_json::array();
  for (const auto& known : nas::builtin_workloads()) {
    const auto workload = nas::builtin_workload(known.name, {});
    list.push_back({{"name", known.name},
                    {"description", known.description},
                    {"macs", nas::macs(workload)},
                    {"weights", nas::weights(workload)}});
  }
  return {{"networks", list}};
}

void deliver(const std::string& text) {
  if (FLAGS_output.empty())
    fmt::print("{}", text);
  else
    isa::write_file(FLAGS_output, text);
}

int run(std::span<const std::string> words) {
  if (FLAGS_list) {
    if (!words.empty()) fail("time network: --list takes no network");
    deliver(FLAGS_json ? json_document("time network", list_json()) : list_text());
    return exit_ok;
  }
  const auto machine = isa::load_machine(FLAGS_machine);
  const auto options = options_from_flags();
  const auto source = load_network("time network", words);
  const auto network = nas::network_latency(source.workload, options, machine);
  if (FLAGS_json) {
    auto fields = network_json(network, options, source.item, machine);
    fields["not_counted"] = source.skipped;
    deliver(json_document("time network", fields));
  } else {
    deliver(network_text(network, options, source.item, machine) + skipped_text(source));
  }
  return exit_ok;
}

}  // namespace

Command time_network_command() {
  return {
      "time network",
      "[NETWORK | --onnx FILE]",
      "predict how long a whole network takes, layer by layer, and where 2:4, int8 and int4 pay",
      "NETWORK is a built-in one (--list), or the shapes are read from an ONNX file; its own number types "
      "do not count.\n"
      "Types: fp16 bf16 tf32 int8 int4 int1; the first layer and the "
      "classifier\n"
      "stay dense, and int8 in an int4 or int1 network. --sparse takes 2:4 kernels where weights may be "
      "2:4 (channels a\n"
      "multiple of 16, filters of 8) and they are faster. --fusion off runs every node as a kernel.\n"
      "--launch is graph here unless given; as-measured adds the host call of the published ResNet-50 "
      "measurements.\n"
      "Examples: twofour time network resnet50 --batch 32 --dtype int8 --sparse\n"
      "          twofour time network bert-base --sequence 384 --dtype fp16 --json --output bert.json\n"
      "Exit status: 0 done, 2 the input was refused.",
      {"batch", "dtype", "sparse", "machine", "launch", "fusion", "sequence", "image", "onnx", "dim",
       "skip_unsupported", "list", "output", "json"},
      0,
      1,
      run};
}

}  // namespace twofour::cli
