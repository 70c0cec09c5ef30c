#include "run.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "twofour/isa/machine.h"

namespace twofour::emu::ptx::kernels {
namespace {

Module parse_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse(text, path);
}

void append(std::vector<std::byte>& to, const void* value, std::size_t bytes) {
  to.resize((to.size() + bytes - 1) / bytes * bytes);
  const auto* from = static_cast<const std::byte*>(value);
  to.insert(to.end(), from, from + bytes);
}

Dim3 dim(const std::vector<std::uint32_t>& v) {
  return {v.at(0), v.at(1), v.at(2)};
}

}  // namespace

Runner::Runner(DeviceOptions options) : device_(isa::load_machine("a100-sxm4-80gb"), std::move(options)) {}

Runner::Addresses Runner::upload(const Case& data) {
  Addresses addresses;
  for (const auto& [name, b] : data.buffers) {
    const std::uint64_t at = addresses[name] = device_.allocate(b.bytes.size());
    std::memcpy(device_.bytes(at, b.bytes.size()).data(), b.bytes.data(), b.bytes.size());
  }
  return addresses;
}

void Runner::launch(const Case& data, const Addresses& addresses) {
  const Kernel& kernel = *data.kernel;
  auto& module = modules_[kernel.file];
  if (!module) module = device_.load(parse_file(kernel_path(kernel.file)));
  std::vector<std::byte> parameters;
  for (const auto& p : kernel.parameters) {
    const auto value = std::int32_t(p.value);
    if (p.kind == "scalar")
      append(parameters, &value, 4);
    else
      append(parameters, &addresses.at(p.name), 8);
  }
  device_.launch(*module, kernel.entry, {dim(kernel.grid), dim(kernel.block), kernel.shared, parameters});
}

Case Runner::download(const Case& data, const Addresses& addresses) {
  Case after = data;
  for (auto& [name, b] : after.buffers) {
    const auto bytes = device_.bytes(addresses.at(name), b.bytes.size());
    std::memcpy(b.bytes.data(), bytes.data(), bytes.size());
  }
  return after;
}

Case Runner::run(const Case& before) {
  const Addresses addresses = upload(before);
  launch(before, addresses);
  Case after = download(before, addresses);
  for (const auto& [name, at] : addresses) device_.free(at);
  return after;
}

Case Runner::run_pair(const Case& first, const Case& second) {
  const Addresses before = upload(first);
  launch(first, before);
  Addresses addresses = upload(second);
  for (const auto& p : second.kernel->parameters) {
    if (p.after.empty()) continue;
    addresses.at(p.name) = before.at(p.name);
    device_.free(before.at(p.freed));
  }
  launch(second, addresses);
  return download(second, addresses);
}

}  // namespace twofour::emu::ptx::kernels
