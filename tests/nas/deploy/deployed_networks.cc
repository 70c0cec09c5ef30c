#include "deployed_networks.h"

#include <cmath>

namespace twofour::nas {
namespace {

bool is_fp16(Option o) {
  return info(o).weight == isa::ElementType::f16;
}

std::uint64_t random_weight(Option o, std::mt19937& random) {
  if (info(o).weight_bits == 1) return random() % 2;
  if (!is_fp16(o)) {
    const int most = largest_weight(o);
    return std::uint64_t(int(random() % unsigned(2 * most + 1)) - most);
  }
  // Any sign and fraction; exponents from subnormal to 8, mostly near 1.
  const unsigned exponent = random() % 4 ? 12 + random() % 4 : random() % 19;
  return (random() & 0x83ff) | exponent << 10;
}

DeployedLayer random_layer(const Layer& layer, Option option, std::mt19937& random) {
  const std::int64_t k = layer.weight_columns(), channels = layer.shape.out_channels;
  DeployedLayer d;
  d.option = option;
  d.weights = emu::PackedMatrix(stored_weights(option), channels, k);
  for (std::int64_t r = 0; r < channels; ++r)
    for (std::int64_t c = 0; c < k; ++c) d.weights.set_bits(r, c, random_weight(option, random));
  if (info(option).sparse) d.weights = emu::prune(d.weights);
  const double size = is_fp16(option) ? 1 : 0.5 * largest_weight(option) * activation_levels(option);
  d.input_scale = FixedScale::of(activation_levels(option) / (2.0 * 65536));
  for (std::int64_t c = 0; c < channels; ++c) {
    const double scale = 65536 * (0.5 + double(random() % 1000) / 1000) / (size * std::sqrt(double(k)));
    d.output_scale.push_back(FixedScale::of(random() % 8 ? scale : -scale));
    d.float_scale.push_back(scale);
    d.bias.push_back(std::int32_t(random() % 65536) - 16384);
  }
  return d;
}

}  // namespace

Layer point_layer(std::int64_t in_channels, std::int64_t out_channels) {
  Layer l;
  l.name = "point";
  l.shape.in_channels = in_channels;
  l.shape.out_channels = out_channels;
  l.activation = Activation::none;
  return l;
}

DeployedLayer deployed_layer(Option option, const Layer& layer, const std::vector<std::int64_t>& weights) {
  const std::size_t channels = std::size_t(layer.shape.out_channels);
  DeployedLayer d;
  d.option = option;
  d.weights = emu::PackedMatrix(stored_weights(option), layer.shape.gemm_m(), layer.weight_columns());
  for (std::size_t i = 0; i < weights.size(); ++i)
    d.weights.set_integer(std::int64_t(i) / d.weights.cols(), std::int64_t(i) % d.weights.cols(), weights[i]);
  d.input_scale = {1, 16};
  d.output_scale.assign(channels, {2, 1});
  d.float_scale.assign(channels, 1.0);
  d.bias.assign(channels, 0);
  return d;
}

DeployedNetwork random_deployed(Network network, const std::vector<Option>& options, std::mt19937& random) {
  DeployedNetwork net{std::move(network), {}};
  for (std::size_t i = 0; i < options.size(); ++i)
    net.layers.push_back(random_layer(net.network.layers[i], options[i], random));
  return net;
}

DeployedNetwork mixed_network() {
  const auto convolution = [](const char* name, std::int64_t in, std::int64_t out, int kernel, int input) {
    Layer l;
    l.name = name;
    l.shape = {.height = 8,
               .width = 8,
               .in_channels = in,
               .out_channels = out,
               .kernel_h = kernel,
               .kernel_w = kernel,
               .pad = kernel / 2};
    l.input = input;
    return l;
  };
  Network n{"mixed",
            {convolution("stem", 3, 16, 3, 0), convolution("conv1", 16, 16, 3, 1),
             convolution("conv2", 16, 16, 1, 2), convolution("conv3", 16, 32, 3, 3),
             convolution("conv4", 32, 32, 1, 4), convolution("classifier", 32, 10, 1, 5)}};
  n.layers[2].residual = 1;
  n.layers[3].shape.stride = 2;
  n.layers[4].shape.height = n.layers[4].shape.width = 4;
  Layer& last = n.layers[5];
  last.shape.height = last.shape.width = 1;
  last.pool.kind = PoolKind::global_average;
  last.activation = Activation::none;
  std::mt19937 random(7);
  return random_deployed(std::move(n),
                         {Option::int8, Option::int8_sparse, Option::fp16_sparse, Option::int4_sparse,
                          Option::int1, Option::int8},
                         random);
}

std::vector<std::int32_t> random_images(const Network& network, int batch, std::mt19937& random) {
  const emu::ConvShape& s = network.layers[0].shape;
  std::vector<std::int32_t> images(std::size_t(batch * s.height * s.width * s.in_channels));
  for (std::int32_t& x : images)
    x = random() % 50 ? std::int32_t(random() % 140000) : std::int32_t(random()) >> (random() % 20);
  return images;
}

}  // namespace twofour::nas
