#pragma once
#include "twofour/nas/graph/workload_builtin.h"

namespace twofour::nas {

/// He et al., CVPR 2016, as torchvision has it. v1.5 strides in the 3x3 convolution of a bottleneck, v1 in
/// its first.
enum class ResnetBlock : std::uint8_t { basic, bottleneck_v15, bottleneck_v1 };
Workload resnet(std::string_view name, const std::vector<int>& blocks, ResnetBlock block,
                const WorkloadSizes& sizes);

/// Simonyan and Zisserman, ICLR 2015, configuration D, with biases and without batch normalisation.
Workload vgg16(std::string_view name, const WorkloadSizes& sizes);

/// Sandler et al., CVPR 2018, width 1, as torchvision has it.
Workload mobilenet_v2(std::string_view name, const WorkloadSizes& sizes);

/// Devlin et al., NAACL 2019: 12 layers, 768 features, 12 heads, 30,522 word pieces, and the pooler.
Workload bert_base(std::string_view name, const WorkloadSizes& sizes);

/// Dosovitskiy et al., ICLR 2021: ViT-B with 16x16 patches, a class token and a linear head of 1,000 classes.
Workload vit_b16(std::string_view name, const WorkloadSizes& sizes);

}  // namespace twofour::nas
