#include <fmt/format.h>
#include <gflags/gflags.h>

#include <optional>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/metadata_source.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"

DEFINE_string(layout, "", "layout of the file: logical ptx cutlass pytorch");
DEFINE_string(against, "", "metadata file that holds the expected codes");
DEFINE_string(against_layout, "", "layout of that file; empty: the same");
DECLARE_int64(selector);

namespace twofour::cli {
namespace {

constexpr std::size_t findings_shown = 16;

struct Report {
  const isa::Instruction& instruction;
  int selector;
  std::string file;
  emu::MetadataLayout layout;
  emu::MetadataCodes codes;
  emu::MetadataSurvey survey;
  std::optional<emu::MetadataCodes> expected;
  emu::MetadataDifference difference;
  std::optional<int> better_selector;  ///< the file makes sense under this one instead
  bool ok = false;
};

/// A selector, other than the one given, under which every code of a ptx file is ordered.
std::optional<int> find_better_selector(const Report& r) {
  if (r.layout != emu::MetadataLayout::ptx || r.survey.not_ordered() == 0) return {};
  for (int selector = 0; selector < r.instruction.selectors(); ++selector) {
    if (selector == r.selector) continue;
    const auto codes = read_metadata(r.file, {r.layout, r.instruction, selector});
    if (emu::survey_metadata(codes, r.instruction, selector, 0).not_ordered() == 0) return selector;
  }
  return {};
}

void compare(Report& r) {
  const auto layout =
      FLAGS_against_layout.empty() ? r.layout : emu::parse_metadata_layout(FLAGS_against_layout);
  r.expected = read_metadata(FLAGS_against, {layout, r.instruction, r.selector});
  try {
    r.difference = emu::compare_metadata(r.codes, *r.expected, r.instruction, r.selector);
  } catch (const Error& e) {
    fail("{} and {}: {}", r.file, FLAGS_against, e.what());
  }
}

Report examine(const std::string& file) {
  if (FLAGS_layout.empty()) fail("--layout is not given: logical, ptx, cutlass or pytorch");
  const isa::Instruction& i = metadata_instruction();
  Report r{i, metadata_selector(i), file, emu::parse_metadata_layout(FLAGS_layout), {}, {}, {}, {}, {}};
  r.codes = read_metadata(file, {r.layout, i, r.selector});
  r.survey = emu::survey_metadata(r.codes, i, r.selector, findings_shown);
  if (!FLAGS_against.empty()) compare(r);
  r.better_selector = find_better_selector(r);
  const bool ordered = FLAGS_strict || i.family == isa::Family::mma_sp_ordered;
  const std::int64_t refused = ordered ? r.survey.not_ordered() : r.survey.undefined();
  r.ok = refused == 0 && r.difference.count == 0;
  return r;
}

nlohmann::ordered_json columns_json(const isa::Instruction& i, std::uint8_t code, std::int64_t group) {
  auto columns = nlohmann::ordered_json::array();
  for (int stored = 0; stored < isa::stored_columns(i.sparsity); ++stored)
    columns.push_back(group * isa::group_columns(i.sparsity) + isa::logical_column(i.sparsity, code, stored));
  return columns;
}

nlohmann::ordered_json place_json(const Report& r, const emu::CodePlace& p) {
  const std::uint8_t code = r.codes.code(p.row, p.group);
  return {{"row", p.row},
          {"group", p.group},
          {"code", code},
          {"kind", isa::name(isa::code_kind(r.instruction.sparsity, code))},
          {"columns", columns_json(r.instruction, code, p.group)},
          {"tile_m", p.tile_m},
          {"tile_k", p.tile_k},
          {"lane", p.at.lane},
          {"bit", p.at.shift},
          {"word", emu::metadata_word(r.codes, r.instruction, p)}};
}

void print_as_json(const Report& r) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array(), counts, against;
  for (const auto& p : r.survey.findings) findings.push_back(place_json(r, p));
  for (std::size_t kind = 0; kind < r.survey.count.size(); ++kind)
    counts[std::string(isa::name(isa::CodeKind(kind)))] = r.survey.count[kind];
  if (r.expected) {
    against = {{"file", FLAGS_against}, {"differing", r.difference.count}};
    if (const auto& first = r.difference.first) {
      const std::uint8_t code = r.expected->code(first->row, first->group);
      against["first"] = place_json(r, *first);
      against["expected_code"] = code;
      against["expected_columns"] = columns_json(r.instruction, code, first->group);
    }
  }
  print_json("metadata check", {{"input", r.file},
                                {"layout", emu::name(r.layout)},
                                {"instruction", isa::ptx_name(r.instruction)},
                                {"selector", r.selector},
                                {"rows", r.codes.rows},
                                {"columns", r.codes.groups * isa::group_columns(r.instruction.sparsity)},
                                {"groups_per_row", r.codes.groups},
                                {"counts", counts},
                                {"findings", findings},
                                {"against", against},
                                {"ok", r.ok}});
}

void print_text(const Report& r) {
  fmt::print("{}: metadata of {}, layout {}: {} codes, {}\n", r.file, matrix_text(r.codes, r.instruction),
             emu::name(r.layout), r.codes.codes.size(), counts_text(r.survey));
  fmt::print("places are those of {}, selector {}\n", isa::ptx_name(r.instruction), r.selector);
  for (const auto& p : r.survey.findings) fmt::print("  {}\n", emu::finding_text(r.codes, r.instruction, p));
  if (const auto left = r.survey.not_ordered() - std::int64_t(r.survey.findings.size()); left > 0)
    fmt::print("  and {} more\n", left);
  if (r.better_selector)
    fmt::print("every code is ordered with --selector {}: was the file made for that one?\n",
               *r.better_selector);
  if (r.expected && r.difference.count == 0) fmt::print("all codes equal those of {}\n", FLAGS_against);
  if (const auto& first = r.difference.first)
    fmt::print("{} of {} codes differ from {}; first:\n  {}\n", r.difference.count, r.codes.codes.size(),
               FLAGS_against, emu::difference_text(r.codes, *r.expected, r.instruction, *first));
}

int run(std::span<const std::string> files) {
  const Report r = examine(files[0]);
  FLAGS_json ? print_as_json(r) : print_text(r);
  return r.ok ? exit_ok : exit_verdict;
}

}  // namespace

Command metadata_check_command() {
  return {
      "metadata check",
      "FILE.npy",
      "check sparse metadata: illegal codes, or codes that differ from another file's",
      "Undefined codes (both indices equal; tf32: neither 0x4 nor 0xE) fail. Descending codes, which plain "
      "mma.sp allows\nand mma.sp::ordered_metadata does not, are told, and fail with --strict or\nif "
      "--instruction is an ordered one.\n"
      "Example: twofour metadata check e.npy --layout ptx --dtype f16 --k 1024 --against codes.npy "
      "--against-layout logical\n"
      "Exit status: 0 legal and equal, 1 not, 2 input refused.",
      {"layout", "dtype", "instruction", "selector", "m", "k", "against", "against_layout", "strict", "json"},
      1,
      1,
      run};
}

}  // namespace twofour::cli
