#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/deploy_print.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/deploy/export_json.h"
#include "twofour/nas/timing/network_table.h"

DECLARE_int64(batch);

namespace twofour::cli {
namespace {

std::string format_from_flags() {
  const std::string format = FLAGS_json ? "json" : FLAGS_format.empty() ? "text" : FLAGS_format;
  if (format != "text" && format != "json" && format != "csv")
    fail("deploy latency: --format is '{}'; it is text, json or csv", format);
  if (FLAGS_json && flag_given("format") && FLAGS_format != "json")
    fail("deploy latency: --json and --format {} contradict each other", FLAGS_format);
  return format;
}

nlohmann::ordered_json table_json(const std::vector<nas::NetworkTableRow>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const nas::NetworkTableRow& r : rows)
    list.push_back({{"layer", r.layer},
                    {"option", nas::name(r.option)},
                    {"chosen", r.chosen},
                    {"latency_us", r.latency.microseconds},
                    {"low_us", r.latency.low_us},
                    {"high_us", r.latency.high_us},
                    {"bound", name(r.latency.bound)},
                    {"fidelity", name(r.latency.fidelity)}});
  return list;
}

std::string document(const nas::DeployedNetwork& net, const isa::Machine& machine,
                     const std::string& format) {
  std::vector<nas::Option> options;
  for (const nas::DeployedLayer& l : net.layers) options.push_back(l.option);
  if (format == "csv") return network_csv(network_table(net.network, options, FLAGS_batch, machine));
  const nas::LatencyCheck check = check_latency(net.network, options, FLAGS_batch, machine);
  if (format == "text") return latency_check_text(check);
  auto fields = latency_check_json(check);
  fields["options"] = table_json(network_table(net.network, options, FLAGS_batch, machine));
  return json_document("deploy latency", fields);
}

int run(std::span<const std::string> words) {
  const std::string format = format_from_flags();
  if (FLAGS_batch < 1 || FLAGS_batch > 1 << 20)
    fail("deploy latency: --batch is {}; it must be 1 to 2^20", FLAGS_batch);
  const std::string text = document(nas::read_deployed(words[0]), isa::load_machine(FLAGS_machine), format);
  if (FLAGS_output.empty())
    fmt::print("{}", text);
  else
    isa::write_file(FLAGS_output, text);
  return exit_ok;
}

}  // namespace

Command deploy_latency_command() {
  return {"deploy latency",
          "NETWORK.json",
          "compare what a search added up, layer by layer, with the latency of the whole network",
          "A search adds up layers that run alone. In the network, tensors stay in L2, residuals are read, "
          "types and\n"
          "the image are converted, and pools run: the table says for each layer what makes the difference.\n"
          "--format csv writes the layers' latencies instead: the options taken (chosen is 1) and the others "
          "that\n"
          "are legal; --format json holds both.\n"
          "Example: twofour deploy latency network.json --batch 1024 --machine a100-sxm4-80gb\n"
          "Exit status: 0 done, 2 the input was refused.",
          {"batch", "machine", "format", "output", "json"},
          1,
          1,
          run};
}

}  // namespace twofour::cli
