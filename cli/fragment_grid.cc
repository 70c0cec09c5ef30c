#include "twofour/cli/fragment_grid.h"

#include <fmt/format.h>

#include <algorithm>

#include "twofour/cli/metadata_source.h"
#include "twofour/isa/sparsity.h"

namespace twofour::cli {
namespace {

/// Elements that one cell spans in each direction.
struct Span {
  int rows = 1, cols = 1;
};

bool has_copies(const isa::FragmentMap& map) {
  return std::any_of(map.places.begin(), map.places.end(), [](const auto& p) { return p.size() > 1; });
}

bool same_registers(const std::vector<isa::FragmentPlace>& x, const std::vector<isa::FragmentPlace>& y) {
  if (x.size() != y.size()) return false;
  for (std::size_t n = 0; n < x.size(); ++n)
    if (x[n].lane != y[n].lane || x[n].reg != y[n].reg) return false;
  return true;
}

/// True if every element lies in the registers of the first element of its span.
bool spans_registers(const isa::FragmentMap& map, Span span) {
  if (map.rows % span.rows != 0 || map.cols % span.cols != 0) return false;
  for (int row = 0; row < map.rows; ++row)
    for (int col = 0; col < map.cols; ++col)
      if (!same_registers(map.at(row, col), map.at(row / span.rows * span.rows, col / span.cols * span.cols)))
        return false;
  return true;
}

/// The longest run of elements, along a row or down a column, that share their registers.
Span register_span(const isa::FragmentMap& map, int per_register) {
  for (int n = per_register; n > 1; n /= 2) {
    if (spans_registers(map, {1, n})) return {1, n};
    if (spans_registers(map, {n, 1})) return {n, 1};
  }
  return {};
}

std::string register_text(const isa::FragmentPlace& p, bool with_element) {
  if (p.count > 1) return fmt::format("r{}-{}", p.reg, p.reg + 1);
  return with_element ? fmt::format("r{}.{}", p.reg, p.element) : fmt::format("r{}", p.reg);
}

GridCell cell(const std::vector<isa::FragmentPlace>& places, bool with_element) {
  std::string text;
  int lane = -1;
  for (const auto& p : places) {
    const std::string reg = register_text(p, with_element);
    text += p.lane == lane ? "/" + reg : fmt::format("{}T{}:{}", text.empty() ? "" : "+", p.lane, reg);
    lane = p.lane;
  }
  return {text, places.empty() ? -1 : places[0].lane};
}

std::vector<std::string> labels(int count, int span) {
  std::vector<std::string> out;
  for (int at = 0; at < count; at += span)
    out.push_back(span == 1 ? fmt::format("{}", at) : fmt::format("{}-{}", at, at + span - 1));
  return out;
}

std::string operand_name(isa::Operand o) {
  return std::string(1, "ABCD"[std::size_t(o)]);
}

std::string fragment_title(const isa::Instruction& i, isa::Operand o) {
  const isa::Shape size = isa::tile(i, o);
  const std::string kept =
      o == isa::Operand::a && i.is_sparse() ? fmt::format(" (the kept half of {} columns)", i.shape.k) : "";
  return fmt::format("{} of {}: {} x {} {}{}", operand_name(o), isa::short_name(i), size.m, size.n,
                     isa::name(isa::element(i, o)), kept);
}

std::string fragment_legend(const isa::Instruction& i, isa::Operand o, Span span) {
  const isa::ElementType type = isa::element(i, o);
  const int width = isa::bits(type), per_register = isa::elements_per_register(type);
  const int cell_elements = span.rows * span.cols;
  if (width > 32) return "T13:r2-3: registers 2 (low half) and 3 of lane 13";
  if (per_register == 1) return "T13:r2: register 2 of lane 13";
  if (cell_elements == 1)
    return fmt::format("T13:r2.1: bits {}-{} of register 2 of lane 13", width, 2 * width - 1);
  return fmt::format("T13:r2: register 2 of lane 13; a cell spans {} elements along {}, lowest bits first",
                     cell_elements, span.rows > 1 ? axes(o).row : axes(o).col);
}

}  // namespace

Axes axes(isa::Operand o) {
  switch (o) {
    case isa::Operand::a: return {"m", "k"};
    case isa::Operand::b: return {"k", "n"};
    default: return {"m", "n"};
  }
}

Grid fragment_grid(const isa::Instruction& i, isa::Operand o, bool merged) {
  const isa::FragmentMap map = isa::fragment_map(i, o);
  const int per_register = isa::elements_per_register(isa::element(i, o));
  const Span span = merged ? register_span(map, per_register) : Span{};
  const bool with_element = per_register > span.rows * span.cols;
  Grid grid{fragment_title(i, o),        fragment_legend(i, o, span), axes(o).row, axes(o).col,
            labels(map.rows, span.rows), labels(map.cols, span.cols), {}};
  if (has_copies(map)) grid.legend += "; r0/r4: copies in both";
  for (int row = 0; row < map.rows; row += span.rows)
    for (int col = 0; col < map.cols; col += span.cols)
      grid.cells.push_back(cell(map.at(row, col), with_element));
  return grid;
}

Grid metadata_grid(const isa::Instruction& i, int selector) {
  Grid grid{fmt::format("E of {}, {}: a code for {} columns of A", isa::short_name(i),
                        selector_text(i, selector), isa::group_columns(i.sparsity)),
            "T13.1: nibble 1 (bits 4-7) of the metadata register of lane 13",
            "m",
            "group",
            labels(i.shape.m, 1),
            labels(i.groups(), 1),
            {}};
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group) {
      const auto at = isa::metadata_place(i, row, group, selector);
      grid.cells.push_back({fmt::format("T{}.{}", at.lane, at.shift / 4), at.lane});
    }
  return grid;
}

}  // namespace twofour::cli
