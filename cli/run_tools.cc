#include "twofour/cli/run_tools.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <cstdlib>

#include "twofour/cli/command.h"
#include "twofour/cli/flags.h"
#include "twofour/isa/error.h"

DEFINE_string(
    tool, "",
    "checkers that watch the kernels: memcheck, racecheck, synccheck, initcheck, metacheck, bankcheck, "
    "several with commas, or all");
DEFINE_int32(error_exitcode, 0,
             "exit status if a checker found something; without it 1 for a kernel, for a PROGRAM its own");
DEFINE_bool(leak_check, false, "of a PROGRAM, with memcheck: list device memory that it did not free");

namespace twofour::cli {
namespace {

using emu::check::Finding;

std::vector<emu::check::Tool> checked_tools() {
  if (FLAGS_tool.empty() && (flag_given("error_exitcode") || FLAGS_leak_check))
    fail("run: --error-exitcode and --leak-check need --tool");
  if (FLAGS_error_exitcode < 0 || FLAGS_error_exitcode > 255)
    fail("--error-exitcode {}: give 0 to 255", FLAGS_error_exitcode);
  const auto tools = emu::check::tools_from(FLAGS_tool);
  if (tools.empty() && flag_given("tool")) fail("--tool: give memcheck, several with commas, or all");
  return tools;
}

nlohmann::ordered_json to_json(const Finding& f) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (int lane = 0; lane < 32; ++lane)
    if ((f.lanes >> lane & 1) != 0) lanes.push_back(lane);
  nlohmann::ordered_json out{{"tool", name(f.tool)},     {"error", f.error},
                             {"detail", f.detail},       {"kernel", f.kernel},
                             {"file", f.file},           {"line", f.line},
                             {"statement", f.statement}, {"block", {f.block.x, f.block.y, f.block.z}},
                             {"warp", f.warp},           {"lanes", lanes}};
  if (f.address) out["address"] = fmt::format("{:#x}", *f.address);
  out["count"] = f.count;
  return out;
}

}  // namespace

RunTools::RunTools() : checkers_(checked_tools()) {
  if (FLAGS_leak_check) fail("run: --leak-check is for a program: of a kernel nothing is left");
}

void RunTools::report_before_failure() const {
  if (!checkers_.findings().empty()) fmt::print(stderr, "{}", checkers_.report());
}

nlohmann::ordered_json RunTools::json(bool failed) const {
  if (checkers_.tools().empty()) return nlohmann::ordered_json::object();
  nlohmann::ordered_json tools = nlohmann::ordered_json::array(), findings = tools;
  for (const auto tool : checkers_.tools()) tools.push_back(name(tool));
  for (const Finding& f : checkers_.findings().list()) findings.push_back(to_json(f));
  return {{"tools", tools}, {"failed", failed}, {"findings", findings}};
}

void RunTools::print() const {
  if (!checkers_.tools().empty()) fmt::print("{}", checkers_.report());
}

int RunTools::status() const {
  if (checkers_.findings().empty()) return exit_ok;
  return flag_given("error_exitcode") ? FLAGS_error_exitcode : int(exit_verdict);
}

void set_tool_environment() {
  if (checked_tools().empty()) return;
  ::setenv("TWOFOUR_TOOL", FLAGS_tool.c_str(), 1);
  if (flag_given("error_exitcode"))
    ::setenv("TWOFOUR_ERROR_EXITCODE", std::to_string(FLAGS_error_exitcode).c_str(), 1);
  if (FLAGS_leak_check) ::setenv("TWOFOUR_LEAK_CHECK", "1", 1);
}

}  // namespace twofour::cli
