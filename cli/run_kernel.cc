#include "twofour/cli/run_kernel.h"

#include <fmt/format.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>

#include "twofour/cli/command.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/cli/run_array.h"
#include "twofour/cli/run_cycle.h"
#include "twofour/cli/run_flags.h"
#include "twofour/cli/run_list.h"
#include "twofour/cli/run_parameters.h"
#include "twofour/cli/run_tools.h"
#include "twofour/cli/run_watch.h"
#include "twofour/emu/profile/launches.h"
#include "twofour/emu/ptx/device.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/runtime/device_facts.h"

namespace twofour::cli {
namespace {

namespace ptx = emu::ptx;

/// What a run is made of.
struct Run {
  std::string path, kernel;
  ptx::Dim3 grid, block;
  std::vector<RunArgument> arguments;  ///< in the order of the parameters
  std::vector<DeviceArray> arrays;     ///< of each argument; those that are no arrays are empty
  ptx::LaunchReport report;
  double seconds = 0, cpu_seconds = 0;
  bool failed = false;  ///< as a checker says
};

/// Refuses results that cannot be written, before anything long begins.
void check_outputs(std::span<const RunArgument> arguments) {
  std::set<std::string> files;
  for (const RunArgument& a : arguments) {
    if (a.output.empty()) continue;
    if (!files.insert(a.output).second)
      fail("{}: is named for two results; give each its own file", a.output);
    const auto folder = std::filesystem::absolute(a.output).parent_path();
    if (!std::filesystem::is_directory(folder) || ::access(folder.c_str(), W_OK) != 0)
      fail("{}: cannot be written: {} is not a folder that may be written to", a.output, folder.string());
  }
}

/// No more than this computer has, so that a kernel that writes everywhere is refused by the device.
std::uint64_t memory_bytes(const isa::Machine& machine) {
  const auto host = std::uint64_t(::sysconf(_SC_PHYS_PAGES)) * std::uint64_t(::sysconf(_SC_PAGESIZE));
  return std::min(runtime::device_facts(machine).memory_bytes, host);
}

const ptx::Function& find_entry(const ptx::Module& module) {
  const ptx::Function* entry = module.function(FLAGS_entry);
  if (entry == nullptr || !entry->entry || entry->external)
    fail("{}: there is no kernel {}{}", module.file, FLAGS_entry, entry_names(module));
  return *entry;
}

void place_arrays(ptx::Device& device, Run& run) {
  run.arrays.resize(run.arguments.size());
  for (std::size_t i = 0; i < run.arguments.size(); ++i)
    if (run.arguments[i].is_array()) run.arrays[i] = place_array(device, run.arguments[i]);
}

std::vector<std::uint64_t> addresses(const Run& run) {
  std::vector<std::uint64_t> out;
  for (const DeviceArray& a : run.arrays) out.push_back(a.address);
  return out;
}

/// Launches, and keeps the times.
void launch(ptx::Device& device, const ptx::LoadedModule& module, const ptx::Launch& launch, Run& run) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  run.report = device.launch(module, run.kernel, launch);
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  run.cpu_seconds = double(std::clock() - cpu) / CLOCKS_PER_SEC;
}

nlohmann::ordered_json sizes(const ptx::Dim3& d) {
  return {d.x, d.y, d.z};
}

nlohmann::ordered_json fields(const Run& run, const isa::Machine& machine,
                              const emu::profile::Statistics& statistics) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < run.arrays.size() && !run.failed; ++i) {
    const DeviceArray& a = run.arrays[i];
    if (!a.output.empty())
      outputs.push_back({{"name", run.arguments[i].name},
                         {"file", a.output},
                         {"dtype", element_name(a)},
                         {"shape", a.shape}});
  }
  nlohmann::ordered_json out{{"file", run.path},          {"entry", run.kernel},
                             {"machine", machine.name},   {"grid", sizes(run.grid)},
                             {"block", sizes(run.block)}, {"dynamic_shared", FLAGS_shared},
                             {"seconds", run.seconds},    {"cpu_seconds", run.cpu_seconds},
                             {"outputs", outputs}};
  out.update(json(statistics, machine.architecture));
  return out;
}

