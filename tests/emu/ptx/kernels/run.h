#pragma once
#include <map>
#include <string>

#include "list.h"
#include "twofour/emu/ptx/device.h"

namespace twofour::emu::ptx::kernels {

/// Runs cases on one device. Each file is parsed and loaded once.
class Runner {
 public:
  explicit Runner(DeviceOptions options = {});

  /// What the buffers hold afterwards. Throws what Device throws.
  Case run(const Case& before);
  /// Two kernels of a file one after the other: the second one's parameter that names the first in `after` is
  /// the first one's buffer of that name, and what it names in `freed` is freed between them.
  Case run_pair(const Case& first, const Case& second);

 private:
  using Addresses = std::map<std::string, std::uint64_t>;
  Addresses upload(const Case& data);
  void launch(const Case& data, const Addresses& addresses);
  Case download(const Case& data, const Addresses& addresses);

  Device device_;
  std::map<std::string, std::shared_ptr<LoadedModule>> modules_;
};

}  // namespace twofour::emu::ptx::kernels
