#include "twofour/runtime/program_module.h"

#include <cstdio>

#include <fmt/format.h>

#include "twofour/runtime/fatbin.h"

namespace twofour::runtime {
namespace {

std::string chosen_text(const void* wrapper, int machine_sm, const std::string& name) {
  const auto entries = read_fatbin(fatbin_of_wrapper(wrapper), name);
  const ChosenEntry chosen = choose_entry(entries, machine_sm, name);
  if (chosen.newer)
    fmt::print(stderr, "twofour: {} has PTX for sm_{} only; the machine is sm_{}: running it as it is\n",
               name, chosen.entry->sm, machine_sm);
  return ptx_text(*chosen.entry, name);
}

}  // namespace

ProgramModule::ProgramModule(const void* wrapper, int number)
    : wrapper_(wrapper), name_(fmt::format("device code {}", number)) {}

const ProgramModule::Loaded& ProgramModule::loaded(emu::ptx::Device& device) {
  if (loaded_) return *loaded_;
  const int sm = int(device.machine().compute_capability);
  emu::ptx::Module module = emu::ptx::parse(chosen_text(wrapper_, sm, name_), name_);
  auto loaded = std::make_unique<Loaded>();
  for (const auto& f : module.functions)
    if (f.entry) loaded->kernels.emplace(f.name, kernel_info(module, f));
  loaded->code = device.load(std::move(module));
  loaded_ = std::move(loaded);
  return *loaded_;
}

}  // namespace twofour::runtime
