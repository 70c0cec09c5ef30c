#include "twofour/nas/search/fingerprint.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

constexpr std::size_t most_quoted = 60;

/// Of a long text, what stands around `position`.
std::string quoted(std::string_view text, std::size_t position) {
  const std::size_t start = position < most_quoted ? 0 : position - most_quoted / 2;
  const std::string_view shown = text.substr(std::min(start, text.size()), most_quoted);
  return fmt::format("{}{}{}", start > 0 ? "..." : "", shown,
                     start + shown.size() < text.size() ? "..." : "");
}

std::string_view line_of(std::string_view text, std::size_t start) {
  return text.substr(start, text.find('\n', start) - start);
}

std::string difference(const std::string& field, const std::string& a, std::string_view name_a,
                       const std::string& b, std::string_view name_b) {
  std::size_t start = 0, number = 1, i = 0;
  for (; i < a.size() && i < b.size() && a[i] == b[i]; ++i)
    if (a[i] == '\n') start = i + 1, ++number;
  const bool many = a.find('\n') != a.npos || b.find('\n') != b.npos;
  const std::string where = many ? fmt::format("{}, line {}", field, number) : field;
  return fmt::format("\n  {}: {}: {}; {}: {}", where, name_a, quoted(line_of(a, start), i - start), name_b,
                     quoted(line_of(b, start), i - start));
}

/// "12:" and so many bytes.
std::string counted(const std::string& bytes) {
  return fmt::format("{}:{}", bytes.size(), bytes);
}

std::string take_counted(std::string_view& text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const std::size_t start = std::size_t(end - text.data()) + 1;
  if (error != std::errc() || start > text.size() || *end != ':' || size > text.size() - start)
    fail("a fingerprint is damaged");
  std::string bytes(text.substr(start, size));
  text.remove_prefix(start + size);
  return bytes;
}

}  // namespace

std::string differences(const Fingerprint& a, std::string_view name_a, const Fingerprint& b,
                        std::string_view name_b) {
  const std::map<std::string, std::string> fields_a(a.begin(), a.end()), fields_b(b.begin(), b.end());
  std::map<std::string, std::string> all = fields_a;
  all.insert(fields_b.begin(), fields_b.end());
  std::string text;
  for (const auto& [field, value] : all) {
    const auto in_a = fields_a.find(field), in_b = fields_b.find(field);
    if (in_a == fields_a.end() || in_b == fields_b.end())
      text += fmt::format("\n  {}: only {} has it", field, in_a == fields_a.end() ? name_b : name_a);
    else if (in_a->second != in_b->second)
      text += difference(field, in_a->second, name_a, in_b->second, name_b);
  }
  return text;
}

std::string to_text(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [field, value] : fingerprint) text += counted(field) + counted(value);
  return text;
}

Fingerprint from_text(std::string_view text) {
  Fingerprint fingerprint;
  while (!text.empty()) {
    std::string field = take_counted(text);
    fingerprint.emplace_back(std::move(field), take_counted(text));
  }
  return fingerprint;
}

}  // namespace twofour::nas
