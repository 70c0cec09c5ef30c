#pragma once
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "twofour/emu/kernel/kernel.h"

namespace twofour::cli {

/// Flags of a scheduled kernel, which `kernel run` and `kernel show` share.
std::vector<std::string_view> kernel_flags();

/// The kernel that the flags ask for. Throws Error as plan_kernel does, and for flags that name no schedule.
emu::Kernel kernel_from_flags();

/// "tile 128x128x32, 4 stages, 2x2 warps, ..." and the same as JSON.
std::string schedule_text(const emu::Kernel& kernel);
nlohmann::ordered_json schedule_json(const emu::Kernel& kernel);

}  // namespace twofour::cli
