#include "twofour/emu/ptx/device.h"

#include <algorithm>
#include <cstdio>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/launch.h"
#include "twofour/emu/ptx/memory.h"
#include "twofour/emu/ptx/nested.h"
#include "twofour/emu/ptx/observer.h"
#include "twofour/emu/ptx/texture.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::uint64_t max_static_shared = 48 * 1024;
constexpr std::uint64_t heap_bytes = 8 << 20, nested_bytes = 64 << 20;
constexpr std::uint64_t max_block_threads = 1024, max_block_z = 64, max_grid_yz = 65535;

bool wants_written(const DeviceOptions& options) {
  return std::any_of(options.observers.begin(), options.observers.end(),
                     [](const Observer* o) { return o->wants_written(); });
}

}  // namespace

/// Its variables lie in the device's memory as long as it lives.
class LoadedModule {
 public:
  LoadedModule(Module text, std::shared_ptr<GlobalMemory> memory, bool observed)
      : module_(std::move(text)), memory_(std::move(memory)), observed_(observed) {
    place_functions();
    place_variables();
    for (const Variable& v : module_.variables) relocate(v);
  }
  ~LoadedModule() {
    for (const auto& [name, symbol] : variables_) memory_->free(symbol.address);
  }
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  Device::Symbol symbol(std::string_view name) const {
    const auto found = variables_.find(name);
    if (found == variables_.end()) fail("{}: there is no .global or .const variable {}", module_.file, name);
    return found->second;
  }

  /// Decoded at the first call.
  const Kernel& kernel(std::string_view name) const {
    const auto known = kernels_.find(name);
    if (known != kernels_.end()) return *known->second;
    const Function* f = module_.function(name);
    if (f == nullptr || !f->entry || f->external)
      fail("{}: there is no kernel {}{}", module_.file, name, entries());
    return *(kernels_[std::string(name)] = decode_kernel(module_, *f, symbols_, observed_));
  }
  /// By the address that PTX has for it.
  const Kernel& kernel(std::uint64_t address) const {
    for (const auto& [name, at] : symbols_.functions)
      if (at == address) return kernel(name);
    fail("{}: there is no kernel at address {:#x}", module_.file, address);
  }

 private:
  std::string entries() const {
    std::string out;
    for (const Function& f : module_.functions)
      if (f.entry && out.size() < 1000) out += (out.empty() ? "; there are " : ", ") + f.name;
    return out;
  }

  void place_functions() {
    std::uint64_t address = function_window;
    for (const Function& f : module_.functions) {
      if (address >= local_window) break;  // the rest cannot be called by address
      if (!f.external) symbols_.functions[f.name] = address;
      address += function_stride;
    }
  }

  void place_variables() {
    for (const Variable& v : module_.variables) {
      if ((v.space != Space::global && v.space != Space::constant) || v.external) continue;
      const std::uint64_t address = memory_->allocate(std::uint64_t(v.bytes));
      variables_[v.name] = {address, std::uint64_t(v.bytes)};
      symbols_.global[v.name] = address;
      std::copy(v.initial.begin(), v.initial.end(),
                reinterpret_cast<std::uint8_t*>(memory_->host_bias() + address));
      memory_->mark_written(address, std::uint64_t(v.bytes));
    }
  }

  void relocate(const Variable& v) {
    const auto at = variables_.find(v.name);
    if (at == variables_.end()) return;
    for (const Relocation& r : v.relocations) {
      const auto variable = symbols_.global.find(r.symbol), function = symbols_.functions.find(r.symbol);
      if (variable == symbols_.global.end() && function == symbols_.functions.end())
        fail("{}:{}: {} holds the address of {}, which has no definition in this module", module_.file,
             v.at.line, v.name, r.symbol);
      std::uint64_t value = variable != symbols_.global.end() ? variable->second : function->second;
      value = (value + std::uint64_t(r.addend)) >> r.shift;
      if (r.offset < 0 || r.bytes > 8 || r.offset + r.bytes > v.bytes) continue;
      std::memcpy(reinterpret_cast<std::byte*>(memory_->host_bias() + at->second.address) + r.offset, &value,
                  std::size_t(r.bytes));
    }
  }

  Module module_;
  std::shared_ptr<GlobalMemory> memory_;
  bool observed_;
  Symbols symbols_;
  std::map<std::string, Device::Symbol, std::less<>> variables_;
  mutable std::map<std::string, std::unique_ptr<Kernel>, std::less<>> kernels_;
};

