#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace twofour {

/// Input that twofour refuses: a malformed file, an illegal shape, an unknown name. The message names file,
/// line and field where there are any, and says what to do. Commands print it and exit with status 2.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace twofour
