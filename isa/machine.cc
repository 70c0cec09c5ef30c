#include "twofour/isa/machine.h"

// toml++ 3.3 stops on some malformed input ("[[[[") in an assertion; without it the same input is reported as
// an error.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/isa/machine_files.h"

namespace twofour::isa {
namespace {

struct Key {
  std::string_view name, unit;
  double Machine::*field;
  double least, most;
};

constexpr std::array keys{
    Key{"sms", "", &Machine::sms, 1, 4096},
    Key{"sub_cores_per_sm", "", &Machine::sub_cores_per_sm, 1, 64},
    Key{"boost_mhz", "MHz", &Machine::boost_mhz, 1, 1e5},
    Key{"sustained_mhz", "MHz", &Machine::sustained_mhz, 1, 1e5},
    Key{"sustained_integer_mhz", "MHz", &Machine::sustained_integer_mhz, 1, 1e5},
    Key{"compute_capability", "", &Machine::compute_capability, 70, 999},
    Key{"fma_f16", "FMA/clk", &Machine::fma_f16, 1, 1e6},
    Key{"fma_f16_f32", "FMA/clk", &Machine::fma_f16_f32, 1, 1e6},
    Key{"fma_bf16", "FMA/clk", &Machine::fma_bf16, 0, 1e6},
    Key{"fma_tf32", "FMA/clk", &Machine::fma_tf32, 0, 1e6},
    Key{"fma_f64", "FMA/clk", &Machine::fma_f64, 0, 1e6},
    Key{"fma_fp8", "FMA/clk", &Machine::fma_fp8, 0, 1e6},
    Key{"fma_int8", "FMA/clk", &Machine::fma_int8, 0, 1e6},
    Key{"fma_int4", "FMA/clk", &Machine::fma_int4, 0, 1e6},
    Key{"fma_b1", "FMA/clk", &Machine::fma_b1, 0, 1e6},
    Key{"sparse_rate", "", &Machine::sparse_rate, 0, 2},
    Key{"mma_sync_share", "", &Machine::mma_sync_share, 0.01, 1},
    Key{"mma_stretch", "", &Machine::mma_stretch, 1, 10},
    Key{"mma_stretch_narrow", "", &Machine::mma_stretch_narrow, 1, 10},
    Key{"mma_stretch_small_k_sparse", "", &Machine::mma_stretch_small_k_sparse, 1, 10},
    Key{"mma_latency_base", "cycles", &Machine::mma_latency_base, 0, 1e4},
    Key{"mma_latency_per_interval", "", &Machine::mma_latency_per_interval, 0, 100},
    Key{"mma_latency_narrow", "cycles", &Machine::mma_latency_narrow, 0, 1e4},
    Key{"fp32_lanes", "", &Machine::fp32_lanes, 1, 1e5},
    Key{"int32_lanes", "", &Machine::int32_lanes, 1, 1e5},
    Key{"alu_latency", "cycles", &Machine::alu_latency, 1, 1e4},
    Key{"registers_per_sm", "", &Machine::registers_per_sm, 1024, 1e9},
    Key{"max_warps_per_sm", "", &Machine::max_warps_per_sm, 8, 1024},
    Key{"max_ctas_per_sm", "", &Machine::max_ctas_per_sm, 1, 1024},
    Key{"smem_per_sm", "B", &Machine::smem_per_sm, 16384, 1e9},
    Key{"smem_per_cta", "B", &Machine::smem_per_cta, 16384, 1e9},
    Key{"smem_bytes_per_clk", "B/clk", &Machine::smem_bytes_per_clk, 1, 1e6},
    Key{"smem_latency", "cycles", &Machine::smem_latency, 1, 1e5},
    Key{"smem_wavefront_latency", "cycles", &Machine::smem_wavefront_latency, 0, 1e4},
    Key{"smem_store_latency", "cycles", &Machine::smem_store_latency, 1, 1e5},
    Key{"copy_latency", "cycles", &Machine::copy_latency, 1, 1e5},
    Key{"l1_latency", "cycles", &Machine::l1_latency, 1, 1e5},
    Key{"l2_mib", "MiB", &Machine::l2_mib, 0.1, 1e6},
    Key{"l2_partitions", "", &Machine::l2_partitions, 1, 16},
    Key{"l2_latency", "cycles", &Machine::l2_latency, 1, 1e5},
    Key{"l2_far_latency", "cycles", &Machine::l2_far_latency, 1, 1e5},
    Key{"l2_read_gbs", "GB/s", &Machine::l2_read_gbs, 1, 1e7},
    Key{"l2_bytes_per_clk_sm", "B/clk", &Machine::l2_bytes_per_clk_sm, 1, 1e6},
    Key{"dram_latency", "cycles", &Machine::dram_latency, 1, 1e6},
    Key{"dram_read_gbs", "GB/s", &Machine::dram_read_gbs, 1, 1e7},
    Key{"launch_graph_us", "us", &Machine::launch_graph_us, 0, 1e6},
    Key{"launch_stream_us", "us", &Machine::launch_stream_us, 0, 1e6},
    Key{"cold_start_cycles", "cycles", &Machine::cold_start_cycles, 0, 1e9},
    Key{"ctas_per_clk", "CTA/clk", &Machine::ctas_per_clk, 1e-3, 1e4},
};
constexpr std::string_view name_key = "name", architecture_key = "architecture";

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

/// One machine file while it is read: turns each complaint into file:line.
class Reader {
 public:
  Reader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  Machine read() const {
    refuse_unknown_keys();
    Machine machine{};
    machine.name = read_text(name_key);
    machine.architecture = read_architecture();
    for (const auto& key : keys) machine.*key.field = number(key);
    refuse_above("sustained_mhz", machine.sustained_mhz, "boost_mhz", machine.boost_mhz);
    refuse_above("sustained_integer_mhz", machine.sustained_integer_mhz, "boost_mhz", machine.boost_mhz);
    refuse_above("smem_per_cta", machine.smem_per_cta, "smem_per_sm", machine.smem_per_sm);
    refuse_above("l2_latency", machine.l2_latency, "l2_far_latency", machine.l2_far_latency);
    refuse_above("dram_read_gbs", machine.dram_read_gbs, "l2_read_gbs", machine.l2_read_gbs);
    return machine;
  }

