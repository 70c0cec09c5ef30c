#pragma once
#include <string>

#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// A tensor of the network under construction, and the pool through which its readers see it.
struct NetworkTensor {
  int tensor = 0;
  std::int64_t size = 0, channels = 0;  ///< after the pool; images are square
  Pool pool;
};

struct ConvolutionSpec {
  std::int64_t filters = 0;
  int kernel = 1, stride = 1;
  int pad = -1;  ///< -1: kernel / 2
  std::int64_t groups = 1;
};

/// Appends the layers of a network in the order in which they run.
class NetworkBuilder {
 public:
  /// Throws Error for sizes that no network takes; the message starts with the name.
  NetworkBuilder(std::string name, int image, int channels, int classes);

  NetworkTensor image() const { return image_; }
  NetworkTensor convolution(const std::string& name, const NetworkTensor& in, const ConvolutionSpec& spec,
                            Activation activation = Activation::relu);
  /// Throws Error where the window is larger than the padded image.
  NetworkTensor max_pool(const NetworkTensor& in, int kernel, int stride, int pad) const;
  /// The last layer adds this before its activation.
  void add_residual(const NetworkTensor& shortcut);
  /// A linear layer over all that is left of the image, which becomes 1x1.
  NetworkTensor linear(const std::string& name, const NetworkTensor& in, std::int64_t features,
                       Activation activation = Activation::relu);
  /// The last layer: linear, without activation.
  Network classifier(const NetworkTensor& in);
  /// The same after a global average pool.
  Network pooled_classifier(NetworkTensor in);

 private:
  Network network_;
  NetworkTensor image_;
  int classes_;
};

}  // namespace twofour::nas
