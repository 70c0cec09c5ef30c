#include <algorithm>
#include <array>
#include <cstring>

#include "twofour/isa/file.h"
#include "twofour/nas/deploy/base64.h"
#include "twofour/nas/deploy/export_json.h"
#include "twofour/nas/deploy/json_field.h"
#include "twofour/nas/deploy/json_names.h"

namespace twofour::nas {
namespace {

constexpr std::int64_t largest_size = 1 << 24;

/// One of a list of names.
template <class Value, std::size_t N>
Value one_of(const JsonField& field, const std::array<std::pair<Value, std::string_view>, N>& names) {
  const std::string text = field.text();
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  field.refuse("'{}' is none of: {}", text, known);
}

Option option_from(const JsonField& field) {
  try {
    return parse_option(field.text());
  } catch (const Error& e) {
    field.refuse("{}", e.what());
  }
}

Pool pool_from(const JsonField& field) {
  Pool pool{.kind = one_of(field.at("kind"), pool_names)};
  if (pool.kind == PoolKind::none) {
    field.only({"kind"});
    return pool;
  }
  if (pool.kind == PoolKind::global_average) {
    field.only({"kind", "pixels"});
    pool.pixels = int(field.at("pixels").integer(0, largest_size));
    return pool;
  }
  field.only({"kind", "kernel", "stride", "pad", "pixels"});
  pool.kernel = int(field.at("kernel").integer(1, largest_size));
  pool.stride = int(field.at("stride").integer(1, largest_size));
  pool.pad = int(field.at("pad").integer(0, pool.kernel - 1));
  pool.pixels = int(field.at("pixels").integer(0, largest_size));
  return pool;
}

emu::ConvShape shape_from(const JsonField& field) {
  field.only({"height", "width", "in_channels", "out_channels", "kernel_h", "kernel_w", "stride", "pad"});
  const auto size = [&](const char* name) { return field.at(name).integer(1, largest_size); };
  return {.height = size("height"),
          .width = size("width"),
          .in_channels = size("in_channels"),
          .out_channels = size("out_channels"),
          .kernel_h = size("kernel_h"),
          .kernel_w = size("kernel_w"),
          .stride = size("stride"),
          .pad = field.at("pad").integer(0, largest_size)};
}

FixedScale scale_from(const JsonField& multiplier, const JsonField& shift) {
  return {std::int32_t(multiplier.integer(INT32_MIN, INT32_MAX)), int(shift.integer(1, 62))};
}

std::vector<FixedScale> scales_from(const JsonField& field) {
  field.only({"multiplier", "shift"});
  const auto multipliers = field.at("multiplier").elements(), shifts = field.at("shift").elements();
  if (multipliers.size() != shifts.size())
    field.refuse("{} multipliers, but {} shifts; give one each a channel", multipliers.size(), shifts.size());
  std::vector<FixedScale> out;
  for (std::size_t i = 0; i < shifts.size(); ++i) out.push_back(scale_from(multipliers[i], shifts[i]));
  return out;
}

emu::PackedMatrix weights_from(const JsonField& field) {
  field.only({"type", "rows", "columns", "base64"});
  isa::ElementType type{};
  try {
    type = isa::parse_element(field.at("type").text());
  } catch (const Error& e) {
    field.at("type").refuse("{}", e.what());
  }
  const std::int64_t rows = field.at("rows").integer(1, largest_size),
                     columns = field.at("columns").integer(1, std::int64_t(1) << 32);
  const std::int64_t row_bytes = (columns * isa::bits(type) + 7) / 8;
  const auto bytes = from_base64(field.at("base64").text());
  if (!bytes) field.at("base64").refuse("is not base64 (RFC 4648, padded, without line breaks)");
  if (std::ssize(*bytes) != rows * row_bytes)
    field.at("base64").refuse("holds {} bytes, but {} rows of {} {} are {}", bytes->size(), rows, columns,
                              isa::name(type), rows * row_bytes);
  emu::PackedMatrix w(type, rows, columns);
  for (std::int64_t r = 0; r < rows; ++r)
    std::memcpy(w.row(r).data(), bytes->data() + r * row_bytes, std::size_t(row_bytes));
  return w;
}

Layer layer_from(const JsonField& field) {
  field.only({"name", "input", "residual", "activation", "pool", "residual_pool", "groups", "shape", "option",
              "instruction", "input_scale", "output_scale", "float_scale", "bias", "weights"});
  Layer layer;
  layer.name = field.at("name").text();
  layer.input = int(field.at("input").integer(0, largest_size));
  layer.residual = int(field.at("residual").integer(-1, largest_size));
  layer.activation = one_of(field.at("activation"), activation_names);
  layer.pool = pool_from(field.at("pool"));
  layer.residual_pool = pool_from(field.at("residual_pool"));
  layer.groups = field.at("groups").integer(1, largest_size);
  layer.shape = shape_from(field.at("shape"));
  return layer;
}

DeployedLayer deployed_from(const JsonField& field) {
  DeployedLayer d;
  d.option = option_from(field.at("option"));
  const std::string instruction = isa::ptx_name(instruction_of(d.option)),
                    given = field.at("instruction").text();
  if (given != instruction)
    field.at("instruction").refuse("'{}', but {} is computed by {}", given, name(d.option), instruction);
  const JsonField input = field.at("input_scale");
  input.only({"multiplier", "shift"});
  d.input_scale = scale_from(input.at("multiplier"), input.at("shift"));
  d.output_scale = scales_from(field.at("output_scale"));
  d.float_scale = field.at("float_scale").numbers();
  d.bias = field.at("bias").integers(INT32_MIN, INT32_MAX);
  d.weights = weights_from(field.at("weights"));
  return d;
}

nlohmann::json parsed(const std::string& text, const std::string& file) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    fail("{}: not JSON: {}", file, e.what());
  }
}

}  // namespace

DeployedNetwork parse_deployed(const std::string& text, const std::string& file) {
  const nlohmann::json json = parsed(text, file);
  const JsonField root(json, file, "");
  root.only({"schema_version", "kind", "network", "stream_fraction_bits", "layers"});
  if (root.at("kind").text() != deployed_kind) root.at("kind").refuse("must be '{}'", deployed_kind);
  root.at("schema_version").integer(deployed_schema_version, deployed_schema_version);
  root.at("stream_fraction_bits").integer(stream_fraction_bits, stream_fraction_bits);
  DeployedNetwork net;
  net.network.name = root.at("network").text();
  for (const JsonField& layer : root.at("layers").elements()) {
    net.network.layers.push_back(layer_from(layer));
    net.layers.push_back(deployed_from(layer));
  }
  try {
    check_network(net);
  } catch (const Error& e) {
    fail("{}: {}", file, e.what());
  }
  return net;
}

DeployedNetwork read_deployed(const std::string& path) {
  return parse_deployed(isa::read_file(path), path);
}

}  // namespace twofour::nas
