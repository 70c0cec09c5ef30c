#pragma once
#include <string_view>

#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// What a network of the zoo is made for: square images. Every layer has a batch normalisation, but for the
/// last, which has a bias.
struct NetworkSizes {
  int image = 224, channels = 3, classes = 1000;
  int width = 0;        ///< channels of the first stage; 0: as published
  int stem_stride = 0;  ///< 1 or 2; 0: as published
};

/// ResNet-18, 34 and 50 (He et al., CVPR 2016; 50 as v1.5, with the stride in the 3x3 convolution): 7x7 stem
/// with stride 2, 3x3 max pool with stride 2, four stages at widths w, 2w, 4w, 8w (w = 64). Projection
/// shortcuts are layers of their own, before the block's last convolution, which adds them.
Network resnet(int depth, const NetworkSizes& sizes);

/// VGG-11, 13 and 16 with batch normalisation (Simonyan and Zisserman, ICLR 2015): five stages of 3x3
/// convolutions at widths w, 2w, 4w, 8w, 8w (w = 64) with a 2x2 max pool after each, at least 32x32 pixels.
/// Classifier: three fully connected layers, of 64 w features twice and the classes, the first over whatever
/// the last pool leaves (7x7 at 224); or, with `global_pool`, a global average in place of the last pool and
/// one linear layer. The stem's stride stays 1.
Network vgg(int depth, const NetworkSizes& sizes, bool global_pool);

/// Sandler et al., CVPR 2018: 17 inverted residuals (1x1 expansion, 3x3 depthwise, linear 1x1), ReLU6. Width
/// 32 is the published one; at width w channels are scaled by w / 32 and rounded to multiples of 8.
Network mobilenet_v2(const NetworkSizes& sizes);

/// A network of the zoo by name: resnet8, resnet14, resnet20 (resnet_small, width 16, stem stride 1),
/// resnet18, resnet34, resnet50, vgg11, vgg13, vgg16, mobilenetv2. Suffixes: "-wN" the width, "-s1" or "-s2"
/// the stem's stride (not of vgg), "-gap" the global average of vgg. Throws Error that lists the names.
Network network_by_name(std::string_view name, int image, int channels, int classes);

}  // namespace twofour::nas
