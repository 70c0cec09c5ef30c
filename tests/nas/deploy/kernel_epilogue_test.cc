// A layer as one kernel with the fixed-point epilogue: the words of a deployed layer.
#include <gtest/gtest.h>

#include "deployed_networks.h"
#include "twofour/emu/kernel/run_kernel.h"

namespace twofour::nas {
namespace {

/// The 8-bit activations that the layer reads, by the rule in integer_network.h.
emu::PackedMatrix quantised(const DeployedLayer& d, const std::vector<std::int32_t>& words,
                            std::int64_t channels) {
  emu::PackedMatrix q(isa::ElementType::u8, std::int64_t(words.size()) / channels, channels);
  for (std::size_t i = 0; i < words.size(); ++i)
    q.set_integer(std::int64_t(i) / channels, std::int64_t(i) % channels,
                  std::clamp<std::int64_t>(d.input_scale.apply(words[i]), 0, 255));
  return q;
}

TEST(KernelEpilogue, AConvolutionKernelStoresTheWordsOfADeployedLayer) {
  for (const Option option : {Option::int8, Option::int8_sparse})
    for (const bool relu : {false, true}) {
      std::mt19937 random(31);
      Layer layer = point_layer(32, 24);
      layer.shape = {.height = 9,
                     .width = 7,
                     .in_channels = 32,
                     .out_channels = 24,
                     .kernel_h = 3,
                     .kernel_w = 3,
                     .stride = 2,
                     .pad = 1};
      layer.activation = relu ? Activation::relu : Activation::none;
      const DeployedNetwork net = random_deployed({"one", {layer}}, {option}, random);
      const DeployedLayer& d = net.layers[0];
      const int batch = 2;
      const auto images = random_images(net.network, batch, random);

      emu::KernelProblem p;
      p.instruction = &instruction_of(option);
      p.conv = layer.shape;
      p.conv->batch = batch;
      p.m = p.conv->gemm_m(), p.n = p.conv->gemm_n();
      const std::int64_t k = p.instruction->shape.k;
      p.k = (p.conv->gemm_k() + k - 1) / k * k;
      p.epilogue = {.output = isa::ElementType::s32,
                    .scale = true,
                    .bias = true,
                    .relu = relu,
                    .channel_is_row = true,
                    .fixed_point = true,
                    .transposed = true};
      emu::Schedule s;
      s.tile = {32, 64, 128, 3, 1, 2};
      const emu::Kernel kernel = emu::plan_kernel(p, s);

      std::vector<std::uint32_t> scale, bias(d.bias.begin(), d.bias.end());
      for (const FixedScale& f : d.output_scale) scale.push_back(std::uint32_t(f.multiplier));
      for (const FixedScale& f : d.output_scale) scale.push_back(std::uint32_t(f.shift));
      const emu::PackedMatrix weights = emu::padded(d.weights, p.m, p.k), pixels = quantised(d, images, 32);
      emu::SparseMatrix sparse;
      emu::KernelOperands x{.a = &weights, .b_transposed = &pixels, .epilogue = {scale, bias, nullptr}};
      if (p.instruction->is_sparse()) {
        sparse = emu::compress(weights);
        x.a = &sparse.values, x.sparse = &sparse;
      }
      const emu::PackedMatrix got = emu::run_kernel(kernel, x).d;
      const std::vector<std::int32_t> want = run_reference(net, images, batch)[0].output;
      ASSERT_EQ(std::int64_t(want.size()), p.m * p.n);
      for (std::size_t i = 0; i < want.size(); ++i)
        ASSERT_EQ(got.integer(std::int64_t(i) / p.m, std::int64_t(i) % p.m), want[i])
            << name(option) << " " << i;
    }
}

}  // namespace
}  // namespace twofour::nas
