#pragma once
#include "twofour/nas/graph/onnx_node.h"

namespace twofour::nas::onnx {

/// Works out the values of a node's results, whose shapes its rule has set, where its inputs' values are
/// known and the operator is one that exporters compute shapes with: arithmetic, comparisons, Where, Gather,
/// Slice, Concat, Cast, reductions, changes of shape. Other results stay without values.
void fold(Inference& n);

}  // namespace twofour::nas::onnx
