#pragma once
#include <random>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// A 1x1 layer from in_channels to out_channels on one pixel.
Layer point_layer(std::int64_t in_channels, std::int64_t out_channels);

/// A layer with these weights (row-major Cout x K; f16 words for fp16 options, 1 for +1 and 0 for -1 for
/// weights of one bit), input and output scales of 2^-16 and 1 (fp16: float scales of 1) and no bias.
DeployedLayer deployed_layer(Option option, const Layer& layer, const std::vector<std::int64_t>& weights);

/// Random weights over the option's whole range (pruned if sparse), scales that keep signals in range, random
/// biases.
DeployedNetwork random_deployed(Network network, const std::vector<Option>& options, std::mt19937& random);

/// Six layers, each of another option, on images of 8 x 8 x 3, with a residual and a global pool:
/// networks/mixed.json holds the same.
DeployedNetwork mixed_network();

/// Stream words between 0 and about 2, now and then far outside.
std::vector<std::int32_t> random_images(const Network& network, int batch, std::mt19937& random);

}  // namespace twofour::nas
