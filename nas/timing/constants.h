#pragma once

namespace twofour::nas {

/// The constants of whole networks that no source gives. Fitted on three rows of
/// data/timing/a100_resnet50_tensorrt.csv: FP16, batches 1, 8 and 64; perf/network_accuracy.cc prints the
/// fit.
struct NetworkConstants {
  double call_us;  ///< one inference call of the published benchmark that no kernel runs in: the data
                   ///< loader's hand-over, the predictor's entry, the copy of the result and the wait for it
};

inline constexpr NetworkConstants fitted_network_constants{392};

}  // namespace twofour::nas
