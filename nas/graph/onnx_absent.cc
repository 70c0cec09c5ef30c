#include "twofour/isa/error.h"
#include "twofour/nas/graph/onnx_model.h"

namespace twofour::nas::onnx {

bool can_read_models() {
  return false;
}

Model parse_model(const std::string&, const std::string& file, std::int64_t) {
  fail(
      "{}: ONNX import is not built here: install libonnx-dev and libprotobuf-dev (Debian), configure and "
      "build "
      "again",
      file);
}

}  // namespace twofour::nas::onnx
