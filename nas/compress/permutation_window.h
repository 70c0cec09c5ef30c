#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "twofour/isa/instruction.h"

namespace twofour::nas {

/// The ways in which the columns of a few groups (a window) can be dealt to as many groups. Two ways that
/// keep the same magnitudes whatever the weights are counted once.
struct WindowTable {
  static constexpr int most_columns = 24, most_groups = 3;
  using Group = std::array<std::uint8_t, 8>;  ///< columns of the window; the first group_width count
  using Regrouping = std::array<std::uint16_t, most_groups>;  ///< indices into `groups`

  int group_width = 0, window = 0;
  std::vector<Group> groups;
  std::vector<Regrouping> regroupings;  ///< the first leaves the columns as they are
};

WindowTable window_table(isa::Sparsity form, int window);

/// Rows are padded with zeros to a multiple of this.
inline constexpr std::int64_t row_lanes = 16;

/// value[g] = magnitude that group g of the table keeps over all rows; columns[i] is column i of the window.
void group_values(const WindowTable& table, isa::Sparsity form, const float* const* columns,
                  std::int64_t padded_rows, float* value);

}  // namespace twofour::nas