struct Device::Impl {
  isa::Machine machine;
  DeviceOptions options;
  std::shared_ptr<GlobalMemory> memory =
      std::make_shared<GlobalMemory>(options.memory_bytes, options.memory_gap, wants_written(options));
  DeviceHeap heap{memory, heap_bytes};
  DeviceHeap parameters{memory, nested_bytes};  ///< of kernels that kernels launch
  Textures textures = {};
  std::uint64_t launches = 0;
};

Device::Device(isa::Machine machine, DeviceOptions options)
    : impl_(new Impl{std::move(machine), std::move(options)}) {
  if (!impl_->options.print)
    impl_->options.print = [](std::string_view text) {
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    };
}
Device::~Device() = default;

const isa::Machine& Device::machine() const {
  return impl_->machine;
}
std::uint64_t Device::allocate(std::uint64_t bytes) {
  return impl_->memory->allocate(bytes);
}
void Device::free(std::uint64_t address) {
  impl_->memory->free(address);
}
std::uint64_t Device::free_bytes() const {
  return impl_->memory->free_bytes();
}
std::string Device::describe(std::uint64_t address) const {
  return impl_->memory->describe(address);
}

std::span<std::byte> Device::bytes(std::uint64_t address, std::uint64_t count) {
  const GlobalMemory& memory = *impl_->memory;
  if (count == 0) return {};
  const GlobalMemory::Range r = memory.find(address);
  if (r.end == 0 || r.end - address < count)
    fail("{} bytes at device address {:#x}, which {}", count, address, memory.describe(address));
  memory.mark_written(address, count);
  return {reinterpret_cast<std::byte*>(memory.host_bias() + address), count};
}

bool Device::set_heap_bytes(std::uint64_t bytes) {
  return impl_->heap.resize(bytes);
}
std::uint64_t Device::add_texture(const Texture& texture) {
  return impl_->textures.add(texture);
}
void Device::remove_texture(std::uint64_t handle) {
  impl_->textures.remove(handle);
}
bool Device::adopt(std::uint64_t address, std::uint64_t bytes) {
  return impl_->memory->adopt(address, bytes);
}
void Device::disown(std::uint64_t address) {
  impl_->memory->disown(address);
}

std::shared_ptr<LoadedModule> Device::load(Module module) {
  return std::make_shared<LoadedModule>(std::move(module), impl_->memory, !impl_->options.observers.empty());
}
Device::Symbol Device::symbol(const LoadedModule& module, std::string_view name) const {
  return module.symbol(name);
}

