#include "twofour/runtime/checkers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "twofour/isa/error.h"

namespace twofour::runtime {
namespace {

using emu::check::CheckerSet;
using emu::check::Finding;
using emu::check::Tool;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

CheckerSet* make_checkers() {
  const std::string tools = variable("TWOFOUR_TOOL");
  if (tools.empty()) return nullptr;
  try {
    return new CheckerSet(emu::check::tools_from(tools));
  } catch (const Error& e) {
    fmt::print(stderr, "twofour: TWOFOUR_TOOL: {}\n", e.what());
    ::_exit(2);
  }
}

void end_of_process() {
  Process::get().check_leaks();
  const CheckerSet& checkers = *process_checkers();
  std::fflush(nullptr);
  fmt::print(stderr, "twofour: {}", checkers.report());
  std::fflush(stderr);
  const std::string status = variable("TWOFOUR_ERROR_EXITCODE");
  if (!status.empty() && !checkers.findings().empty()) ::_exit(std::atoi(status.c_str()));
}

void add(std::string error, std::string detail, std::uint64_t address, std::uint64_t count) {
  Finding f;
  f.tool = Tool::memcheck;
  f.error = std::move(error);
  f.detail = std::move(detail);
  f.address = address;
  f.count = count;
  process_checkers()->findings().add(std::move(f), 0);
}

bool memory_is_checked() {
  return process_checkers() != nullptr && process_checkers()->has(Tool::memcheck);
}

}  // namespace

CheckerSet* process_checkers() {
  static CheckerSet* const checkers = [] {
    CheckerSet* const made = make_checkers();
    if (made != nullptr) std::atexit(end_of_process);
    return made;
  }();
  return checkers;
}

bool is_found(const std::string& failure) {
  return process_checkers() != nullptr && process_checkers()->findings().explains(failure);
}

void found_bad_free(std::uint64_t address, const std::string& what) {
  if (memory_is_checked())
    add("invalid free", fmt::format("of address {:#x}, which {}", address, what), address, 1);
}

void found_leaks(const std::map<std::uint64_t, Allocation>& allocations) {
  if (!memory_is_checked() || variable("TWOFOUR_LEAK_CHECK") != "1" || allocations.empty()) return;
  const auto& [first, allocation] = *allocations.begin();
  const std::uint64_t bytes =
      std::accumulate(allocations.begin(), allocations.end(), std::uint64_t{0},
                      [](std::uint64_t sum, auto& a) { return sum + a.second.bytes; });
  add("leak",
      fmt::format("{} allocations, {} bytes, were not freed; one has {} bytes at {:#x}", allocations.size(),
                  bytes, allocation.bytes, first),
      first, allocations.size());
}

}  // namespace twofour::runtime
