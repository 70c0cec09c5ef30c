#pragma once
#include <string>
#include <vector>

#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// A network that is built in, at the sizes of its publication.
struct BuiltinWorkload {
  std::string_view name;
  std::string_view description;
  bool has_images;  ///< takes images (else tokens)
};

struct WorkloadSizes {
  std::int64_t batch = 1;
  std::int64_t image = 224;     ///< height and width of the images; of no use to a network of tokens
  std::int64_t sequence = 128;  ///< tokens of a sequence; of no use to a network of images
};

const std::vector<BuiltinWorkload>& builtin_workloads();

/// The nodes of a built-in network as an ONNX export has them before any fusion: convolutions without bias,
/// batch normalisations, activations and additions apart. Throws Error that lists the names for an unknown
/// one, and for sizes that the network cannot take.
Workload builtin_workload(std::string_view name, const WorkloadSizes& sizes);

}  // namespace twofour::nas
