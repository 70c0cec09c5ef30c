#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/metadata_source.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"

DEFINE_string(values, "", "write the kept elements to this .npy file, M x K/2");
DEFINE_string(
    metadata, "",
    "write the metadata registers to this .npy file: uint32, one row of 32 lanes an instruction tile");
DEFINE_string(codes, "", "write the codes to this .npy file: uint8, M x groups, idx0 | idx1 << 2");
DEFINE_int64(selector, 0, "sparsity selector that the metadata registers are laid out for");

namespace twofour::cli {
namespace {

int run(std::span<const std::string> files) {
  const auto& i = metadata_instruction();
  const int selector = metadata_selector(i);
  if (FLAGS_values.empty() && FLAGS_metadata.empty() && FLAGS_codes.empty())
    fail("nothing to write: give --values, --metadata or --codes");
  for (const auto& [one, other] :
       {std::pair(FLAGS_values, FLAGS_metadata), std::pair(FLAGS_values, FLAGS_codes),
        std::pair(FLAGS_metadata, FLAGS_codes)})
    if (!one.empty() && one == other) fail("{}: is named for two results; give each its own file", one);
  const emu::PackedMatrix dense = emu::read_npy(files[0], i.a);
  emu::SparseMatrix s;
  try {
    s = emu::compress(dense);
  } catch (const Error& e) {
    fail("{}: {} (`twofour prune`)", files[0], e.what());
  }
  if (!FLAGS_metadata.empty() && s.cols % i.shape.k != 0)
    fail("{}: K = {} does not divide into tiles of {} (k {}); pad the matrix with zeros", files[0], s.cols,
         isa::short_name(i), i.shape.k);
  const std::int64_t tiles_m = (s.rows() + i.shape.m - 1) / i.shape.m, tiles_k = s.cols / i.shape.k;
  if (!FLAGS_values.empty()) emu::write_npy(FLAGS_values, s.values);
  if (!FLAGS_codes.empty()) emu::write_npy(FLAGS_codes, s.codes, s.rows(), s.groups());
  if (!FLAGS_metadata.empty())
    emu::write_npy(FLAGS_metadata, emu::encode_metadata({s.rows(), s.groups(), s.codes},
                                                        {emu::MetadataLayout::ptx, i, selector}));
  if (FLAGS_json) {
    print_json("compress", {{"input", files[0]},
                            {"dtype", isa::name(i.a)},
                            {"rows", s.rows()},
                            {"columns", s.cols},
                            {"groups_per_row", s.groups()},
                            {"instruction", isa::ptx_name(i)},
                            {"selector", selector},
                            {"tiles_m", tiles_m},
                            {"tiles_k", tiles_k},
                            {"values", FLAGS_values},
                            {"metadata", FLAGS_metadata},
                            {"codes", FLAGS_codes}});
    return exit_ok;
  }
  fmt::print("{}: {} x {} {} compressed to {} x {} values and {} codes a row, for {} with selector {}\n",
             files[0], s.rows(), s.cols, isa::name(i.a), s.rows(), s.values.cols(), s.groups(),
             isa::ptx_name(i), selector);
  return exit_ok;
}

}  // namespace

Command compress_command() {
  return {"compress",
          "IN.npy",
          "compress a 2:4 matrix to kept values and metadata in the instruction's register order",
          "Metadata row t * tiles_k + u holds the `e` register of each lane for row tile t and k tile u.\n"
          "Example: twofour compress pruned.npy --dtype f16 --values v.npy --metadata e.npy\n"
          "Exit status: 0 done, 2 the matrix is not 2:4 or the input was refused.",
          {"dtype", "instruction", "selector", "values", "metadata", "codes", "json"},
          1,
          1,
          run};
}

}  // namespace twofour::cli
