#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// Something that a space file says, and where ("my.toml:12: 'menu'").
template <class T>
struct Said {
  T value{};
  std::string where;  ///< empty: not said
  bool given() const { return !where.empty(); }
};

/// What the file says of one layer alone.
struct LayerSettings {
  std::string where;
  Said<std::vector<Option>> menu;
  Said<std::vector<int>> kernels;
  Said<std::vector<double>> widths;
};

/// A space file's content, each value checked on its own; space_builder.h fits it to a network.
struct SpaceSettings {
  std::string file;
  bool shapes = false;  ///< kind "asps"
  Said<std::string> backbone;
  Said<std::vector<Option>> menu, edge_menu;
  Said<std::vector<int>> kernels;
  Said<std::vector<double>> widths;
  std::vector<Said<std::vector<std::string>>> ties;
  std::map<std::string, LayerSettings> layers;
};

/// Throws Error as parse_space.
SpaceSettings parse_settings(std::string_view text, const std::string& file);

/// Whether the layers on the edges of a network may take the option.
inline bool edge_legal(Option o) {
  return !info(o).sparse && !is_bit_serial(o) && info(o).weight_bits >= 8;
}

/// The space of the settings on a network. Throws Error as parse_space.
Space build_space(const SpaceSettings& settings, const Network& backbone);

}  // namespace twofour::nas
