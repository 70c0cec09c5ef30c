#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "twofour/isa/error.h"
#include "twofour/nas/space/space_file.h"
#include "twofour/nas/space/space_settings.h"

namespace twofour::nas {
namespace {

/// Tensors that must have equal channels, as sets; a set is fixed where its channels cannot be searched.
class TensorSets {
 public:
  explicit TensorSets(const Network& network) : parent_(network.layers.size() + 1) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (int l = 0; l < int(network.layers.size()); ++l) {
      const Layer& layer = network.layers[std::size_t(l)];
      if (layer.residual >= 0) join(l + 1, layer.residual);
      if (layer.depthwise()) join(l + 1, layer.input);
    }
    fixed_.assign(parent_.size(), false);
    fixed_[std::size_t(root(0))] = fixed_[std::size_t(root(int(network.layers.size())))] = true;
    for (const Layer& layer : network.layers)  // flattened maps
      if (layer.input > 0 &&
          network.layers[std::size_t(layer.input - 1)].shape.out_channels != layer.shape.in_channels)
        fixed_[std::size_t(root(layer.input))] = true;
  }

  int root(int tensor) const {
    while (parent_[std::size_t(tensor)] != tensor) tensor = parent_[std::size_t(tensor)];
    return tensor;
  }
  bool fixed(int tensor) const { return fixed_[std::size_t(root(tensor))]; }

 private:
  void join(int a, int b) {
    const int low = std::min(root(a), root(b)), high = std::max(root(a), root(b));
    parent_[std::size_t(high)] = low;
  }
  std::vector<int> parent_;
  std::vector<bool> fixed_;
};

class Builder {
 public:
  Builder(const SpaceSettings& settings, const Network& network)
      : settings_(settings), network_(network), sets_(network), widths_(network.layers.size() + 1) {}

  Space build() {
    check_names();
    space_.name = fmt::format("{} of {}", settings_.shapes ? "asps" : "msps", network_.name);
    space_.backbone = network_;
    find_widths();
    add_options();
    add_kernels();
    add_widths();
    check_space(space_);
    return std::move(space_);
  }

 private:
  const Layer& layer(int l) const { return network_.layers[std::size_t(l)]; }
  int layers() const { return int(network_.layers.size()); }
  bool edge(int l) const { return layer(l).input == 0 || l + 1 == layers(); }

  const LayerSettings* own(int l) const {
    const auto at = settings_.layers.find(layer(l).name);
    return at == settings_.layers.end() ? nullptr : &at->second;
  }

  int find_layer(const std::string& name, const std::string& where) const {
    for (int l = 0; l < layers(); ++l)
      if (layer(l).name == name) return l;
    std::vector<std::string> names;
    for (const Layer& l : network_.layers) names.push_back(l.name);
    fail("{}: {} has no layer '{}'; it has {}", where, network_.name, name, fmt::join(names, ", "));
  }

  void check_names() const {
    const auto& backbone = settings_.backbone;
    if (backbone.given() && backbone.value != "any" && backbone.value != network_.name)
      fail("{} is \"{}\", but the network is \"{}\"; use that network, or write \"any\"", backbone.where,
           backbone.value, network_.name);
    for (const auto& [name, settings] : settings_.layers) find_layer(name, settings.where);
  }

  // ---- widths

  /// Widths of the tensor sets, by root; empty: the backbone's holds.
  void find_widths() {
    if (!settings_.shapes) return;
    std::vector<const Said<std::vector<double>>*> said(widths_.size(), nullptr);
    for (int l = 0; l < layers(); ++l) {
      const LayerSettings* o = own(l);
      if (!o || !o->widths.given()) continue;
      if (sets_.fixed(l + 1))
        fail(
            "{}: the channels of '{}' cannot change: it shares them with the image, the scores or a "
            "flattened map; "
            "remove it",
            o->widths.where, layer(l).name);
      auto& first = said[std::size_t(sets_.root(l + 1))];
      if (first && first->value != o->widths.value)
        fail("{}: '{}' shares its channels with a layer that lists other widths ({}); list them once",
             o->widths.where, layer(l).name, first->where);
      first = &o->widths;
    }
    for (int l = 0; l < layers(); ++l) {
      if (sets_.fixed(l + 1)) continue;
      const auto root = std::size_t(sets_.root(l + 1));
      const auto& use = said[root] ? *said[root] : settings_.widths;
      for (const double factor : use.value)
        widths_[root].push_back(scaled_channels(layer(l).shape.out_channels, factor));
      std::ranges::sort(widths_[root]);
      widths_[root].erase(std::unique(widths_[root].begin(), widths_[root].end()), widths_[root].end());
    }
  }

  /// All channels that a tensor may have.
  std::vector<int> channels(int tensor, std::int64_t in_backbone) const {
    const auto& searched = widths_[std::size_t(sets_.root(tensor))];
    return searched.empty() ? std::vector<int>{int(in_backbone)} : searched;
  }

  void add_widths() {
    for (int root = 1; root <= layers(); ++root) {
      if (widths_[std::size_t(root)].empty()) continue;
      Decision d{DecisionKind::width, layer(root - 1).name + " width", {}, {}, {}};
      for (int l = 0; l < layers(); ++l)
        if (sets_.root(l + 1) == root) d.layers.push_back(l);
      d.sizes = widths_[std::size_t(root)];
      add_sizes(std::move(d), layer(root - 1).shape.out_channels);
    }
  }

