#include "twofour/nas/space/space_latency.h"

#include <array>
#include <cmath>
#include <exception>
#include <map>
#include <tuple>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

/// Everything of a layer that can matter to its latency; layers and forms with equal keys are computed once.
using FormKey = std::array<std::int64_t, 18>;

FormKey key_of(const Layer& l, Option option) {
  const emu::ConvShape& s = l.shape;
  return {s.batch,           s.height,         s.width,       s.in_channels, s.out_channels, s.kernel_h,
          s.kernel_w,        s.stride,         s.pad,         l.groups,      l.input == 0,   l.residual >= 0,
          int(l.activation), int(l.pool.kind), l.pool.kernel, l.pool.stride, l.pool.pad,     int(option)};
}

std::int64_t to_units(double us, const std::string& layer, Option option) {
  // 2^50 units are 18 minutes; the sums of 2^12 layers fit 63 bits.
  if (!(us >= 0 && us * latency_units < 0x1p50))
    fail("layer '{}' with {}: a latency of {} us; it must lie between 0 and 10^9 us", layer, name(option),
         us);
  return std::llround(us * latency_units);
}

double at_end(const emu::Latency& latency, BandEnd end) {
  switch (end) {
    case BandEnd::low: return latency.low_us;
    case BandEnd::high: return latency.high_us;
    case BandEnd::expected: break;
  }
  return latency.microseconds;
}

/// Calls the function for all forms on all cores; the first form that fails, in their order, is the error.
std::vector<emu::Latency> compute(const std::vector<FormedLayer>& forms,
                                  const std::function<emu::Latency(const Layer&, Option)>& latency) {
  std::vector<emu::Latency> computed(forms.size());
  std::vector<std::exception_ptr> errors(forms.size());
#pragma omp parallel for schedule(dynamic, 4)
  for (std::size_t i = 0; i < forms.size(); ++i) {
    try {
      computed[i] = latency(forms[i].layer, forms[i].option);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  }
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
  return computed;
}

}  // namespace

/// Every layer's forms one after the other, and which choices lead to them.
struct SpaceLatency::Tables {
  /// Places that a layer lacks have stride 0.
  struct Place {
    std::array<int, 4> decision{}, stride{};
    std::size_t first = 0;
  };
  std::vector<Place> places;
  std::vector<LayerForms> forms;
  std::array<std::vector<std::int64_t>, 3> units;  ///< by BandEnd

  static std::size_t index(const Place& place, const Candidate& candidate) {
    int at = 0;
    for (std::size_t i = 0; i < 4; ++i) at += candidate[std::size_t(place.decision[i])] * place.stride[i];
    return std::size_t(at);
  }

  /// Appends a layer and returns it in each of its forms.
  std::vector<FormedLayer> add_layer(const Space& space, const LayerDecisions& d, int layer) {
    LayerForms forms_of;
    Place place{.first = places.empty() ? 0 : places.back().first + forms.back().option.size()};
    int count = 1;
    for (const int decision :
         {d.option, d.kernel, d.in_width, d.out_width == d.in_width ? -1 : d.out_width}) {
      if (decision < 0) continue;
      const std::size_t i = forms_of.decisions.size();
      place.decision[i] = decision;
      place.stride[i] = count;
      count *= space.decisions[std::size_t(decision)].count();
      forms_of.decisions.push_back(decision);
    }
    std::vector<FormedLayer> list;
    Candidate candidate(space.decisions.size(), 0);
    for (int f = 0; f < count; ++f) {
      for (std::size_t i = 0; i < forms_of.decisions.size(); ++i) {
        const int decision = forms_of.decisions[i];
        candidate[std::size_t(decision)] =
            f / place.stride[i] % space.decisions[std::size_t(decision)].count();
      }
      list.push_back(formed_layer(space, d, candidate, layer));
      forms_of.option.push_back(list.back().option);
    }
    forms.push_back(std::move(forms_of));
    places.push_back(place);
    return list;
  }

  void fill_units(const Space& space) {
    for (std::size_t l = 0; l < forms.size(); ++l)
      for (std::size_t f = 0; f < forms[l].latency.size(); ++f) {
        for (const BandEnd end : {BandEnd::expected, BandEnd::low, BandEnd::high})
          units[std::size_t(end)].push_back(
              to_units(at_end(forms[l].latency[f], end), space.backbone.layers[l].name, forms[l].option[f]));
        forms[l].units.push_back(units[0].back());
      }
  }
};

SpaceLatency::SpaceLatency(const Space& space,
                           const std::function<emu::Latency(const Layer&, Option)>& latency)
    : tables_(std::make_unique<Tables>()) {
  check_space(space);
  const auto places = layer_decisions(space);
  std::map<FormKey, std::size_t> known;
  std::vector<FormedLayer> distinct;
  std::vector<std::vector<std::size_t>> index(places.size());
  for (std::size_t l = 0; l < places.size(); ++l)
    for (FormedLayer& form : tables_->add_layer(space, places[l], int(l))) {
      const auto [at, is_new] = known.emplace(key_of(form.layer, form.option), distinct.size());
      index[l].push_back(at->second);
      if (is_new) distinct.push_back(std::move(form));
    }
  const auto computed = compute(distinct, latency);
  for (std::size_t l = 0; l < index.size(); ++l)
    for (const std::size_t i : index[l]) tables_->forms[l].latency.push_back(computed[i]);
  tables_->fill_units(space);
}

SpaceLatency::SpaceLatency(const Space& space, const isa::Machine& machine, int batch)
    : SpaceLatency(space, [&](const Layer& layer, Option option) {
        return layer_latency(layer, option, batch, machine);
      }) {}

SpaceLatency::SpaceLatency(const SpaceLatency& other, BandEnd dense, BandEnd sparse)
    : tables_(std::make_unique<Tables>(*other.tables_)) {
  std::size_t at = 0;
  for (LayerForms& layer : tables_->forms)
    for (std::size_t f = 0; f < layer.units.size(); ++f, ++at) {
      const BandEnd end = info(layer.option[f]).sparse ? sparse : dense;
      tables_->units[0][at] = layer.units[f] = other.tables_->units[std::size_t(end)][at];
    }
}

SpaceLatency::~SpaceLatency() = default;

const emu::Latency& SpaceLatency::layer(const Candidate& candidate, int layer) const {
  return forms(layer).latency[Tables::index(tables_->places[std::size_t(layer)], candidate)];
}

double SpaceLatency::us(const Candidate& candidate, BandEnd end) const {
  const std::vector<std::int64_t>& units = tables_->units[std::size_t(end)];
  std::int64_t sum = 0;
  for (const Tables::Place& place : tables_->places)
    sum += units[place.first + Tables::index(place, candidate)];
  return double(sum) / latency_units;
}

const LayerForms& SpaceLatency::forms(int layer) const {
  return tables_->forms.at(std::size_t(layer));
}

int SpaceLatency::layers() const {
  return int(tables_->forms.size());
}

}  // namespace twofour::nas
