#pragma once
#include <cstddef>
#include <vector>

namespace twofour::nas {

/// Tensors and weights in the order of their last use: the model of L2 between kernels. A tensor is still
/// there when all that was touched since its last use, and itself, fit the capacity together (least recently
/// used, whole tensors).
class Residency {
 public:
  explicit Residency(double capacity_bytes) : capacity_(capacity_bytes) {}

  bool holds(int tensor) const {
    double since = 0;
    for (auto it = used_.rbegin(); it != used_.rend(); ++it) {
      since += it->bytes;
      if (since > capacity_) return false;
      if (it->tensor == tensor) return true;
    }
    return false;
  }

  void touch(int tensor, double bytes) {
    for (std::size_t i = 0; i < used_.size(); ++i)
      if (used_[i].tensor == tensor) {
        used_.erase(used_.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
    used_.push_back({tensor, bytes});
  }

 private:
  struct Use {
    int tensor;
    double bytes;
  };
  double capacity_;
  std::vector<Use> used_;  ///< latest last
};

}  // namespace twofour::nas
