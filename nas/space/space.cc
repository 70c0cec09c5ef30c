#include "twofour/nas/space/space.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

std::int64_t backbone_size(const Space& space, const Decision& decision) {
  const emu::ConvShape& shape = space.backbone.layers.at(std::size_t(decision.layers.front())).shape;
  return decision.kind == DecisionKind::kernel ? shape.kernel_h : shape.out_channels;
}

int nearest_size(const Decision& decision, std::int64_t size) {
  const auto distance = [&](int s) { return std::abs(s - size); };
  const auto at = std::ranges::min_element(decision.sizes, {}, distance);
  return int(at - decision.sizes.begin());
}

int preferred_option(const Decision& decision, Option option, Option fallback) {
  for (const Option o : {option, fallback})
    if (const auto at = std::ranges::find(decision.options, o); at != decision.options.end())
      return int(at - decision.options.begin());
  return 0;
}

void check_decision(const Space& space, const Decision& d) {
  if (d.count() < 1) fail("decision '{}' has nothing to choose from; give it at least one value", d.name);
  if (d.layers.empty()) fail("decision '{}' has no layers; name those that it decides for", d.name);
  for (const int l : d.layers)
    if (l < 0 || l >= int(space.backbone.layers.size()))
      fail("decision '{}': layer {} is not among the {} of {}", d.name, l, space.backbone.layers.size(),
           space.backbone.name);
  for (std::size_t i = 0; i < d.sizes.size(); ++i)
    if (d.sizes[i] < 1 || (i > 0 && d.sizes[i] <= d.sizes[i - 1]))
      fail("decision '{}': its sizes must be positive and rise; entry {} is {}", d.name, i + 1, d.sizes[i]);
}

void take_place(const Space& space, int& place, int decision, int layer) {
  if (place >= 0)
    fail("layer '{}' is in decisions '{}' and '{}' of one kind; remove it from one",
         space.backbone.layers[std::size_t(layer)].name, space.decisions[std::size_t(place)].name,
         space.decisions[std::size_t(decision)].name);
  place = decision;
}

/// The decision that sets the channels of a tensor, or -1.
int width_of(const std::vector<LayerDecisions>& places, int tensor) {
  return tensor == 0 ? -1 : places[std::size_t(tensor - 1)].out_width;
}

void check_widths(const Space& space, const std::vector<LayerDecisions>& places) {
  for (std::size_t l = 0; l < places.size(); ++l) {
    const Layer& layer = space.backbone.layers[l];
    if (layer.residual >= 0 && width_of(places, layer.residual) != places[l].out_width)
      fail("layer '{}' adds tensor {} to its own, but their channels are decided apart; use one decision",
           layer.name, layer.residual);
    if (layer.depthwise() && places[l].in_width != places[l].out_width)
      fail("depthwise layer '{}' has as many channels as its input; use one decision for both", layer.name);
  }
}

}  // namespace

std::vector<LayerDecisions> layer_decisions(const Space& space) {
  std::vector<LayerDecisions> places(space.backbone.layers.size());
  for (int d = 0; d < int(space.decisions.size()); ++d) {
    const Decision& decision = space.decisions[std::size_t(d)];
    for (const int l : decision.layers) {
      LayerDecisions& at = places.at(std::size_t(l));
      take_place(space,
                 decision.kind == DecisionKind::option   ? at.option
                 : decision.kind == DecisionKind::kernel ? at.kernel
                                                         : at.out_width,
                 d, l);
    }
  }
  for (std::size_t l = 0; l < places.size(); ++l)
    places[l].in_width = width_of(places, space.backbone.layers[l].input);
  return places;
}

void check_space(const Space& space) {
  for (const Decision& d : space.decisions) check_decision(space, d);
  const auto places = layer_decisions(space);
  for (std::size_t l = 0; l < places.size(); ++l)
    if (places[l].option < 0)
      fail("layer '{}' is in no option decision; add one", space.backbone.layers[l].name);
  check_widths(space, places);
}

void check_candidate(const Space& space, const Candidate& candidate) {
  if (candidate.size() != space.decisions.size())
    fail("a candidate of {} choices for the {} decisions of {}; give one a decision", candidate.size(),
         space.decisions.size(), space.name);
  for (std::size_t d = 0; d < candidate.size(); ++d)
    if (candidate[d] < 0 || candidate[d] >= space.decisions[d].count())
      fail("choice {} of decision '{}' is not one of its {}; count from 0", candidate[d],
           space.decisions[d].name, space.decisions[d].count());
}

FormedLayer formed_layer(const Space& space, const LayerDecisions& at, const Candidate& candidate,
                         int layer) {
  const auto choice = [&](int d) { return std::size_t(candidate[std::size_t(d)]); };
  const auto size = [&](int d) { return space.decisions[std::size_t(d)].sizes[choice(d)]; };
  FormedLayer formed{space.backbone.layers[std::size_t(layer)],
                     space.decisions[std::size_t(at.option)].options[choice(at.option)]};
  emu::ConvShape& shape = formed.layer.shape;
  if (at.kernel >= 0) {
    shape.kernel_h = shape.kernel_w = size(at.kernel);
    shape.pad = shape.kernel_h / 2;
  }
  if (at.in_width >= 0) shape.in_channels = size(at.in_width);
  if (at.out_width >= 0) shape.out_channels = size(at.out_width);
  if (formed.layer.depthwise()) formed.layer.groups = shape.in_channels;
  return formed;
}

Architecture architecture(const Space& space, const Candidate& candidate) {
  check_candidate(space, candidate);
  Architecture made{{space.backbone.name, {}}, {}};
  const auto places = layer_decisions(space);
  for (std::size_t l = 0; l < places.size(); ++l) {
    if (places[l].option < 0)
      fail("layer '{}' is in no option decision; add one", space.backbone.layers[l].name);
    FormedLayer formed = formed_layer(space, places[l], candidate, int(l));
    made.network.layers.push_back(std::move(formed.layer));
    made.options.push_back(formed.option);
  }
  return made;
}

Network largest_network(const Space& space) {
  Candidate widest;
  for (const Decision& d : space.decisions)
    widest.push_back(d.kind == DecisionKind::option ? 0 : d.count() - 1);
  return architecture(space, widest).network;
}

Candidate uniform_candidate(const Space& space, Option option, Option fallback) {
  Candidate uniform;
  for (const Decision& d : space.decisions)
    uniform.push_back(d.kind == DecisionKind::option ? preferred_option(d, option, fallback)
                                                     : nearest_size(d, backbone_size(space, d)));
  return uniform;
}

std::string choice_text(const Space& space, const Candidate& candidate, int layer) {
  const Architecture made = architecture(space, candidate);
  const emu::ConvShape& shape = made.network.layers.at(std::size_t(layer)).shape;
  return fmt::format("{} k{} w{}", name(made.options[std::size_t(layer)]), shape.kernel_h,
                     shape.out_channels);
}

std::string space_text(const Space& space, const Candidate& candidate) {
  std::string text;
  for (std::size_t l = 0; l < space.backbone.layers.size(); ++l)
    text += fmt::format("{}: {}\n", space.backbone.layers[l].name, choice_text(space, candidate, int(l)));
  return text;
}

double candidate_count(const Space& space) {
  double count = 1;
  for (const Decision& d : space.decisions) count *= d.count();
  return count;
}

}  // namespace twofour::nas
