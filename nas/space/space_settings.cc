#include "twofour/nas/space/space_settings.h"

// As in isa/machine.cc: malformed input is reported, not asserted.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/nas/space/option_hint.h"

namespace twofour::nas {
namespace {

constexpr int largest_kernel = 15;
constexpr double least_width = 0.05, largest_width = 4;

/// toml++ 3.3 runs into undefined behaviour on some characters outside of ASCII, so they do not reach it.
void require_ascii(const std::string& file, std::string_view text) {
  int line = 1;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80)
      fail("{}:{}: space files are plain ASCII text: replace the character that is not", file, line);
    line += c == '\n';
  }
}

toml::table parse_toml(const std::string& file, std::string_view text) {
  require_ascii(file, text);
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    fail("{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column, error.description());
  }
}

Option option_of(std::string_view text) {
  try {
    return parse_option(text);
  } catch (const Error& error) {
    const std::string hint = option_hint(text);
    if (hint.empty()) throw;
    fail("'{}' is not an option of a layer: {}", text, hint);
  }
}

/// One space file while it is read: turns each complaint into file:line: 'key'.
class Reader {
 public:
  Reader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  SpaceSettings read() const {
    refuse_unknown(table_,
                   {"schema", "kind", "backbone", "menu", "edge_menu", "tie", "kernels", "widths", "layers"});
    check_schema();
    SpaceSettings s;
    s.file = file_;
    s.shapes = is_asps();
    if (const auto* node = table_.get("backbone"))
      s.backbone = {text(*node, "backbone"), at(*node, "backbone")};
    s.menu = menu(table_);
    if (!s.menu.given()) fail("{}: 'menu' is missing: the options of the inner layers", file_);
    s.edge_menu = edge_menu();
    s.kernels = kernels(table_);
    s.widths = widths(table_);
    for (const auto* said : {&s.kernels.where, &s.widths.where}) refuse_shape(s.shapes, *said);
    if (s.shapes && !s.kernels.given() && !s.widths.given())
      fail("{}: kind = \"asps\" needs 'kernels' or 'widths'; add one, or use kind = \"msps\"", file_);
    read_ties(s);
    read_layers(s);
    return s;
  }

 private:
  std::string at(const toml::node& node, std::string_view key) const {
    return fmt::format("{}:{}: '{}'", file_, node.source().begin.line, key);
  }

  void refuse_unknown(const toml::table& table, std::initializer_list<std::string_view> known) const {
    for (const auto& [key, node] : table)
      if (std::ranges::find(known, key.str()) == known.end())
        fail("{}:{}: unknown key '{}'; known here: {}", file_, node.source().begin.line, key.str(),
             fmt::join(known, ", "));
  }

  void refuse_shape(bool shapes, const std::string& where) const {
    if (!shapes && !where.empty()) fail("{} belongs to kind = \"asps\"; remove it or change the kind", where);
  }

  void check_schema() const {
    const toml::node* node = table_.get("schema");
    if (!node) fail("{}: 'schema' is missing; write schema = 1", file_);
    if (node->value_exact<std::int64_t>() != 1)
      fail("{}: this program reads schema = 1", at(*node, "schema"));
  }

  bool is_asps() const {
    const toml::node* node = table_.get("kind");
    if (!node) fail("{}: 'kind' is missing; write kind = \"msps\" or \"asps\"", file_);
    const std::string kind = text(*node, "kind");
    if (kind != "msps" && kind != "asps")
      fail("{} is \"{}\"; use \"msps\" (options) or \"asps\" (options, kernels, widths)", at(*node, "kind"),
           kind);
    return kind == "asps";
  }

