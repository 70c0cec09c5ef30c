#pragma once
// Several modules as one: what nvcc -rdc=true leaves to be joined when the program runs.
#include <vector>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx {

/// Declarations take the definition of their name from any module; of several definitions (.weak, inline
/// functions) the first stays. Variables that are not .visible belong to their module: one whose name repeats
/// gets "@2", "@3", ... by module (nvcc makes the names of such functions unique itself). At least one
/// module; the first names the file.
Module link(std::vector<Module> modules);

}  // namespace twofour::emu::ptx