namespace {

void check_sizes(const isa::Machine& machine, const Kernel& k, const Launch& l) {
  const std::string& name = k.entry->name;
  for (const auto& [dim, what] : {std::pair{l.grid, "grid"}, {l.block, "block"}})
    if (dim.x == 0 || dim.y == 0 || dim.z == 0)
      fail("kernel {}: a {} of {} x {} x {}", name, what, dim.x, dim.y, dim.z);
  const std::uint64_t threads = std::uint64_t(l.block.x) * l.block.y * l.block.z;
  if (l.block.x > max_block_threads || l.block.y > max_block_threads || l.block.z > max_block_z ||
      threads > max_block_threads)
    fail("kernel {}: a block of {} x {} x {} threads, the limits are 1024 x 1024 x 64 and 1024 in all", name,
         l.block.x, l.block.y, l.block.z);
  if (l.grid.x > 0x7fffffff || l.grid.y > max_grid_yz || l.grid.z > max_grid_yz)
    fail("kernel {}: a grid of {} x {} x {} blocks, the limits are 2147483647 x 65535 x 65535", name,
         l.grid.x, l.grid.y, l.grid.z);
  const auto per_block = std::uint64_t(machine.smem_per_cta);
  if (k.static_shared > max_static_shared)
    fail("kernel {}: {} bytes of static shared memory, the limit is {}", name, k.static_shared,
         max_static_shared);
  if (l.dynamic_shared > per_block || k.static_shared + l.dynamic_shared > per_block)
    fail("kernel {}: {} bytes of static and {} of dynamic shared memory, the limit of {} is {}", name,
         k.static_shared, l.dynamic_shared, machine.name, per_block);
  if (l.parameters.size() != k.parameter_bytes)
    fail("kernel {}: {} bytes of parameters, it takes {}", name, l.parameters.size(), k.parameter_bytes);
}

void check_bounds(const Kernel& k, const Launch& l) {
  const LaunchBounds& b = k.entry->bounds;
  const std::uint32_t block[3] = {l.block.x, l.block.y, l.block.z};
  std::uint64_t most = 1;
  bool required = false, bounded = false, differs = false;
  for (int i = 0; i < 3; ++i) {
    required |= b.required_threads[i] != 0;
    bounded |= b.max_threads[i] != 0;
    differs |= block[i] != std::uint32_t(std::max(1, b.required_threads[i]));
    most *= std::uint64_t(std::max(1, b.max_threads[i]));
  }
  if (required && differs)
    fail("kernel {}: a block of {} x {} x {} threads, .reqntid wants {} x {} x {}", k.entry->name, l.block.x,
         l.block.y, l.block.z, std::max(1, b.required_threads[0]), std::max(1, b.required_threads[1]),
         std::max(1, b.required_threads[2]));
  if (bounded && std::uint64_t(l.block.x) * l.block.y * l.block.z > most)
    fail("kernel {}: a block of {} threads, .maxntid allows {}", k.entry->name,
         std::uint64_t(l.block.x) * l.block.y * l.block.z, most);
}

/// What a cooperative grid's barrier counts in: u32 size, u32 counter, as cooperative_groups.h has it.
class Workspace {
 public:
  Workspace(GlobalMemory& memory, bool wanted) : memory_(memory) {
    if (!wanted) return;
    address_ = memory.allocate(workspace_bytes);
    std::memcpy(reinterpret_cast<std::byte*>(memory.host_bias() + address_), &workspace_bytes, 4);
    memory.mark_written(address_, workspace_bytes);
  }
  ~Workspace() {
    if (address_ != 0) memory_.free(address_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  std::uint64_t address() const { return address_; }

 private:
  static constexpr std::uint32_t workspace_bytes = 256;
  GlobalMemory& memory_;
  std::uint64_t address_ = 0;
};

}  // namespace

LaunchReport Device::launch(const LoadedModule& module, std::string_view entry, const Launch& launch) {
  NestedLaunches nested(impl_->parameters);
  LaunchReport report = run(module.kernel(entry), launch, nested);
  run_nested(module, nested, report);
  return report;
}

void Device::run_nested(const LoadedModule& module, NestedLaunches& nested, LaunchReport& report) {
  while (const auto n = nested.next()) {
    if (n->kind == Nested::Kind::copy) {
      std::memmove(bytes(n->to, n->bytes).data(), bytes(n->from, n->bytes).data(), n->bytes);
    } else if (n->kind == Nested::Kind::fill) {
      std::memset(bytes(n->to, n->bytes).data(), n->value, n->bytes);
    } else {
      const auto* parameters = reinterpret_cast<const std::byte*>(impl_->memory->host_bias() + n->from);
      const Launch launch{.grid = n->grid,
                          .block = n->block,
                          .dynamic_shared = n->shared,
                          .parameters = {parameters, n->bytes}};
      report.warp_instructions += run(module.kernel(n->function), launch, nested).warp_instructions;
      impl_->parameters.free(n->from);
      const std::uint64_t limit = impl_->options.instruction_limit;
      if (limit != 0 && report.warp_instructions > limit)
        fail("a kernel and those that it launches executed {} warp instructions, the limit is {}",
             report.warp_instructions, limit);
    }
  }
}

LaunchReport Device::run(const Kernel& kernel, const Launch& launch, NestedLaunches& nested) {
  check_sizes(impl_->machine, kernel, launch);
  check_bounds(kernel, launch);
  Grid grid;
  grid.kernel = &kernel;
  grid.grid = launch.grid;
  grid.block = launch.block;
  grid.dynamic_shared = launch.dynamic_shared;
  grid.parameters = launch.parameters;
  grid.memory = impl_->memory.get();
  grid.machine = &impl_->machine;
  grid.id = ++impl_->launches;
  grid.instruction_limit = impl_->options.instruction_limit;
  grid.print = impl_->options.print;
  grid.observers = impl_->options.observers;
  grid.allow_stray = impl_->options.allow_stray;
  const Workspace workspace(*impl_->memory, launch.cooperative);
  if (kernel.uses_heap) {
    impl_->heap.prepare();
    impl_->parameters.prepare();
  }
  grid.heap = &impl_->heap;
  grid.nested = &nested;
  grid.textures = &impl_->textures;
  grid.cooperative = launch.cooperative;
  grid.workspace = workspace.address();
  grid.progress = impl_->options.progress;
  if (grid.progress != nullptr) grid.progress->blocks = grid.progress->warp_instructions = 0;
  run_grid(grid, impl_->options.threads);
  return {grid.executed.load(), grid.stray_reads.load()};
}

}  // namespace twofour::emu::ptx