  /// Leaves out decisions whose only value is the backbone's.
  void add_sizes(Decision d, std::int64_t in_backbone) {
    if (d.sizes != std::vector<int>{int(in_backbone)}) space_.decisions.push_back(std::move(d));
  }

  // ---- kernels

  void add_kernels() {
    for (int l = 0; l < layers(); ++l) {
      const LayerSettings* o = own(l);
      const bool listed = o && o->kernels.given();
      const std::string obstacle = kernel_obstacle(l);
      if (listed && !obstacle.empty())
        fail("{}: the kernel of '{}' cannot be searched: {}; remove it", o->kernels.where, layer(l).name,
             obstacle);
      if (!obstacle.empty() || (!listed && (!settings_.kernels.given() || layer(l).shape.kernel_h < 3)))
        continue;
      add_sizes({DecisionKind::kernel,
                 layer(l).name + " kernel",
                 {l},
                 {},
                 listed ? o->kernels.value : settings_.kernels.value},
                layer(l).shape.kernel_h);
    }
  }

  std::string kernel_obstacle(int l) const {
    const emu::ConvShape& s = layer(l).shape;
    if (edge(l)) return "the first layer and the classifier keep theirs";
    if (s.kernel_h != s.kernel_w || s.kernel_h % 2 == 0) return "it is not square and odd";
    if (s.pad != s.kernel_h / 2)
      return "it is not padded by half its side, so that another changes the image's size";
    return {};
  }

  // ---- options

  /// Why the layer cannot take the option in all its forms, or empty.
  std::string obstacle(int l, Option option) const {
    const OptionInfo& o = info(option);
    const Layer& at = layer(l);
    if (at.depthwise() && (o.sparse || is_bit_serial(option) || o.weight_bits < 8))
      return "is no option of a depthwise layer, which runs on CUDA cores (fp16, bf16, tf32 and int8 are)";
    if (o.sparse) {
      for (const int c : channels(at.input, at.shape.in_channels))
        if (c % 16 != 0) return fmt::format("needs input channels in multiples of 16, it has {}", c);
      for (const int c : channels(l + 1, at.shape.out_channels))
        if (c % 8 != 0) return fmt::format("needs output channels in multiples of 8, it has {}", c);
    }
    if (edge(l) && !edge_legal(option))
      return "is not for the first layer and the classifier, which stay dense with 8 bits or more";
    return {};
  }

  std::vector<Option> options(int l) const {
    const LayerSettings* o = own(l);
    const bool listed = o && o->menu.given();
    const auto& menu = listed ? o->menu : edge(l) ? settings_.edge_menu : settings_.menu;
    std::vector<Option> legal;
    for (const Option option : menu.value) {
      const std::string why = obstacle(l, option);
      if (listed && !why.empty())
        fail("{}: {}: {} {}; remove it", menu.where, layer(l).name, name(option), why);
      if (why.empty()) legal.push_back(option);
    }
    if (legal.empty())
      fail(
          "{}: layer '{}' can take none of these options ({} {}); add one that it can, or give it a menu of "
          "its own: "
          "[layers.\"{}\"]",
          menu.where, layer(l).name, name(menu.value.front()), obstacle(l, menu.value.front()),
          layer(l).name);
    return legal;
  }

  void add_options() {
    std::vector<const Said<std::vector<std::string>>*> tie(network_.layers.size(), nullptr);
    for (const auto& said : settings_.ties)
      for (const std::string& name : said.value) tie[std::size_t(find_layer(name, said.where))] = &said;
    std::vector<bool> done(network_.layers.size(), false);
    for (int l = 0; l < layers(); ++l) {
      if (done[std::size_t(l)]) continue;
      Decision d{DecisionKind::option, layer(l).name + " option", {l}, options(l), {}};
      const auto* said = tie[std::size_t(l)];
      for (int other = l + 1; said && other < layers(); ++other)
        if (tie[std::size_t(other)] == said) add_tied(d, other, done);
      if (d.options.empty())
        fail("{}: its layers have no option in common; give them one or untie them", said->where);
      space_.decisions.push_back(std::move(d));
    }
  }

  void add_tied(Decision& d, int other, std::vector<bool>& done) const {
    const auto theirs = options(other);
    std::erase_if(d.options, [&](Option o) { return std::ranges::count(theirs, o) == 0; });
    d.layers.push_back(other);
    done[std::size_t(other)] = true;
  }

  const SpaceSettings& settings_;
  const Network& network_;
  TensorSets sets_;
  std::vector<std::vector<int>> widths_;  ///< by root of a tensor set
  Space space_;
};

}  // namespace

int scaled_channels(std::int64_t channels, double factor) {
  return std::max(16, 16 * int(std::floor(double(channels) * factor / 16 + 0.5)));
}

Space build_space(const SpaceSettings& settings, const Network& backbone) {
  if (backbone.layers.empty())
    fail("the network '{}' has no layers; a space needs at least one", backbone.name);
  return Builder(settings, backbone).build();
}

}  // namespace twofour::nas
