#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/metadata_element.h"
#include "twofour/cli/metadata_source.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"

DEFINE_string(word, "", "explain this `e` register, in hexadecimal, of lane --lane");
DEFINE_int64(tile, 0, "tile of the matrix to explain: tile_m * tiles_k + tile_k");
DECLARE_int64(lane);
DECLARE_int64(row);
DECLARE_int64(col);
DECLARE_int64(selector);
DECLARE_string(layout);

namespace twofour::cli {
namespace {

/// One code of the instruction's tile: where it lies, and its value if there is metadata to read.
struct Nibble {
  isa::MetadataPlace at;
  int row, group;
  std::optional<std::uint8_t> code;
};

/// What is explained: the instruction alone, one lane's word, or a tile of a file.
struct Subject {
  const isa::Instruction& instruction;
  int selector;
  std::vector<Nibble> nibbles;               ///< by lane, then bit
  std::optional<emu::MetadataCodes> matrix;  ///< of the file
  std::int64_t tile_m = 0, tile_k = 0;
};

std::uint32_t parse_word(const std::string& text) {
  const std::string_view digits = std::string_view(text).substr(text.starts_with("0x") ? 2 : 0);
  std::uint32_t word = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), word, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
    fail("--word '{}' is not a 32-bit hexadecimal word such as 0xEEEE4444", text);
  return word;
}

std::vector<Nibble> all_nibbles(const isa::Instruction& i, int selector) {
  std::vector<Nibble> out;
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group)
      out.push_back({isa::metadata_place(i, row, group, selector), row, group, {}});
  std::sort(out.begin(), out.end(), [](const Nibble& x, const Nibble& y) {
    return std::pair(x.at.lane, x.at.shift) < std::pair(y.at.lane, y.at.shift);
  });
  return out;
}

void keep_lane(Subject& s, std::int64_t lane) {
  std::erase_if(s.nibbles, [&](const Nibble& n) { return n.at.lane != lane; });
  if (s.nibbles.empty())
    fail("--lane {}: {} with selector {} reads no codes from that lane", lane, isa::ptx_name(s.instruction),
         s.selector);
}

void take_file(Subject& s, const std::string& file) {
  if (FLAGS_layout.empty()) fail("--layout of {} is not given: logical, ptx, cutlass or pytorch", file);
  const isa::Instruction& i = s.instruction;
  s.matrix = read_metadata(file, {emu::parse_metadata_layout(FLAGS_layout), i, s.selector});
  const std::int64_t tiles_m = (s.matrix->rows + i.shape.m - 1) / i.shape.m;
  const std::int64_t tiles_k = (s.matrix->groups + i.groups() - 1) / i.groups();
  if (FLAGS_tile < 0 || FLAGS_tile >= tiles_m * tiles_k)
    fail("--tile {}: {} has {} x {} tiles", FLAGS_tile, file, tiles_m, tiles_k);
  s.tile_m = FLAGS_tile / tiles_k, s.tile_k = FLAGS_tile % tiles_k;
  for (Nibble& n : s.nibbles) {
    const std::int64_t row = s.tile_m * i.shape.m + n.row, group = s.tile_k * i.groups() + n.group;
    if (row < s.matrix->rows && group < s.matrix->groups) n.code = s.matrix->code(row, group);
  }
  std::erase_if(s.nibbles, [](const Nibble& n) { return !n.code; });
}

Subject make_subject(std::span<const std::string> files) {
  const isa::Instruction& i = metadata_instruction();
  Subject s{i, metadata_selector(i), {}, {}, 0, 0};
  s.nibbles = all_nibbles(i, s.selector);
  if (!files.empty() && !FLAGS_word.empty()) fail("give a file or --word, not both");
  if (!files.empty()) take_file(s, files[0]);
  if (!FLAGS_word.empty()) {
    const std::uint32_t word = parse_word(FLAGS_word);
    keep_lane(s, std::max<std::int64_t>(FLAGS_lane, 0));
    for (Nibble& n : s.nibbles) n.code = std::uint8_t(word >> n.at.shift & 0xF);
  } else if (FLAGS_lane >= 0) {
    keep_lane(s, FLAGS_lane);
  }
  return s;
}

