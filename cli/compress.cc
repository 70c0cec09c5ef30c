#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/isa/error.h"

DEFINE_string(values, "", "write the kept elements to this .npy file, M x K/2");
DEFINE_string(
    metadata, "",
    "write the metadata registers to this .npy file: uint32, one row of 32 lanes an instruction tile");
DEFINE_string(codes, "", "write the codes to this .npy file: uint8, M x groups, idx0 | idx1 << 2");
DEFINE_int64(selector, 0, "sparsity selector that the metadata registers are laid out for");

namespace twofour::cli {
namespace {

const isa::Instruction& sparse_instruction(isa::ElementType type) {
  if (!FLAGS_instruction.empty()) {
    const auto& i = isa::find_instruction(FLAGS_instruction);
    if (!i.is_sparse()) fail("--instruction: {} is not sparse", isa::ptx_name(i));
    if (i.a != type)
      fail("--instruction: {} takes {}, --dtype is {}", isa::ptx_name(i), isa::name(i.a), isa::name(type));
    return i;
  }
  if (isa::sparse_form(type) == isa::Sparsity::dense) fail("{} has no sparse instruction", isa::name(type));
  return emu::choose_instruction(type, type,
                                 isa::is_float(type) ? isa::ElementType::f32 : isa::ElementType::s32, true);
}

/// Tiles in row-major order: all k tiles of the first 16 rows, then of the next.
std::vector<std::uint32_t> all_registers(const emu::SparseMatrix& s, const isa::Instruction& i,
                                         std::int64_t tiles_m, std::int64_t tiles_k) {
  std::vector<std::uint32_t> words;
  for (std::int64_t m = 0; m < tiles_m; ++m)
    for (std::int64_t k = 0; k < tiles_k; ++k) {
      const auto registers = emu::metadata_registers(s, i, m, k, int(FLAGS_selector));
      words.insert(words.end(), registers.begin(), registers.end());
    }
  return words;
}

int run(std::span<const std::string> files) {
  const auto type = isa::parse_element(FLAGS_dtype);
  const auto& i = sparse_instruction(type);
  if (FLAGS_selector < 0 || FLAGS_selector >= i.selectors())
    fail("--selector {} is out of range: {} takes 0 to {}", FLAGS_selector, isa::ptx_name(i),
         i.selectors() - 1);
  if (FLAGS_values.empty() && FLAGS_metadata.empty() && FLAGS_codes.empty())
    fail("nothing to write: give --values, --metadata or --codes");
  const emu::PackedMatrix dense = emu::read_npy(files[0], type);
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
    emu::write_npy(FLAGS_metadata, all_registers(s, i, tiles_m, tiles_k), tiles_m * tiles_k, 32);
  if (FLAGS_json) {
    print_json("compress", {{"input", files[0]},
                            {"dtype", FLAGS_dtype},
                            {"rows", s.rows()},
                            {"columns", s.cols},
                            {"groups_per_row", s.groups()},
                            {"instruction", isa::ptx_name(i)},
                            {"selector", FLAGS_selector},
                            {"tiles_m", tiles_m},
                            {"tiles_k", tiles_k},
                            {"values", FLAGS_values},
                            {"metadata", FLAGS_metadata},
                            {"codes", FLAGS_codes}});
    return exit_ok;
  }
  fmt::print("{}: {} x {} {} compressed to {} x {} values and {} codes a row, for {} with selector {}\n",
             files[0], s.rows(), s.cols, FLAGS_dtype, s.rows(), s.values.cols(), s.groups(), isa::ptx_name(i),
             FLAGS_selector);
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
