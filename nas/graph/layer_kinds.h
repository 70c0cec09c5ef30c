#pragma once
#include <cstdint>

/// What surrounds a convolution in a layer. Plain C++17: both sides of the libtorch boundary include it.
namespace twofour::nas {

enum class Activation : std::uint8_t { none, relu, relu6 };

/// What happens to a layer's input before the convolution.
enum class PoolKind : std::uint8_t { none, max, global_average };

struct Pool {
  PoolKind kind = PoolKind::none;
  int kernel = 0, stride = 0, pad = 0;  ///< of max; what lies outside the image is not taken
  int pixels = 0;  ///< of the image that the pooling kernel reads, for its latency alone; 0: no kernel of its
                   ///< own, as an earlier layer reads the same tensor pooled alike
};

/// Whether they compute the same.
inline bool operator==(const Pool& a, const Pool& b) {
  return a.kind == b.kind && a.kernel == b.kernel && a.stride == b.stride && a.pad == b.pad;
}

}  // namespace twofour::nas
