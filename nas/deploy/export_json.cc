#include "twofour/nas/deploy/export_json.h"

#include <nlohmann/json.hpp>

#include "twofour/isa/file.h"
#include "twofour/nas/deploy/base64.h"
#include "twofour/nas/deploy/json_names.h"

namespace twofour::nas {
namespace {

using Json = nlohmann::ordered_json;

Json scales_json(const std::vector<FixedScale>& scales) {
  auto multipliers = Json::array(), shifts = Json::array();
  for (const FixedScale& s : scales) {
    multipliers.push_back(s.multiplier);
    shifts.push_back(s.shift);
  }
  return {{"multiplier", multipliers}, {"shift", shifts}};
}

Json shape_json(const emu::ConvShape& s) {
  return {{"height", s.height},           {"width", s.width},
          {"in_channels", s.in_channels}, {"out_channels", s.out_channels},
          {"kernel_h", s.kernel_h},       {"kernel_w", s.kernel_w},
          {"stride", s.stride},           {"pad", s.pad}};
}

Json weights_json(const emu::PackedMatrix& w) {
  std::vector<std::byte> bytes;
  for (std::int64_t r = 0; r < w.rows(); ++r) bytes.insert(bytes.end(), w.row(r).begin(), w.row(r).end());
  return {
      {"type", isa::name(w.type())}, {"rows", w.rows()}, {"columns", w.cols()}, {"base64", to_base64(bytes)}};
}

Json pool_json(const Pool& p) {
  Json json{{"kind", json_name(p.kind)}};
  if (p.kind == PoolKind::max) json.update({{"kernel", p.kernel}, {"stride", p.stride}, {"pad", p.pad}});
  if (p.kind != PoolKind::none) json["pixels"] = p.pixels;
  return json;
}

Json layer_json(const Layer& layer, const DeployedLayer& d) {
  Json json{{"name", layer.name},
            {"input", layer.input},
            {"residual", layer.residual},
            {"activation", json_name(layer.activation)},
            {"pool", pool_json(layer.pool)},
            {"residual_pool", pool_json(layer.residual_pool)},
            {"groups", layer.groups},
            {"shape", shape_json(layer.shape)},
            {"option", name(d.option)},
            {"instruction", isa::ptx_name(instruction_of(d.option))}};
  json["input_scale"] = {{"multiplier", d.input_scale.multiplier}, {"shift", d.input_scale.shift}};
  json["output_scale"] = scales_json(d.output_scale);
  json["float_scale"] = d.float_scale;
  json["bias"] = d.bias;
  json["weights"] = weights_json(d.weights);
  return json;
}

}  // namespace

std::string deployed_json(const DeployedNetwork& net) {
  check_network(net);
  const Json head{{"schema_version", deployed_schema_version},
                  {"kind", deployed_kind},
                  {"network", net.network.name},
                  {"stream_fraction_bits", stream_fraction_bits}};
  const auto text = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string out = text(head);
  out.back() = ',';
  out += "\n\"layers\": [\n";
  for (std::size_t i = 0; i < net.layers.size(); ++i)
    out +=
        text(layer_json(net.network.layers[i], net.layers[i])) + (i + 1 < net.layers.size() ? ",\n" : "\n");
  return out + "]}\n";
}

void write_deployed(const std::string& path, const DeployedNetwork& net) {
  isa::write_file(path, deployed_json(net));
}

}  // namespace twofour::nas
