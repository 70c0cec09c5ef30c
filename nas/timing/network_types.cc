#include <array>

#include "twofour/isa/error.h"
#include "twofour/isa/instruction.h"
#include "twofour/nas/timing/network_latency.h"

namespace twofour::nas {
namespace {

using isa::ElementType;

struct TypeName {
  ElementType type;
  std::string_view name;
};
constexpr std::array<TypeName, 6> type_names{{{ElementType::f16, "fp16"},
                                              {ElementType::bf16, "bf16"},
                                              {ElementType::tf32, "tf32"},
                                              {ElementType::s8, "int8"},
                                              {ElementType::s4, "int4"},
                                              {ElementType::b1, "int1"}}};

}  // namespace

ElementType parse_network_type(std::string_view wanted) {
  for (const auto& t : type_names)
    if (t.name == wanted || isa::name(t.type) == wanted) return t.type;
  fail("'{}' is not a type of a network; use one of: fp16, bf16, tf32, int8, int4, int1", wanted);
}

std::string_view network_type_name(ElementType type) {
  for (const auto& t : type_names)
    if (t.type == type) return t.name;
  fail("{} is not a type of a network; use one of: fp16, bf16, tf32, int8, int4, int1", isa::name(type));
}

std::string sparse_illegal(const Node& node, ElementType type) {
  if (type == ElementType::b1) return "int1 has no sparse instruction";
  if (node.kind == NodeKind::batched_gemm) return "both operands are activations";
  if (is_grouped(node)) return "grouped convolution";
  const bool conv = node.kind == NodeKind::convolution;
  const auto channels = conv ? node.channels : node.k, filters = conv ? node.filters : node.n;
  if (channels % 16 != 0) return std::to_string(channels) + " channels, not a multiple of 16";
  if (filters % 8 != 0) return std::to_string(filters) + " filters, not a multiple of 8";
  return "";
}

}  // namespace twofour::nas
