#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/fragment_grid.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/isa/metadata_check.h"

DEFINE_string(operand, "", "operand to draw: A B C D, or E for the sparse metadata");
DEFINE_int64(lane, -1, "only what this lane holds, 0 to 31");
DEFINE_int64(register, -1, "only what this register of --lane holds");
DEFINE_int64(row, -1, "row of one element");
DEFINE_int64(col, -1, "column of one element (layout of E: its group)");
DECLARE_int64(selector);

namespace twofour::cli {
namespace {

constexpr std::size_t line_width = 110;
constexpr std::size_t most_text_rows = 32, most_svg_columns = 32, most_svg_rows = 64;

/// One register place of one element; for E, of one code (row, group).
struct Holding {
  int row, col;
  isa::FragmentPlace place;
};

struct Request {
  const isa::Instruction& instruction;
  std::string operand;  ///< "A" to "E"
  int rows, cols, registers;

  bool is_metadata() const { return operand == "E"; }
  isa::Operand fragment() const { return isa::Operand(operand[0] - 'A'); }
};

int registers_of(const isa::Instruction& i, isa::Operand o) {
  return isa::elements_per_lane(i, o) * isa::bits(isa::element(i, o)) / 32;
}

Request make_request() {
  if (FLAGS_instruction.empty())
    fail("--instruction names the instruction (`twofour isa` lists them): give one");
  const isa::Instruction& i = isa::find_instruction(FLAGS_instruction);
  std::string operand = FLAGS_operand;
  if (operand.size() == 1 && operand[0] >= 'a') operand[0] = char(operand[0] - 'a' + 'A');
  if (operand.size() != 1 || operand[0] < 'A' || operand[0] > 'E')
    fail("--operand '{}': A, B, C, D, or E for the sparse metadata", FLAGS_operand);
  if (operand == "E") {
    if (!i.is_sparse()) fail("{} is not sparse: it has no operand E", isa::ptx_name(i));
    if (FLAGS_selector < 0 || FLAGS_selector >= i.selectors())
      fail("--selector {} is out of range: {} takes 0 to {}", FLAGS_selector, isa::ptx_name(i),
           i.selectors() - 1);
    return {i, operand, i.shape.m, i.groups(), 1};
  }
  const auto o = isa::Operand(operand[0] - 'A');
  if (!isa::has_fragment(i, o)) fail("{} has no operand {}", isa::ptx_name(i), operand);
  return {i, operand, isa::tile(i, o).m, isa::tile(i, o).n, registers_of(i, o)};
}

std::vector<Holding> all_holdings(const Request& r) {
  std::vector<Holding> out;
  if (r.is_metadata()) {
    for (int row = 0; row < r.rows; ++row)
      for (int group = 0; group < r.cols; ++group) {
        const auto at = isa::metadata_place(r.instruction, row, group, int(FLAGS_selector));
        out.push_back({row, group, {at.lane, at.shift / 4, 0, 1, at.shift / 4, at.shift, 4}});
      }
    return out;
  }
  const isa::FragmentMap map = isa::fragment_map(r.instruction, r.fragment());
  for (int row = 0; row < r.rows; ++row)
    for (int col = 0; col < r.cols; ++col)
      for (const auto& place : map.at(row, col)) out.push_back({row, col, place});
  return out;
}

bool is_query() {
  return FLAGS_lane >= 0 || FLAGS_register >= 0 || FLAGS_row >= 0 || FLAGS_col >= 0;
}

void check_query(const Request& r) {
  if ((FLAGS_row >= 0) != (FLAGS_col >= 0)) fail("--row and --col name an element together: give both");
  if (FLAGS_register >= 0 && FLAGS_lane < 0) fail("--register {} of which lane? Give --lane", FLAGS_register);
  if (FLAGS_lane > 31) fail("--lane {}: lanes are 0 to 31", FLAGS_lane);
  if (FLAGS_register >= r.registers)
    fail("--register {}: {} has registers 0 to {} a lane", FLAGS_register, r.operand, r.registers - 1);
  if (FLAGS_row >= r.rows || FLAGS_col >= r.cols)
    fail("--row {} --col {}: {} is {} x {}", FLAGS_row, FLAGS_col, r.operand, r.rows, r.cols);
}

bool asked_for(const Holding& h) {
  const bool lane = FLAGS_lane < 0 || h.place.lane == FLAGS_lane;
  const bool reg =
      FLAGS_register < 0 || (FLAGS_register >= h.place.reg && FLAGS_register < h.place.reg + h.place.count);
  const bool element = FLAGS_row < 0 || (h.row == FLAGS_row && h.col == FLAGS_col);
  return lane && reg && element;
}

/// In the order of the lane's bits where a lane is asked for, else row by row.
std::vector<Holding> queried(const Request& r) {
  check_query(r);
  std::vector<Holding> out = all_holdings(r);
  std::erase_if(out, [](const Holding& h) { return !asked_for(h); });
  if (FLAGS_lane >= 0)
    std::sort(out.begin(), out.end(),
              [](const Holding& x, const Holding& y) { return x.place.index < y.place.index; });
  return out;
}

std::string query_text(const Request& r, const std::vector<Holding>& holdings) {
  std::string out;
  for (const Holding& h : holdings) {
    if (r.is_metadata())
      out += fmt::format("row {} group {}: {}\n", h.row, h.col,
                         isa::place_text(isa::MetadataPlace{h.place.lane, h.place.bit}));
    else
      out += fmt::format("{}[{}][{}]: {}\n", r.operand, h.row, h.col, isa::place_text(h.place));
  }
  return out.empty() ? "nothing lies there\n" : out;
}

std::string json_text(const Request& r, const std::vector<Holding>& holdings) {
  nlohmann::ordered_json elements = nlohmann::ordered_json::array();
  for (const Holding& h : holdings) {
    nlohmann::ordered_json one{
        {"row", h.row}, {r.is_metadata() ? "group" : "col", h.col}, {"lane", h.place.lane}};
    if (!r.is_metadata()) one["register"] = h.place.reg, one["element"] = h.place.element;
    one["bit"] = h.place.bit, one["bits"] = h.place.bits;
    if (h.place.count > 1) one["registers"] = h.place.count;
    elements.push_back(one);
  }
  nlohmann::ordered_json fields{{"instruction", isa::ptx_name(r.instruction)},
                                {"operand", r.operand},
                                {"rows", r.rows},
                                {"columns", r.cols},
                                {"registers_per_lane", r.registers}};
  if (r.is_metadata())
    fields["selector"] = FLAGS_selector;
  else
    fields["type"] = isa::name(isa::element(r.instruction, r.fragment()));
  fields["places"] = elements;
  return json_document("layout", fields);
}

/// Drawn by element where that is small enough, else by register.
Grid grid_of(const Request& r, bool svg) {
  if (r.is_metadata()) return metadata_grid(r.instruction, int(FLAGS_selector));
  const Grid fine = fragment_grid(r.instruction, r.fragment(), false);
  const bool fits =
      svg ? fine.row_labels.size() <= most_svg_rows && fine.col_labels.size() <= most_svg_columns
          : fine.row_labels.size() <= most_text_rows && text_width(fine) <= line_width;
  return fits ? fine : fragment_grid(r.instruction, r.fragment(), true);
}

std::string drawing(const Request& r, const std::string& format) {
  if (format == "json") return json_text(r, queried(r));
  if (format == "text")
    return is_query() ? query_text(r, queried(r)) : text_drawing(grid_of(r, false), line_width);
  if (format != "svg") fail("--format '{}': text, svg or json", format);
  if (is_query()) fail("--format svg draws the whole operand: leave out --lane, --register, --row and --col");
  return svg_drawing(grid_of(r, true));
}

int run(std::span<const std::string>) {
  const std::string out = drawing(make_request(), FLAGS_json             ? "json"
                                                  : FLAGS_format.empty() ? "text"
                                                                         : FLAGS_format);
  if (FLAGS_output.empty())
    fmt::print("{}", out);
  else
    isa::write_file(FLAGS_output, out);
  return exit_ok;
}

}  // namespace

Command layout_command() {
  return {
      "layout",
      "",
      "draw which lane and register holds which element of an operand",
      "--row and --col print the places of one element, --lane (and --register) what a lane holds.\n"
      "Example: twofour layout -i m16n8k16.f32.f16.f16.f32 --operand A --format svg -o a.svg\n"
      "Example: twofour layout -i sp.m16n8k64.s32.s8.s8.s32 --operand E --row 9 --col 9\n"
      "Exit status: 0 done, 2 input refused.",
      {"instruction", "operand", "format", "lane", "register", "row", "col", "selector", "output", "json"},
      0,
      0,
      run};
}

}  // namespace twofour::cli
