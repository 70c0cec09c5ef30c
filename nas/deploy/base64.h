#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twofour::nas {

/// RFC 4648, section 4, with padding.
std::string to_base64(std::span<const std::byte> bytes);
/// Nothing for text that is not the base64 of some bytes (line breaks included, and stray bits at the end).
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace twofour::nas
