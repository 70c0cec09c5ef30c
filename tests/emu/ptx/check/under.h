#pragma once
// Kernels run under one checker.
#include <string>
#include <vector>

#include "device/support.h"
#include "kernels/list.h"
#include "twofour/emu/check/checker_set.h"
#include "twofour/emu/check/report.h"

namespace twofour::emu::check::test {

/// What a tool found, and the message of the launch that failed (empty: all ran to their ends).
struct Checked {
  std::vector<Finding> findings;
  std::string failure;
  bool explained = false;  ///< the findings say what the failure says
};

/// Options for a device that these tools see; one host thread.
ptx::DeviceOptions watched_by(const CheckerSet& checkers);

/// An entry of kernels.json on its data, after the entry that it names in `after`. One host thread.
Checked run_under(Tool tool, const ptx::kernels::Kernel& kernel);

/// A PTX text with entry `k` whose first parameter is `out`, `words` words of 4 bytes, on one block; see
/// ptx::test::kernel().
Checked run_under(Tool tool, const std::string& ptx, std::uint32_t threads, std::size_t words = 64);

/// All entries of kernels.json.
const std::vector<ptx::kernels::Kernel>& all_kernels();
const ptx::kernels::Kernel& kernel_named(const std::string& entry);

/// Ran to its end, without findings.
void expect_clean(const Checked& checked);
/// Ran to its end with one finding, of this class, in these lanes, whose detail has these words.
void expect_one(const Checked& checked, const std::string& error, std::uint32_t lanes,
                std::initializer_list<std::string> words = {});

/// For the messages of failing tests.
inline std::string text(const Checked& checked) {
  return report(checked.findings, {}) + checked.failure;
}

}  // namespace twofour::emu::check::test
