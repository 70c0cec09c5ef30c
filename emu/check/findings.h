#pragma once
// What the checkers of a launch say, in the manner of compute-sanitizer.
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::check {

enum class Tool : std::uint8_t { memcheck, racecheck, synccheck, initcheck, metacheck, bankcheck };
inline constexpr int tools = 6;
std::string_view name(Tool tool);
/// Of "memcheck,racecheck"; "all": every one. Throws Error that lists the names for an unknown one.
std::vector<Tool> tools_from(std::string_view list);

/// One mistake at one instruction, where it happened first.
struct Finding {
  Tool tool = Tool::memcheck;
  std::string error;   ///< its class, the same for all of its kind: "out of bounds"
  std::string detail;  ///< one sentence with the values of this case
  std::string kernel, file;
  int line = 0;           ///< of the PTX
  std::string statement;  ///< of the PTX
  ptx::Dim3 block;        ///< its index
  int warp = 0;           ///< in the block
  std::uint32_t lanes = 0;
  std::optional<std::uint64_t> address = {};  ///< of the lowest lane
  std::uint64_t count = 1;                    ///< times that it happened: warp instructions
};

/// A finding without error and detail, for an instruction of a warp.
Finding finding_at(Tool tool, ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes);

/// "FILE:LINE: statement: kernel K", as messages of the executor begin.
std::string place(const Finding& finding);

/// Findings of a process; for many threads. Those of one tool, error, kernel and line count as one: the block
/// with the lowest linear index is shown, so that the report does not hang on the order of host threads.
class Findings {
 public:
  void add(Finding finding, std::uint64_t linear_block);
  /// The only one of its tool, kernel and line.
  void replace(Finding finding, std::uint64_t linear_block);
  /// By kernel, line, tool and error.
  std::vector<Finding> list() const;
  bool empty() const;
  /// Whether this message of a launch that failed says no more than a finding of memcheck or synccheck.
  bool explains(const std::string& failure) const;

 private:
  struct Entry {
    Finding finding;
    std::uint64_t block;
  };
  using Key = std::tuple<std::string, int, Tool, std::string>;  // kernel, line, tool, error
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

}  // namespace twofour::emu::check
