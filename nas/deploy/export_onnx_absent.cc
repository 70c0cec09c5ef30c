#include "twofour/isa/error.h"
#include "twofour/nas/deploy/export_onnx.h"

namespace twofour::nas {

bool can_write_onnx() {
  return false;
}

std::string deployed_onnx(const DeployedNetwork& net) {
  fail(
      "network '{}': ONNX export is not built here: install libonnx-dev and libprotobuf-dev (Debian), "
      "configure and build again",
      net.network.name);
}

void write_onnx(const std::string&, const DeployedNetwork& net) {
  deployed_onnx(net);
}

}  // namespace twofour::nas