  std::string text(const toml::node& node, std::string_view key) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty()) fail("{} must be a text that is not empty", at(node, key));
    return *value;
  }

  /// The elements of a list that is not empty.
  const toml::array& list(const toml::node& node, std::string_view key, std::string_view of) const {
    const toml::array* array = node.as_array();
    if (!array || array->empty()) fail("{} must be a list of {}", at(node, key), of);
    return *array;
  }

  Said<std::vector<Option>> menu(const toml::table& table, std::string_view key = "menu") const {
    const toml::node* node = table.get(key);
    if (!node) return {};
    Said<std::vector<Option>> said{{}, at(*node, key)};
    for (const toml::node& entry : list(*node, key, "options, such as [\"fp16\", \"int8-2:4\"]")) {
      Option option{};
      try {
        option = option_of(text(entry, key));
      } catch (const Error& error) {
        if (std::string_view(error.what()).starts_with(file_)) throw;
        fail("{}: {}", at(entry, key), error.what());
      }
      if (std::ranges::count(said.value, option) > 0)
        fail("{} lists {} twice; remove one", at(entry, key), name(option));
      said.value.push_back(option);
    }
    return said;
  }

  Said<std::vector<Option>> edge_menu() const {
    auto said = menu(table_, "edge_menu");
    if (!said.given())
      return {{Option::fp16, Option::int8}, fmt::format("{}: 'edge_menu' (its default)", file_)};
    for (const Option o : said.value)
      if (!edge_legal(o))
        fail(
            "{}: {} is not for the first layer and the classifier, which stay dense with 8 bits or more; "
            "remove it "
            "(fp16, bf16, tf32 and int8 are)",
            said.where, name(o));
    return said;
  }

  Said<std::vector<int>> kernels(const toml::table& table) const {
    const toml::node* node = table.get("kernels");
    if (!node) return {};
    Said<std::vector<int>> said{{}, at(*node, "kernels")};
    for (const toml::node& entry : list(*node, "kernels", "sides, such as [1, 3, 5]")) {
      const auto side = entry.value_exact<std::int64_t>();
      if (!side || *side < 1 || *side > largest_kernel || *side % 2 == 0)
        fail("{}: sides are odd whole numbers from 1 to {}", at(entry, "kernels"), largest_kernel);
      if (std::ranges::count(said.value, int(*side)) > 0)
        fail("{} lists {} twice; remove one", at(entry, "kernels"), *side);
      said.value.push_back(int(*side));
    }
    std::ranges::sort(said.value);
    return said;
  }

  Said<std::vector<double>> widths(const toml::table& table) const {
    const toml::node* node = table.get("widths");
    if (!node) return {};
    Said<std::vector<double>> said{{}, at(*node, "widths")};
    for (const toml::node& entry : list(*node, "widths", "factors, such as [0.5, 1.0, 1.5]")) {
      const auto factor = entry.is_number() ? entry.value<double>() : std::nullopt;
      if (!factor || !(*factor >= least_width && *factor <= largest_width))
        fail("{}: factors of the backbone's channels are numbers from {} to {}", at(entry, "widths"),
             least_width, largest_width);
      if (std::ranges::count(said.value, *factor) > 0)
        fail("{} lists {} twice; remove one", at(entry, "widths"), *factor);
      said.value.push_back(*factor);
    }
    return said;
  }

  void read_ties(SpaceSettings& s) const {
    const toml::node* node = table_.get("tie");
    if (!node) return;
    constexpr std::string_view form = "lists of layers, such as [[\"a\", \"b\"], [\"c\", \"d\"]]";
    std::set<std::string> tied;
    for (const toml::node& entry : list(*node, "tie", form)) {
      Said<std::vector<std::string>> tie{{}, at(entry, "tie")};
      for (const toml::node& layer : list(entry, "tie", form)) {
        tie.value.push_back(text(layer, "tie"));
        if (!tied.insert(tie.value.back()).second)
          fail("{} names layer '{}' a second time; name it once", tie.where, tie.value.back());
      }
      if (tie.value.size() < 2) fail("{}: a tie has at least two layers", tie.where);
      s.ties.push_back(std::move(tie));
    }
  }

  void read_layers(SpaceSettings& s) const {
    const toml::node* node = table_.get("layers");
    if (!node) return;
    if (!node->is_table()) fail("{} must be tables: [layers.\"stage1.block1.conv1\"]", at(*node, "layers"));
    for (const auto& [key, entry] : *node->as_table()) {
      const std::string layer(key.str());
      const toml::table* table = entry.as_table();
      if (!table)
        fail(
            "{} must be a table: [layers.\"{}\"] with menu, kernels or widths; a name with dots needs quotes",
            at(entry, layer), layer);
      refuse_unknown_of_layer(layer, *table);
      LayerSettings settings{at(entry, layer), menu(*table), kernels(*table), widths(*table)};
      for (const auto* where : {&settings.kernels.where, &settings.widths.where})
        refuse_shape(s.shapes, *where);
      s.layers.emplace(layer, std::move(settings));
    }
  }

  /// [layers.a.b] without quotes is a table b in a table a.
  void refuse_unknown_of_layer(const std::string& layer, const toml::table& table) const {
    for (const auto& [key, node] : table)
      if (node.is_table())
        fail("{}:{}: put the layer's name in quotes: [layers.\"{}.{}...\"]", file_, node.source().begin.line,
             layer, key.str());
    refuse_unknown(table, {"menu", "kernels", "widths"});
  }

  std::string file_;
  const toml::table& table_;
};

}  // namespace

SpaceSettings parse_settings(std::string_view text, const std::string& file) {
  const toml::table table = parse_toml(file, text);
  return Reader(file, table).read();
}

}  // namespace twofour::nas
