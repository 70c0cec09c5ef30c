#include "twofour/nas/graph/network.h"

namespace twofour::nas {

std::int64_t macs(const Layer& layer) {
  return layer.shape.gemm_m() * layer.shape.gemm_n() * layer.weight_columns();
}

std::int64_t macs(const Network& network) {
  std::int64_t sum = 0;
  for (const Layer& l : network.layers) sum += macs(l);
  return sum;
}

bool reads_signed(const Network& network, std::size_t layer) {
  const int input = network.layers.at(layer).input;
  return input > 0 && network.layers.at(std::size_t(input) - 1).activation == Activation::none;
}

bool is_legal(const Network& network, std::size_t layer, Option option) {
  const Layer& l = network.layers.at(layer);
  const OptionInfo& o = info(option);
  if (!isa::is_float(o.weight) && reads_signed(network, layer)) return false;
  if (l.depthwise()) return option == Option::int8 || option == Option::fp16;
  if (layer == 0 || layer + 1 == network.layers.size())
    return !o.sparse && (isa::is_float(o.weight) || option == Option::int8);
  return !o.sparse || l.sparse_legal();
}

std::vector<Option> legal_options(const Network& network, std::size_t layer) {
  std::vector<Option> legal;
  for (const Option o : default_menu)
    if (is_legal(network, layer, o)) legal.push_back(o);
  return legal;
}

}  // namespace twofour::nas
