#include "twofour/nas/timing/network_table.h"

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::vector<NetworkTableRow> network_table(const Network& network, const std::vector<Option>& chosen,
                                           std::int64_t batch, const isa::Machine& machine) {
  if (chosen.size() != network.layers.size())
    fail("network '{}': {} options for {} layers; give one each", network.name, chosen.size(),
         network.layers.size());
  std::vector<NetworkTableRow> rows;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::vector<Option> options = legal_options(network, i);
    if (std::find(options.begin(), options.end(), chosen[i]) == options.end()) options.push_back(chosen[i]);
    for (const Option o : options)
      rows.push_back({network.layers[i].name, o, o == chosen[i],
                      layer_latency(network.layers[i], o, int(batch), machine)});
  }
  return rows;
}

std::string network_csv(const std::vector<NetworkTableRow>& rows) {
  std::string out = "layer,option,chosen,latency_us,low_us,high_us,bound,fidelity\n";
  for (const NetworkTableRow& r : rows)
    out += fmt::format("{},{},{},{:.4f},{:.4f},{:.4f},{},{}\n", quoted(r.layer), name(r.option),
                       r.chosen ? 1 : 0, r.latency.microseconds, r.latency.low_us, r.latency.high_us,
                       emu::name(r.latency.bound), emu::name(r.latency.fidelity));
  return out;
}

}  // namespace twofour::nas
