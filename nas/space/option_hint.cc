#include "twofour/nas/space/option_hint.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <set>

#include "twofour/nas/graph/option.h"

namespace twofour::nas {
namespace {

struct TypeWord {
  std::string_view text;
  int bits;
};
constexpr std::array type_words{TypeWord{"int1", 1},  TypeWord{"int4", 4}, TypeWord{"int8", 8},
                                TypeWord{"fp16", 16}, TypeWord{"f16", 16}, TypeWord{"bf16", 16},
                                TypeWord{"tf32", 32}, TypeWord{"b1", 1},   TypeWord{"s4", 4},
                                TypeWord{"u4", 4},    TypeWord{"s8", 8},   TypeWord{"u8", 8}};

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return low;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool is_sparse(std::string_view text) {
  return has(text, "2:4") || has(text, "4:8") || has(text, "1:2") || has(text, "sparse");
}

/// Types of different widths in one spelling.
bool mixes_widths(std::string_view text) {
  std::set<int> widths;
  for (const TypeWord& word : type_words)
    if (has(text, word.text)) widths.insert(word.bits);
  return widths.size() > 1;
}

}  // namespace

std::string option_hint(std::string_view written) {
  const std::string text = lower(written);
  std::smatch planes;
  const bool bit_serial = std::regex_search(text, planes, std::regex("w([0-9]+)a([0-9]+)"));
  if (mixes_widths(text))
    return "both operands of an MMA have one width; weights and activations of different widths are computed "
           "from "
           "int1 products: w4a8 and its like";
  if (bit_serial && is_sparse(text)) return "options computed from int1 products have no sparse form";
  if (bit_serial) {
    const std::string p = planes[1], q = planes[2];
    const auto in_range = [](const std::string& bits) {
      return bits.size() == 1 && bits >= "1" && bits <= "8";
    };
    if (!in_range(p) || !in_range(q)) return "weights and activations have 1 to 8 bits";
    if (p == "1" && q == "1") return "one bit each is int1";
    if (text != written || text != planes[0])
      return "both operands of an MMA have one width; w" + p + "a" + q + ", written so, is computed from " +
             std::to_string(std::stoi(p) * std::stoi(q)) + " int1 products";
  }
  if ((has(text, "int1") || has(text, "b1")) && !has(text, "int16") && is_sparse(text))
    return "INT1 has no sparse form; remove it or use int1";
  if (has(text, "int4") && is_sparse(text)) return "INT4 is sparse in pairs: int4-4:8";
  if (has(text, "tf32") && is_sparse(text)) return "TF32 is sparse one in two: tf32-1:2";
  for (const OptionInfo& o : option_table)
    if (text == o.name) return "options are written in lower case: " + std::string(o.name);
  return {};
}

}  // namespace twofour::nas
