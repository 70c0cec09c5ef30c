#pragma once
// Flags that more than one command takes. The README's commands list which.
#include <gflags/gflags_declare.h>

DECLARE_bool(json);
DECLARE_string(output);
DECLARE_string(format);
DECLARE_string(machine);
DECLARE_string(dtype);
DECLARE_bool(sparse);
DECLARE_int64(m);
DECLARE_int64(n);
DECLARE_int64(k);
DECLARE_string(arch);
DECLARE_string(instruction);
DECLARE_string(family);
DECLARE_int64(seed);
DECLARE_bool(strict);

namespace twofour::cli {

/// Whether the command line sets a flag.
bool flag_given(const char* flag);

}  // namespace twofour::cli
