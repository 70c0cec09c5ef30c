#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "twofour/nas/graph/onnx_model.h"
#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

struct OnnxOptions {
  /// Size of the first input's first dimension where the file leaves it open, of every dimension of the same
  /// name, and of other open first dimensions without a name; 0: the file must state it.
  std::int64_t batch = 0;
  /// Sizes of open dimensions by their name ("sequence"), or of any dimension, even a fixed one, as
  /// "INPUT:AXIS" ("pixels:0"). Reshapes whose sizes the export has fixed may not follow.
  std::map<std::string, std::int64_t> dims{};
  /// Nodes that have no rule cost nothing instead of being refused; the file must then state the shapes of
  /// their results (value_info).
  bool skip_unsupported = false;
};

/// What was read: the workload and the nodes that count as nothing for lack of a rule ("name (Op)").
struct OnnxImport {
  Workload workload;
  std::vector<std::string> skipped;
};

/// The network of an ONNX file (opset 6 to 27) as a workload. Weights' values are not read, so that
/// external data may be missing. Nodes that depend on constants alone are left out: a runtime computes them
/// once. Throws Error that names file and node for files that are no ONNX, cut short, of another opset, not
/// sorted or cyclic, or whose own statements of shapes disagree with its operators; for nodes without a rule,
/// all in one message; for open dimensions, with the flag that sets them; for shapes that do not fit,
/// negative or above 2^40 elements.
OnnxImport import_onnx(const std::string& path, const OnnxOptions& options = {});
/// The same for a model in memory.
OnnxImport import_onnx(const onnx::Model& model, const OnnxOptions& options = {});

}  // namespace twofour::nas
