#pragma once
#include <string>
#include <string_view>

namespace twofour::isa {

/// The bytes of a file; throws Error that names it and the reason.
std::string read_file(const std::string& path);

/// Replaces a file in one step (a temporary file beside it, then rename), so that it is never seen
/// half-written. Throws Error that names the file and the reason; then nothing is left behind.
void write_file(const std::string& path, std::string_view bytes);
/// The same for a file of two parts.
void write_file(const std::string& path, std::string_view head, std::string_view bytes);

}  // namespace twofour::isa