void print_text(const Run& run) {
  const auto text = [](const ptx::Dim3& d) { return fmt::format("{} x {} x {}", d.x, d.y, d.z); };
  fmt::print("{} of {}: grid {}, block {}, {} bytes of dynamic shared memory\n", run.kernel, run.path,
             text(run.grid), text(run.block), FLAGS_shared);
  fmt::print("  executed  {} warp instructions in {:.3f} s\n", run.report.warp_instructions, run.seconds);
  for (const DeviceArray& a : run.arrays)
    if (!a.output.empty()) fmt::print("  written   {}: {}\n", a.output, shape_text(a));
}

/// Observers that the flags ask for.
struct Observers {
  std::unique_ptr<emu::profile::Launches> statistics;
  std::unique_ptr<emu::profile::Strict> strict;
  std::unique_ptr<CycleRun> cycle;

  explicit Observers(const isa::Machine& machine) {
    if (cycle_mode()) cycle = std::make_unique<CycleRun>(machine);
    if (FLAGS_json || !FLAGS_statistics.empty()) statistics = std::make_unique<emu::profile::Launches>();
    if (FLAGS_strict) strict = std::make_unique<emu::profile::Strict>();
  }
  std::vector<ptx::Observer*> list() const {
    std::vector<ptx::Observer*> all;
    if (strict) all.push_back(strict.get());
    if (statistics) all.push_back(statistics.get());
    if (cycle) all.push_back(&cycle->observer());
    return all;
  }
};

void write_results(ptx::Device& device, const Run& run) {
  for (const DeviceArray& a : run.arrays)
    if (!a.output.empty()) write_array(device, a);
}

void report(const Run& run, const isa::Machine& machine, const Observers& observers, const RunTools& tools) {
  const auto* const cycle = run.failed ? nullptr : observers.cycle.get();
  if (cycle != nullptr) cycle->write_trace();
  if (observers.statistics) {
    auto document = fields(run, machine, observers.statistics->of(run.kernel));
    if (cycle != nullptr) document.update(cycle->json());
    document.update(tools.json(run.failed));
    if (!FLAGS_statistics.empty()) isa::write_file(FLAGS_statistics, json_document("run", document));
    if (FLAGS_json) return print_json("run", document);
  }
  if (!run.failed) print_text(run);
  if (cycle != nullptr) cycle->print();
  tools.print();
}

int run_entry(const std::string& path, ptx::Module text) {
  const isa::Machine machine = isa::load_machine(FLAGS_machine);
  const ptx::Function& entry = find_entry(text);
  Run run{path,
          entry.name,
          parse_dim3("grid", FLAGS_grid),
          parse_dim3("block", FLAGS_block),
          ordered_arguments(entry, run_arguments()),
          {},
          {}};
  check_outputs(run.arguments);
  const Observers observers(machine);
  const RunTools tools;
  ptx::Progress progress;
  ptx::DeviceOptions options = run_options();
  options.memory_bytes = memory_bytes(machine);
  options.observers = observers.list();
  tools.watch(options);
  options.progress = &progress;
  ptx::Device device(machine, options);
  place_arrays(device, run);
  const auto parameters = parameter_bytes(entry, run.arguments, addresses(run));
  const auto module = device.load(std::move(text));
  RunWatch watch(progress, std::uint64_t(run.grid.x) * run.grid.y * run.grid.z);
  run.failed = !tools.run([&] {
    launch(device, *module, {run.grid, run.block, FLAGS_shared, parameters}, run);
  });
  watch.finish();
  if (!run.failed) write_results(device, run);
  report(run, machine, observers, tools);
  return tools.status();
}

}  // namespace

int run_ptx_file(const std::string& path) {
  const std::string text = isa::read_file(path);
  if (text.starts_with("\x7f"
                       "ELF"))
    fail("{}: is a program, not PTX: `twofour run -- {}`", path, path);
  ptx::Module module = ptx::parse(text, path);
  if (FLAGS_entry.empty()) return list_entries(module);
  return run_entry(path, std::move(module));
}

}  // namespace twofour::cli
