#include "twofour/emu/check/checker_set.h"

#include <algorithm>

#include "twofour/emu/check/make_checker.h"
#include "twofour/emu/check/report.h"

namespace twofour::emu::check {
namespace {

constexpr std::uint64_t gap = 16 * 1024;  // bytes

}  // namespace

CheckerSet::CheckerSet(std::vector<Tool> tools) : tools_(std::move(tools)) {
  for (const Tool tool : tools_) observers_.push_back(make_checker(tool, findings_));
}

bool CheckerSet::has(Tool tool) const {
  return std::find(tools_.begin(), tools_.end(), tool) != tools_.end();
}

void CheckerSet::watch(ptx::DeviceOptions& options) const {
  for (const auto& observer : observers_) options.observers.push_back(observer.get());
  if (has(Tool::memcheck)) options.memory_gap = gap;
}

std::string CheckerSet::report() const {
  const auto list = findings_.list();
  return check::report(list, tools_);
}

}  // namespace twofour::emu::check
