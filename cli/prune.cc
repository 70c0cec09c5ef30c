#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

struct Counts {
  std::int64_t nonzero_before = 0, nonzero_after = 0;
};

Counts count(const emu::PackedMatrix& before, const emu::PackedMatrix& after) {
  Counts n;
  for (std::int64_t r = 0; r < before.rows(); ++r)
    for (std::int64_t c = 0; c < before.cols(); ++c) {
      n.nonzero_before += before.bits(r, c) != 0;
      n.nonzero_after += after.bits(r, c) != 0;
    }
  return n;
}

int run(std::span<const std::string> files) {
  if (FLAGS_output.empty()) fail("--output names the file to write: give one");
  const auto type = isa::parse_element(FLAGS_dtype);
  const emu::PackedMatrix dense = emu::read_npy(files[0], type);
  emu::PackedMatrix pruned;
  std::int64_t violations = 0;
  try {
    violations = emu::count_violations(dense, nullptr);
    pruned = emu::prune(dense);
  } catch (const Error& e) {
    fail("{}: {}", files[0], e.what());
  }
  const Counts n = count(dense, pruned);
  emu::write_npy(FLAGS_output, pruned);
  if (FLAGS_json) {
    print_json("prune", {{"input", files[0]},
                         {"output", FLAGS_output},
                         {"dtype", FLAGS_dtype},
                         {"rows", dense.rows()},
                         {"columns", dense.cols()},
                         {"groups_changed", violations},
                         {"nonzero_before", n.nonzero_before},
                         {"nonzero_after", n.nonzero_after}});
    return exit_ok;
  }
  fmt::print("{}: {} x {} {}, {} of {} elements non-zero after pruning ({} before); {} groups changed\n",
             FLAGS_output, dense.rows(), dense.cols(), FLAGS_dtype, n.nonzero_after,
             dense.rows() * dense.cols(), n.nonzero_before, violations);
  return exit_ok;
}

}  // namespace

Command prune_command() {
  return {"prune",
          "IN.npy",
          "prune a matrix to 2:4 by magnitude (tf32 1:2, 4-bit types 4:8 in pairs)",
          "Groups run along the rows (K). Of equal magnitudes the lower columns stay. NaN is refused.\n"
          "Example: twofour prune weights.npy --dtype f16 --output pruned.npy",
          {"dtype", "output", "json"},
          1,
          1,
          run};
}

}  // namespace twofour::cli
