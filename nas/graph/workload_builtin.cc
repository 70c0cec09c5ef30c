#include "twofour/nas/graph/workload_builtin.h"

#include "twofour/isa/error.h"
#include "twofour/nas/graph/workload_networks.h"

namespace twofour::nas {

const std::vector<BuiltinWorkload>& builtin_workloads() {
  static const std::vector<BuiltinWorkload> list{
      {"resnet18", "ResNet-18, 224 x 224 images", true},
      {"resnet34", "ResNet-34, 224 x 224 images", true},
      {"resnet50", "ResNet-50 v1.5 (stride in the 3x3 convolutions), 224 x 224 images", true},
      {"resnet50-v1", "ResNet-50 v1 (stride in the 1x1 convolutions), 224 x 224 images", true},
      {"vgg16", "VGG-16 without batch normalisation, 224 x 224 images", true},
      {"mobilenetv2", "MobileNetV2 of width 1, 224 x 224 images", true},
      {"bert-base", "BERT-base with pooler, 128 tokens", false},
      {"vit-b16", "ViT-B/16, 224 x 224 images", true}};
  return list;
}

Workload builtin_workload(std::string_view name, const WorkloadSizes& sizes) {
  if (name == "resnet18") return resnet(name, {2, 2, 2, 2}, ResnetBlock::basic, sizes);
  if (name == "resnet34") return resnet(name, {3, 4, 6, 3}, ResnetBlock::basic, sizes);
  if (name == "resnet50") return resnet(name, {3, 4, 6, 3}, ResnetBlock::bottleneck_v15, sizes);
  if (name == "resnet50-v1") return resnet(name, {3, 4, 6, 3}, ResnetBlock::bottleneck_v1, sizes);
  if (name == "vgg16") return vgg16(name, sizes);
  if (name == "mobilenetv2") return mobilenet_v2(name, sizes);
  if (name == "bert-base") return bert_base(name, sizes);
  if (name == "vit-b16") return vit_b16(name, sizes);
  std::string known;
  for (const auto& w : builtin_workloads()) known += (known.empty() ? "" : ", ") + std::string(w.name);
  fail("'{}' is not a built-in network; known: {}", name, known);
}

}  // namespace twofour::nas
