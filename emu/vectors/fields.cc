#include "twofour/emu/vectors/fields.h"

#include <algorithm>
#include <charconv>
#include <istream>

namespace twofour::emu {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(at, start), text.size());
    const std::string_view part = trim(text.substr(start, end - start));
    if (at != ' ' || !part.empty()) parts.push_back(part);
    start = end + 1;
  }
  return parts;
}

bool Lines::next(std::string_view* line) {
  if (!again_) {
    if (!std::getline(in_, line_)) {
      if (in_.bad()) fail("{}: cannot be read", name_);
      return false;
    }
    ++number_;
  }
  again_ = false;
  *line = trim(line_);
  return true;
}

std::uint64_t hex_word(const Lines& lines, std::string_view field, std::string_view text, int width,
                       std::string_view type) {
  std::uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, 16);
  if (text.empty() || result.ec != std::errc() || result.ptr != end)
    lines.refuse(field, fmt::format("'{}' is not a hex word", text));
  if (width < 64 && value >> width != 0)
    lines.refuse(field, fmt::format("{} has more than the {} bits of {}", text, width, type));
  return value;
}

}  // namespace twofour::emu