std::int64_t matrix_group(const Subject& s, const Nibble& n) {
  return s.tile_k * s.instruction.groups() + n.group;
}
std::int64_t first_column(const Subject& s, const Nibble& n) {
  return matrix_group(s, n) * isa::group_columns(s.instruction.sparsity);
}

/// "21,22" of a code; "20-23" where there is none.
std::string columns_text(const Subject& s, const Nibble& n) {
  const isa::Sparsity form = s.instruction.sparsity;
  const std::int64_t first = first_column(s, n);
  if (!n.code) return fmt::format("{}-{}", first, first + isa::group_columns(form) - 1);
  std::string text;
  for (int stored = 0; stored < isa::stored_columns(form); ++stored)
    text += fmt::format("{}{}", stored == 0 ? "" : ",", first + isa::logical_column(form, *n.code, stored));
  return isa::code_kind(form, *n.code) == isa::CodeKind::ordered ? text : text + "!";
}

/// Up to four codes of one row stand side by side in half a word: a line each.
void print_half_word(const Subject& s, std::span<const Nibble> half) {
  const Nibble& first = half.front();
  std::string values, columns;
  for (const Nibble& n : half) {
    if (n.code) values += fmt::format("{:X} ", *n.code);
    columns += fmt::format("{}{}", columns.empty() ? "" : " | ", columns_text(s, n));
  }
  fmt::print("{:>4}  {:<6} {:>5}  {:<11} {}{}{}\n", first.at.lane,
             fmt::format("{}-{}", first.at.shift, half.back().at.shift + 3),
             s.tile_m * s.instruction.shape.m + first.row,
             fmt::format("{}-{}", matrix_group(s, first), matrix_group(s, half.back())), values,
             values.empty() ? "" : " ", columns);
}

void print_half_words(const Subject& s) {
  const bool codes = s.nibbles.at(0).code.has_value();
  fmt::print("{:>4}  {:<6} {:>5}  {:<11} {}{}\n", "lane", "bits", "row", "groups", codes ? "codes    " : "",
             codes ? "columns that each keeps" : "columns of each");
  const std::span<const Nibble> all = s.nibbles;
  for (std::size_t at = 0, end = 0; at < all.size(); at = end) {
    const auto half = [&](std::size_t n) { return 2 * all[n].at.lane + all[n].at.shift / 16; };
    while (end < all.size() && half(end) == half(at)) ++end;
    print_half_word(s, all.subspan(at, end - at));
  }
}

void print_findings(const Subject& s) {
  for (const Nibble& n : s.nibbles)
    if (n.code && isa::code_kind(s.instruction.sparsity, *n.code) != isa::CodeKind::ordered)
      fmt::print("! row {} group {}: {}; {}\n", s.tile_m * s.instruction.shape.m + n.row, matrix_group(s, n),
                 isa::code_text(s.instruction.sparsity, *n.code, first_column(s, n)), isa::place_text(n.at));
}

std::string_view kind_text(isa::CodeKind kind) {
  switch (kind) {
    case isa::CodeKind::ordered: break;
    case isa::CodeKind::descending: return "legal for plain mma.sp only";
    case isa::CodeKind::duplicate: return "undefined; here each index selects on its own";
    case isa::CodeKind::mixed: return "undefined; here idx0 decides";
  }
  return "";
}

void print_code_table(const isa::Instruction& i) {
  fmt::print("\nA code is idx0 | idx1 << 2{}.\n",
             i.sparsity == isa::Sparsity::one_of_two
                 ? "; a tf32 element counts as its two 16-bit halves"
                 : (i.sparsity == isa::Sparsity::pairs_of_eight ? ", and each index selects a pair of columns"
                                                                : ""));
  std::array<std::string, 4> others;
  for (int code = 0; code < 16; ++code) {
    const auto kind = isa::code_kind(i.sparsity, std::uint8_t(code));
    if (kind == isa::CodeKind::ordered)
      fmt::print("  0x{:X} keeps {} of the group\n", code,
                 isa::kept_columns_text(i.sparsity, std::uint8_t(code), 0));
    else
      others[std::size_t(kind)] += fmt::format(" 0x{:X}", code);
  }
  for (std::size_t kind = 0; kind < others.size(); ++kind)
    if (!others[kind].empty())
      fmt::print("  {}{}: {}\n", isa::name(isa::CodeKind(kind)), others[kind],
                 kind_text(isa::CodeKind(kind)));
}

