#pragma once
// Errors of a running kernel, with the kind that callers turn into a code of their own.
#include <cstdint>
#include <string>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx {

enum class Fault : std::uint8_t {
  other,      ///< a trap, a deadlock, what PTX leaves undefined
  address,    ///< bytes that are not the kernel's
  alignment,  ///< an address that is no multiple of what the access needs
  assertion   ///< assert() of the program
};

class KernelError : public Error {
 public:
  KernelError(Fault why, const std::string& text) : Error(text), fault(why) {}
  Fault fault;
};

}  // namespace twofour::emu::ptx
