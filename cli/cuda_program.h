#pragma once
#include <span>
#include <string>

namespace twofour::cli {

/// Replaces this process by a CUDA program (words: its path or name in PATH, then its arguments) with
/// libcudart.so.12 and .13 of lib/twofour in front of all others. Returns only by throwing Error: for what is
/// not there, cannot be executed, is not a CUDA program or cannot run this way, with what to do.
/// `statistics`: file for what its launches did, or empty.
[[noreturn]] void run_cuda_program(const std::string& machine, const std::string& statistics,
                                   std::span<const std::string> words);

}  // namespace twofour::cli
