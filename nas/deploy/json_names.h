#pragma once
// How a deployed network's JSON spells things. Private to nas/deploy.
#include <array>
#include <string_view>
#include <utility>

#include "twofour/nas/graph/layer_kinds.h"

namespace twofour::nas {

inline constexpr std::string_view deployed_kind = "twofour deployed network";

inline constexpr std::array<std::pair<Activation, std::string_view>, 3> activation_names{
    {{Activation::none, "none"}, {Activation::relu, "relu"}, {Activation::relu6, "relu6"}}};
inline constexpr std::array<std::pair<PoolKind, std::string_view>, 3> pool_names{
    {{PoolKind::none, "none"}, {PoolKind::max, "max"}, {PoolKind::global_average, "global_average"}}};

constexpr std::string_view json_name(Activation a) {
  return activation_names[static_cast<std::size_t>(a)].second;
}
constexpr std::string_view json_name(PoolKind k) {
  return pool_names[static_cast<std::size_t>(k)].second;
}

}  // namespace twofour::nas
