#pragma once

namespace twofour::nas {

/// The constants of whole networks that no source gives.
struct NetworkConstants {
  double call_us;  ///< one inference call of the published benchmark that no kernel runs in: the data
                   ///< loader's hand-over, the predictor's entry, the copy of the result and the wait for it
};

inline constexpr NetworkConstants fitted_network_constants{393};

}  // namespace twofour::nas
