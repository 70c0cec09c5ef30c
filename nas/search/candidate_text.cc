#include "twofour/nas/search/candidate_text.h"

#include <fmt/ranges.h>

#include <charconv>

#include "twofour/isa/error.h"

namespace twofour::nas {

std::string candidate_text(const Candidate& candidate) {
  return fmt::format("{}", fmt::join(candidate, ","));
}

Candidate candidate_from(std::string_view text) {
  Candidate candidate;
  const char *at = text.data(), *end = at + text.size();
  while (at != end) {
    int index = 0;
    const auto [next, error] = std::from_chars(at, end, index);
    if (error != std::errc() || (next != end && (*next != ',' || next + 1 == end)))
      fail("\"{}\" is no candidate: indices with commas between are needed", text);
    candidate.push_back(index);
    at = next == end ? end : next + 1;
  }
  return candidate;
}

}  // namespace twofour::nas
