#include <fmt/format.h>
#include <gflags/gflags.h>

#include <cstdio>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/metadata_source.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"

DEFINE_string(from, "", "layout of the input: logical ptx cutlass pytorch");
DEFINE_string(to, "", "layout of the output: logical ptx cutlass pytorch");
DECLARE_int64(selector);

namespace twofour::cli {
namespace {

emu::MetadataLayout layout_of(const char* flag, const std::string& value) {
  if (value.empty()) fail("--{} is not given: logical, ptx, cutlass or pytorch", flag);
  return emu::parse_metadata_layout(value);
}

/// Codes that are not ordered: refused by --strict, told on stderr otherwise.
void report_unordered(const std::string& file, const emu::MetadataCodes& codes,
                      const emu::MetadataSurvey& survey, const isa::Instruction& i) {
  if (survey.not_ordered() == 0) return;
  const std::string what = fmt::format("{}: {}; first: {}", file, counts_text(survey),
                                       emu::finding_text(codes, i, survey.findings.at(0)));
  if (FLAGS_strict) fail("{} (--strict writes nothing)", what);
  fmt::print(stderr, "twofour: warning: {}\n", what);
}

int run(std::span<const std::string> files) {
  if (FLAGS_output.empty()) fail("--output names the file to write: give one");
  const isa::Instruction& i = metadata_instruction();
  const int selector = metadata_selector(i);
  const emu::MetadataForm from{layout_of("from", FLAGS_from), i, selector};
  const emu::MetadataForm to{layout_of("to", FLAGS_to), i, selector};
  const emu::MetadataCodes codes = read_metadata(files[0], from);
  const emu::MetadataSurvey survey = emu::survey_metadata(codes, i, selector, 1);
  emu::IntegerArray array;
  try {
    array = emu::encode_metadata(codes, to);
  } catch (const Error& e) {
    fail("{}: {}", files[0], e.what());
  }
  report_unordered(files[0], codes, survey, i);
  emu::write_npy(FLAGS_output, array);
  if (FLAGS_json) {
    print_json("metadata convert", {{"input", files[0]},
                                    {"from", FLAGS_from},
                                    {"output", FLAGS_output},
                                    {"to", FLAGS_to},
                                    {"instruction", isa::ptx_name(i)},
                                    {"selector", selector},
                                    {"rows", codes.rows},
                                    {"columns", codes.groups * isa::group_columns(i.sparsity)},
                                    {"groups_per_row", codes.groups},
                                    {"array", {{"dtype", array.dtype}, {"shape", {array.rows, array.cols}}}},
                                    {"not_ordered", survey.not_ordered()},
                                    {"undefined", survey.undefined()}});
    return exit_ok;
  }
  fmt::print("{}: metadata of {}, {} to {}: {} x {} of '{}' in {}\n", files[0], matrix_text(codes, i),
             FLAGS_from, FLAGS_to, array.rows, array.cols, array.dtype, FLAGS_output);
  return exit_ok;
}

}  // namespace

Command metadata_convert_command() {
  return {
      "metadata convert",
      "IN.npy",
      "convert sparse metadata between logical, PTX register, CUTLASS and PyTorch layout",
      "Layouts (docs/metadata.md): logical, uint8 M x groups, one code each; ptx, uint32 tiles x 32 lanes "
      "for --selector,\nas `twofour compress` writes (needs --k); cutlass, uint16 or uint32, reordered, in "
      "memory order; pytorch, the same\nbytes as int16 or int32 M x K/16 (f16, bf16), K/8 (tf32), K/32 "
      "(s8).\n"
      "Example: twofour metadata convert e.npy --dtype f16 --k 1024 --from ptx --to pytorch --output "
      "meta.npy\n"
      "Exit status: 0 done, 2 input refused.",
      {"from", "to", "dtype", "instruction", "selector", "m", "k", "output", "strict", "json"},
      1,
      1,
      run};
}

}  // namespace twofour::cli