/// The element of --row and --col, with its code where the file or the word holds it.
ElementReport subject_element(const Subject& s) {
  const isa::Instruction& i = s.instruction;
  const int columns = isa::group_columns(i.sparsity);
  const std::int64_t rows = s.matrix ? s.matrix->rows : i.shape.m;
  const std::int64_t cols = s.matrix ? s.matrix->groups * columns : std::int64_t(i.shape.k);
  if (FLAGS_row < 0 || FLAGS_row >= rows || FLAGS_col < 0 || FLAGS_col >= cols)
    fail("--row {} --col {}: A is {} x {}", FLAGS_row, FLAGS_col, rows, cols);
  const std::int64_t group = FLAGS_col / columns;
  std::optional<std::uint8_t> code;
  if (s.matrix) code = s.matrix->code(FLAGS_row, group);
  for (const Nibble& n : s.nibbles)
    if (!s.matrix && n.row == FLAGS_row && n.group == group) code = n.code;
  return element_report(i, s.selector, FLAGS_row, FLAGS_col, code);
}

nlohmann::ordered_json nibbles_json(const Subject& s) {
  const isa::Sparsity form = s.instruction.sparsity;
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Nibble& n : s.nibbles) {
    nlohmann::ordered_json one{{"lane", n.at.lane},
                               {"bit", n.at.shift},
                               {"row", s.tile_m * s.instruction.shape.m + n.row},
                               {"group", matrix_group(s, n)},
                               {"first_column", first_column(s, n)}};
    if (n.code) {
      one["code"] = *n.code;
      one["kind"] = isa::name(isa::code_kind(form, *n.code));
      for (int stored = 0; stored < isa::stored_columns(form); ++stored)
        one["columns"].push_back(first_column(s, n) + isa::logical_column(form, *n.code, stored));
    }
    out.push_back(one);
  }
  return out;
}

int run(std::span<const std::string> files) {
  const Subject s = make_subject(files);
  const isa::Instruction& i = s.instruction;
  const bool element = FLAGS_row >= 0 || FLAGS_col >= 0;
  if (FLAGS_json) {
    nlohmann::ordered_json fields{
        {"instruction", isa::ptx_name(i)}, {"selector", s.selector}, {"selectors", i.selectors()}};
    if (element)
      fields["element"] = element_json(i, subject_element(s));
    else
      fields["nibbles"] = nibbles_json(s);
    print_json("metadata explain", fields);
    return exit_ok;
  }
  if (element) {
    print_element(i, subject_element(s));
    return exit_ok;
  }
  fmt::print("{}, {}: {} codes a row, each for {} columns\n", isa::short_name(i),
             selector_text(i, s.selector), i.groups(), isa::group_columns(i.sparsity));
  print_half_words(s);
  print_findings(s);
  if (!s.nibbles[0].code) print_code_table(i);
  return exit_ok;
}

}  // namespace

Command metadata_explain_command() {
  return {
      "metadata explain",
      "[FILE.npy]",
      "say what each nibble of the metadata register selects, and where an element of A goes",
      "Without a file: the places of all codes (of --lane), or the meaning of --word. With a file: one "
      "tile of it.\nWith --row and --col: where that element of the dense A and its code go.\n"
      "Example: twofour metadata explain -i sp.m16n8k32.f32.f16.f16.f32 --word 0x4449EEEE --lane 13\n"
      "Exit status: 0 done, 2 input refused.",
      {"instruction", "dtype", "selector", "word", "lane", "row", "col", "layout", "m", "k", "tile", "json"},
      0,
      1,
      run};
}

}  // namespace twofour::cli