  std::vector<MachineEntry> entries() const {
    std::vector<MachineEntry> out;
    for (const auto& key : keys)
      out.push_back({std::string(key.name), number(key), std::string(key.unit),
                     *(*node(key.name).as_table())["source"].value<std::string>()});
    return out;
  }

 private:
  std::string at(const toml::node& node) const {
    return fmt::format("{}:{}", file_, node.source().begin.line);
  }

  void refuse_above(std::string_view key, double number, std::string_view limit_key, double limit) const {
    if (number > limit)
      fail("{}: '{}' ({}) is above '{}' ({})", at(node(key)), key, number, limit_key, limit);
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, node] : table_) {
      const std::string_view text = key.str();
      const bool known = text == name_key || text == architecture_key ||
                         std::any_of(keys.begin(), keys.end(), [&](const Key& k) { return k.name == text; });
      if (!known)
        fail("{}: unknown key '{}'; `twofour machine show a100-sxm4-80gb --toml` shows every key", at(node),
             text);
    }
  }

  const toml::node& node(std::string_view key) const {
    const toml::node* found = table_.get(key);
    if (!found) fail("{}: missing key '{}'", file_, key);
    return *found;
  }

  std::string read_text(std::string_view key) const {
    const auto& found = node(key);
    const auto text = found.value_exact<std::string>();
    if (!text || text->empty()) fail("{}: '{}' must be a text that is not empty", at(found), key);
    return *text;
  }

  Architecture read_architecture() const {
    try {
      return parse_architecture(read_text(architecture_key));
    } catch (const Error& error) {
      fail("{}: {}", at(node(architecture_key)), error.what());
    }
  }

