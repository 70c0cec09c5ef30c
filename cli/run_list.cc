#include "twofour/cli/run_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "twofour/cli/command.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/cli/run_parameters.h"

namespace twofour::cli {
namespace {

using emu::ptx::Function;
using emu::ptx::Module;
using emu::ptx::Variable;

std::vector<const Function*> entries(const Module& module) {
  std::vector<const Function*> found;
  for (const Function& f : module.functions)
    if (f.entry && !f.external) found.push_back(&f);
  return found;
}

/// "128 x 1 x 1" of .reqntid and .maxntid; empty if it is not given.
std::string threads_text(const int (&threads)[3]) {
  if (threads[0] == 0) return "";
  return fmt::format("{} x {} x {}", threads[0], std::max(1, threads[1]), std::max(1, threads[2]));
}

void print_entry(const Function& f) {
  const std::string required = threads_text(f.bounds.required_threads),
                    most = threads_text(f.bounds.max_threads);
  fmt::print("\n{}{}\n", f.name,
             !required.empty() ? ", blocks of " + required + " threads"
             : !most.empty()   ? ", blocks of at most " + most + " threads"
                               : "");
  for (std::size_t i = 0; i < f.parameters.size(); ++i)
    fmt::print("  {:>3}  {}\n", i, parameter_text(f.parameters[i]));
}

nlohmann::ordered_json entry_json(const Function& f) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
  for (const Variable& v : f.parameters)
    parameters.push_back({{"name", v.name}, {"type", name(v.type)}, {"bytes", v.bytes}});
  return {{"entry", f.name},
          {"parameters", parameters},
          {"required_threads", f.bounds.required_threads},
          {"most_threads", f.bounds.max_threads}};
}

}  // namespace

std::string entry_names(const Module& module) {
  std::string names;
  for (const Function* f : entries(module)) {
    if (names.size() > 1000) return names + ", ...";
    names += (names.empty() ? "; there are " : ", ") + f->name;
  }
  return names;
}

int list_entries(const Module& module) {
  const auto list = entries(module);
  if (FLAGS_json) {
    nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
    for (const Function* f : list) kernels.push_back(entry_json(*f));
    print_json("run", {{"file", module.file},
                       {"ptx_version", fmt::format("{}.{}", module.major, module.minor)},
                       {"target", fmt::format("sm_{}", module.sm)},
                       {"kernels", kernels}});
    return exit_ok;
  }
  fmt::print("{}: PTX {}.{} for sm_{}, {} kernel{}\n", module.file, module.major, module.minor, module.sm,
             list.size(), list.size() == 1 ? "" : "s");
  for (const Function* f : list) print_entry(*f);
  return exit_ok;
}

}  // namespace twofour::cli
