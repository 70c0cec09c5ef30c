#pragma once
#include <optional>
#include <string>

#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// What a file of recorded dot products is called after: GPU_TYPE_kK_OUT.hex, "a100_fp16_k8_f32.hex".
struct RecordedName {
  isa::Architecture architecture;
  std::string instruction;  ///< short name: "m16n8k8.f32.f16.f16.f32"
};

/// Reads the last part of a path. GPU: v.. volta, t.. turing, a.. ampere, l.. ada, h.. hopper, b.. blackwell
/// (a letter and a number), or an architecture. Nothing if the name is not of that form.
std::optional<RecordedName> recorded_name(const std::string& path);

}  // namespace twofour::emu