  /// The table { value = ..., unit = "...", source = "..." } of a key, with unit and source checked; its
  /// value.
  const toml::node& value_of(std::string_view key, std::string_view unit) const {
    const auto& found = node(key);
    const toml::table* entry = found.as_table();
    if (!entry)
      fail("{}: '{}' must be written as {{ value = ..., unit = \"{}\", source = \"...\" }}", at(found), key,
           unit);
    for (const auto& [part, part_node] : *entry)
      if (part != "value" && part != "unit" && part != "source")
        fail("{}: '{}' has an unknown part '{}'; known: value, unit, source", at(part_node), key, part.str());
    const auto given = (*entry)["unit"].value<std::string>();
    if (!given || *given != unit) fail("{}: '{}' needs unit = \"{}\"", at(found), key, unit);
    const auto source = (*entry)["source"].value<std::string>();
    if (!source || source->empty())
      fail("{}: '{}' needs a source: where does the number come from?", at(found), key);
    const toml::node* value = entry->get("value");
    if (!value) fail("{}: '{}' has no value", at(found), key);
    return *value;
  }

  double number(const Key& key) const {
    const auto& value = value_of(key.name, key.unit);
    if (!value.is_number()) fail("{}: '{}' must be a number", at(value), key.name);
    const double number = *value.value<double>();
    if (!std::isfinite(number) || number < key.least || number > key.most)
      fail("{}: '{}' is {}; it must lie between {} and {}", at(value), key.name, number, key.least, key.most);
    return number;
  }

  std::string file_;
  const toml::table& table_;
};

/// toml++ 3.3 runs into undefined behaviour on some characters outside of ASCII, so they do not reach it.
void require_ascii(const std::string& file, std::string_view text) {
  int line = 1, column = 1;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80)
      fail("{}:{}:{}: machine files are plain ASCII text: replace this character", file, line, column);
    column = c == '\n' ? 1 : column + 1;
    line += c == '\n';
  }
}

toml::table parse_table(const std::string& file, std::string_view text) {
  require_ascii(file, text);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    fail("{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column, error.description());
  }
}

/// The file that messages name, and its text.
std::pair<std::string, std::string> machine_source(const std::string& name_or_path) {
  for (const auto& file : machine_files())
    if (file.name == name_or_path) return {"machines/" + name_or_path + ".toml", std::string(file.text)};
  if (!std::filesystem::is_regular_file(name_or_path))
    fail("unknown machine '{}': neither built in ({}) nor a file", name_or_path, join(machine_names()));
  return {name_or_path, read_file(name_or_path)};
}

}  // namespace

double Machine::fma_per_clk(ElementType input, ElementType accumulator) const {
  switch (input) {
    case ElementType::f16: return accumulator == ElementType::f16 ? fma_f16 : fma_f16_f32;
    case ElementType::bf16: return fma_bf16;
    case ElementType::tf32: return fma_tf32;
    case ElementType::f64: return fma_f64;
    case ElementType::e4m3:
    case ElementType::e5m2: return fma_fp8;
    case ElementType::s8:
    case ElementType::u8: return fma_int8;
    case ElementType::s4:
    case ElementType::u4: return fma_int4;
    case ElementType::b1: return fma_b1;
    default: return 0;
  }
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const auto& file : machine_files()) names.emplace_back(file.name);
  return names;
}

std::string_view machine_text(std::string_view name) {
  for (const auto& file : machine_files())
    if (file.name == name) return file.text;
  fail("unknown machine '{}'; built in: {}", name, join(machine_names()));
}

Machine load_machine(const std::string& name_or_path) {
  const auto [file, text] = machine_source(name_or_path);
  const auto table = parse_table(file, text);
  return Reader(file, table).read();
}

std::vector<MachineEntry> machine_entries(const std::string& name_or_path) {
  const auto [file, text] = machine_source(name_or_path);
  const auto table = parse_table(file, text);
  const Reader reader(file, table);
  reader.read();
  return reader.entries();
}

}  // namespace twofour::isa
