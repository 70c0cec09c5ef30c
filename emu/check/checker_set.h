#pragma once
#include <memory>
#include <string>
#include <vector>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// Tools that look at a device together, and what they found. Outlives the device.
class CheckerSet {
 public:
  explicit CheckerSet(std::vector<Tool> tools);

  /// Lets them see a device that is made with these options. For memcheck its allocations lie apart, so that
  /// an access past the end of one does not land in the next.
  void watch(ptx::DeviceOptions& options) const;
  bool has(Tool tool) const;
  const std::vector<Tool>& tools() const { return tools_; }
  Findings& findings() { return findings_; }
  const Findings& findings() const { return findings_; }
  /// See report.h.
  std::string report() const;

 private:
  std::vector<Tool> tools_;
  Findings findings_;
  std::vector<std::unique_ptr<ptx::Observer>> observers_;
};

}  // namespace twofour::emu::check
