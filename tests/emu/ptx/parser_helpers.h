#pragma once
#include <string>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx {

inline const std::string head = ".version 8.0\n.target sm_80\n.address_size 64\n";

/// A module of these lines; the first is line 4.
inline Module module_of(const std::string& lines) {
  return parse(head + lines, "t.ptx");
}

/// A kernel of these lines; the first is line 5.
inline Function kernel_of(const std::string& lines) {
  return module_of(".entry k() {\n" + lines + "\n}").functions.back();
}

/// The only operand but the first of "mov.b64 r, X;".
inline Operand operand_of(const std::string& x, const std::string& declarations = "") {
  return kernel_of(".reg .b64 r; " + declarations + "mov.b64 r, " + x + ";").code.at(0).operands.at(1);
}

}  // namespace twofour::emu::ptx
