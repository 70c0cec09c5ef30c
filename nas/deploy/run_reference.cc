#include "twofour/nas/deploy/reference_layer.h"

namespace twofour::nas {
namespace {

std::int32_t saturate(std::int64_t y) {
  if (y > INT32_MAX) return INT32_MAX;
  if (y < INT32_MIN) return INT32_MIN;
  return static_cast<std::int32_t>(y);
}

/// Runs one image at a time through the layers; each image writes its own part of the results.
class Reference {
 public:
  Reference(const DeployedNetwork& net, const std::vector<std::int32_t>& images, int batch)
      : net_(net), images_(images) {
    for (std::size_t i = 0; i < net.layers.size(); ++i) {
      const emu::ConvShape& shape = net.network.layers[i].shape;
      const isa::ElementType type = info(net.layers[i].option).accumulator;
      convolutions_.push_back(net.network.layers[i].depthwise() ? depthwise_reference(shape, net.layers[i])
                              : type == isa::ElementType::f32   ? fp16_reference(shape, net.layers[i])
                                                                : integer_reference(shape, net.layers[i]));
      const std::int64_t pixels = batch * shape.out_height() * shape.out_width();
      results_.push_back({emu::PackedMatrix(type, pixels, shape.out_channels),
                          std::vector<std::int32_t>(std::size_t(pixels * shape.out_channels))});
    }
  }

  void run(std::int64_t image) {
    for (std::size_t i = 0; i < net_.layers.size(); ++i) run_layer(i, image);
  }

  std::vector<LayerResult> take() { return std::move(results_); }

 private:
  /// Words of one image of a tensor, and where the image's words start.
  std::int64_t tensor_words(int tensor) const {
    const emu::ConvShape& s = net_.network.layers[tensor == 0 ? 0 : std::size_t(tensor - 1)].shape;
    return tensor == 0 ? s.height * s.width * s.in_channels : s.out_height() * s.out_width() * s.out_channels;
  }
  const std::int32_t* tensor_data(int tensor, std::int64_t image) const {
    const std::vector<std::int32_t>& words = tensor == 0 ? images_ : results_[std::size_t(tensor - 1)].output;
    return words.data() + image * tensor_words(tensor);
  }

  /// The words after the pool, which are kept in `storage`; the tensor's own where there is none.
  const std::int32_t* pooled_data(int tensor, std::int64_t image, const Pool& pool,
                                  std::vector<std::int32_t>& storage) const {
    const std::int32_t* words = tensor_data(tensor, image);
    if (pool.kind == PoolKind::none) return words;
    const emu::ConvShape& s = net_.network.layers[std::size_t(tensor - 1)].shape;  // never the image
    storage = reference_pool(words, s.out_height(), s.out_width(), s.out_channels, pool);
    return storage.data();
  }

  void run_layer(std::size_t index, std::int64_t image) {
    const Layer& layer = net_.network.layers[index];
    const std::int64_t pixels = layer.shape.out_height() * layer.shape.out_width(),
                       channels = layer.shape.out_channels;
    std::vector<std::int32_t> pooled_input, pooled_residual;
    const std::int32_t* input = pooled_data(layer.input, image, layer.pool, pooled_input);
    LayerResult& result = results_[index];
    auto* accumulators = result.accumulators.row_as<std::uint32_t>(image * pixels);
    convolutions_[index]->convolve(input, accumulators);
    const std::int32_t* residual =
        layer.residual < 0 ? nullptr
                           : pooled_data(layer.residual, image, layer.residual_pool, pooled_residual);
    std::int32_t* out = result.output.data() + image * pixels * channels;
    for (std::int64_t i = 0; i < pixels * channels; ++i) {
      const std::size_t channel = std::size_t(i % channels);
      std::int64_t y =
          convolutions_[index]->scaled(accumulators[i], channel) + net_.layers[index].bias[channel];
      if (residual != nullptr) y += residual[i];
      if (layer.activation != Activation::none && y < 0) y = 0;
      if (layer.activation == Activation::relu6 && y > 393216) y = 393216;  // 6.0
      out[i] = saturate(y);
    }
  }

  const DeployedNetwork& net_;
  const std::vector<std::int32_t>& images_;
  std::vector<std::unique_ptr<ReferenceLayer>> convolutions_;
  std::vector<LayerResult> results_;
};

}  // namespace

std::vector<LayerResult> run_reference(const DeployedNetwork& net, const std::vector<std::int32_t>& images,
                                       int batch) {
  check_network(net);
  check_images(net, images, batch);
  Reference reference(net, images, batch);
#pragma omp parallel for schedule(dynamic)
  for (int image = 0; image < batch; ++image) reference.run(image);
  return reference.take();
}

}  // namespace twofour::nas
