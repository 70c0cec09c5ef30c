#pragma once
#include <string>
#include <vector>

#include "twofour/emu/matrix/conv.h"
#include "twofour/nas/graph/layer_kinds.h"
#include "twofour/nas/graph/option.h"

namespace twofour::nas {

/// One convolution with its folded batch normalisation, optional residual add and activation:
/// out = act(scale_c * conv(pool(in)) + bias_c + residual_pool(residual)). A fully connected layer is a 1x1
/// convolution of a 1x1 image. Tensors are numbered: 0 is the image, layer i writes tensor i + 1.
struct Layer {
  std::string name;
  emu::ConvShape shape;     ///< batch is 1 here; height and width are those after the pool
  std::int64_t groups = 1;  ///< 1, or all channels (depthwise, on CUDA cores)
  int input = 0;            ///< tensor that it reads
  int residual = -1;        ///< tensor that is added before the activation, or -1
  Activation activation = Activation::relu;
  Pool pool{};
  Pool residual_pool{};  ///< none or max: ResNet-18 adds the pooled stem to its first block

  bool depthwise() const { return groups > 1; }
  /// Weights are out_channels x weight_columns() in the order r, s, c, with c over a group's channels.
  std::int64_t weight_columns() const { return shape.gemm_k() / groups; }
  /// Sparse options need whole groups along the channels: in_channels % 16 == 0 and out_channels % 8 == 0.
  bool sparse_legal() const {
    return !depthwise() && shape.in_channels % 16 == 0 && shape.out_channels % 8 == 0;
  }
};

/// A network as a list of layers in the order they run; the last layer's outputs are the class scores.
struct Network {
  std::string name;
  std::vector<Layer> layers;
};

/// Multiply-adds for one image.
std::int64_t macs(const Layer& layer);
std::int64_t macs(const Network& network);

/// ResNet for small images (He et al., CVPR 2016, section 4.2): a 3x3 stem, three stages of basic blocks at
/// widths w, 2w, 4w (the first block of stages 2 and 3 with stride 2 and a 1x1 projection), global average
/// pool, linear classifier. depth = 6 * blocks + 2. Throws Error for an illegal size.
Network resnet_small(int blocks, int width, int stem_stride, int image = 28, int classes = 10,
                     int channels = 1);

/// Whether the layer reads a tensor with negative values: one that its layer writes without activation.
bool reads_signed(const Network& network, std::size_t layer);

/// Whether a layer may take an option. The stem and the classifier stay dense int8 or fp16 (bf16, tf32); so
/// do depthwise layers, int8 or fp16. Integer activations are unsigned, so that layers which read negative
/// values take floating types alone. Sparse forms only where they are legal.
bool is_legal(const Network& network, std::size_t layer, Option option);
/// Options of the default menu that a layer may take.
std::vector<Option> legal_options(const Network& network, std::size_t layer);

}  // namespace twofour::nas
