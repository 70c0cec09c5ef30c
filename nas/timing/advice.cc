#include "twofour/nas/timing/advice.h"

#include <fmt/format.h>

#include <algorithm>

namespace twofour::nas {
namespace {

using isa::ElementType;

constexpr double least_gain = 1.02;  // below it a layer is called unchanged

Advice refused(std::string option, const std::string& why) {
  Advice a;
  a.option = std::move(option);
  a.legal = false;
  a.reason = "not legal: " + why;
  return a;
}

/// From one latency to another, as a sentence.
Advice compared(std::string option, const emu::Latency& before, const emu::Latency& after) {
  Advice a;
  a.option = std::move(option);
  a.gain = before.microseconds / after.microseconds;
  a.pays = a.gain >= least_gain;
  if (a.pays)
    a.reason = fmt::format("{:.2f}x, {} {}binds", a.gain, name(after.bound),
                           before.bound == after.bound ? "still " : "now ");
  else if (a.gain > 1 / least_gain)
    a.reason = fmt::format("no gain, {} bound", name(after.bound));
  else
    a.reason = fmt::format("{:.2f}x, slower: {} bound", a.gain, name(after.bound));
  return a;
}

ProductForm with_type(ProductForm form, ElementType type) {
  const double ratio = double(isa::bits(type)) / isa::bits(form.type);
  form.residual_bytes *= ratio;
  form.output_bits = std::max(1, static_cast<int>(form.output_bits * ratio));
  form.type = type;
  if (type == ElementType::b1) form.sparse = false;
  return form;
}

Advice about_sparse(const Node& node, const ProductForm& form, const emu::Latency& now, bool edge,
                    const isa::Machine& machine) {
  if (edge)
    return refused("2:4", node.kind == NodeKind::convolution && node.channels < 16
                              ? sparse_illegal(node, form.type)
                              : "first layer or classifier");
  const auto why = sparse_illegal(node, form.type);
  if (!why.empty()) return refused("2:4", why);
  auto other = form;
  other.sparse = !form.sparse;
  const auto latency = product_latency(node, other, machine);
  return form.sparse ? compared("2:4", latency, now) : compared("2:4", now, latency);
}

Advice about_type(const Node& node, const ProductForm& form, const emu::Latency& now, bool edge,
                  ElementType type, const isa::Machine& machine) {
  const std::string option(network_type_name(type));
  if (type == ElementType::s4 && edge) return refused(option, "first layer or classifier");
  if (type == ElementType::s4 && node.kind == NodeKind::batched_gemm)
    return refused(option, "both operands are activations");
  if (machine.fma_per_clk(type, ElementType::s32) <= 0) return refused(option, "the machine has none");
  return compared(option, now, product_latency(node, with_type(form, type), machine));
}

}  // namespace

std::vector<Advice> advise(const Node& node, const ProductForm& form, const emu::Latency& now, bool edge,
                           const isa::Machine& machine) {
  std::vector<Advice> advice{about_sparse(node, form, now, edge, machine)};
  for (const ElementType type : {ElementType::s8, ElementType::s4})
    if (isa::bits(type) < isa::bits(form.type))
      advice.push_back(about_type(node, form, now, edge, type, machine));
  return advice;
}

Advice refuse_sparse(const std::string& why) {
  return refused("2:4", why);
}

}  // namespace twofour::nas
