#include "twofour/nas/deploy/base64.h"

#include <algorithm>
#include <cstdint>

namespace twofour::nas {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j)
      word = word << 8 | (j < count ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? alphabet[word >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < text.size() - padding; ++i) {
    const std::size_t digit = alphabet.find(text[i]);
    if (digit == alphabet.npos) return std::nullopt;
    word = word << 6 | std::uint32_t(digit);
    if (i % 4 != 0) bytes.push_back(std::byte(word >> (6 - 2 * (i % 4)) & 255));
  }
  const std::uint32_t unused = padding == 2 ? word & 15 : padding == 1 ? word & 3 : 0;
  if (unused != 0) return std::nullopt;
  return bytes;
}

}  // namespace twofour::nas
