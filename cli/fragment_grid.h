#pragma once
#include <string>
#include <vector>

#include "twofour/isa/fragment_places.h"

namespace twofour::cli {

/// One drawn cell: its text, and the lane that colours it.
struct GridCell {
  std::string text;
  int lane;
};

/// A table to draw: an operand's tile with the holder of every element, or of every metadata code.
struct Grid {
  std::string title, legend;
  std::string row_axis, col_axis;  ///< "m", "k", "n" or "group"
  std::vector<std::string> row_labels, col_labels;
  std::vector<GridCell> cells;  ///< row-major
};

/// The fragment of an operand, a cell an element ("T13:r2.1": lane 13, register 2, element 1) or, merged, a
/// cell a register. Copies stand side by side: "T0:r0/r4".
Grid fragment_grid(const isa::Instruction& i, isa::Operand o, bool merged);

/// The metadata codes of a tile, a cell a code: "T13.1" is nibble 1 of lane 13's `e` register.
Grid metadata_grid(const isa::Instruction& i, int selector);

/// Plain text, in panels of whole columns if the lines would be longer than `width`.
std::string text_drawing(const Grid& grid, std::size_t width);
/// Columns of the longest line if the table is not cut into panels.
std::size_t text_width(const Grid& grid);

/// An SVG 1.1 document, cells coloured by lane.
std::string svg_drawing(const Grid& grid);

/// "m" and "k" of A, and so on; E has "group".
struct Axes {
  std::string row, col;
};
Axes axes(isa::Operand o);

}  // namespace twofour::cli
