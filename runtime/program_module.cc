#include "twofour/runtime/program_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "twofour/emu/ptx/link.h"
#include "twofour/runtime/fatbin.h"

namespace twofour::runtime {
namespace {

std::string chosen_text(std::span<const std::byte> fatbin, int machine_sm, const std::string& name) {
  const auto entries = read_fatbin(fatbin, name);
  const ChosenEntry chosen = choose_entry(entries, machine_sm, name);
  if (chosen.newer)
    fmt::print(stderr, "twofour: {} has PTX for sm_{} only; the machine is sm_{}: running it as it is\n",
               name, chosen.entry->sm, machine_sm);
  return ptx_text(*chosen.entry, name);
}

/// The files of a program that nvcc -rdc=true joined. CUDA's own device runtime, which is one of them, is not
/// needed (emu/ptx/nested.h); it has machine code for most machines, and PTX only for the newest.
emu::ptx::Module linked(const std::vector<std::span<const std::byte>>& fatbins, int machine_sm,
                        const std::string& name) {
  std::vector<emu::ptx::Module> modules;
  for (std::size_t i = 0; i < fatbins.size(); ++i) {
    const std::string part = fmt::format("{}.{}", name, i + 1);
    const auto entries = read_fatbin(fatbins[i], part);
    const bool usable = std::any_of(entries.begin(), entries.end(),
                                    [&](const auto& e) { return e.ptx && e.sm <= machine_sm; });
    if (usable || fatbins.size() == 1)
      modules.push_back(emu::ptx::parse(chosen_text(fatbins[i], machine_sm, part), part));
  }
  if (modules.empty()) return emu::ptx::parse(chosen_text(fatbins.front(), machine_sm, name), name);
  return emu::ptx::link(std::move(modules));
}

}  // namespace

ProgramModule::ProgramModule(const void* wrapper, int number)
    : wrapper_(wrapper), name_(fmt::format("device code {}", number)) {}

const ProgramModule::Loaded& ProgramModule::loaded(emu::ptx::Device& device) {
  if (loaded_) return *loaded_;
  const int sm = int(device.machine().compute_capability);
  const auto fatbins = linked_fatbins(wrapper_);
  emu::ptx::Module module = fatbins.empty()
                                ? emu::ptx::parse(chosen_text(fatbin_of_wrapper(wrapper_), sm, name_), name_)
                                : linked(fatbins, sm, name_);
  auto loaded = std::make_unique<Loaded>();
  for (const auto& f : module.functions)
    if (f.entry) loaded->kernels.emplace(f.name, kernel_info(module, f));
  loaded->code = device.load(std::move(module));
  loaded_ = std::move(loaded);
  return *loaded_;
}

}  // namespace twofour::runtime
