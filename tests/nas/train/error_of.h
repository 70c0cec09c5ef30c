#pragma once
#include <string>

#include "twofour/isa/error.h"

namespace twofour::nas {

/// The message of the Error that f throws; empty if it throws none.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace twofour::nas
