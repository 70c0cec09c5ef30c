#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "twofour/nas/search/fingerprint.h"
#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// A worker's first message: what its measurements depend on. greeting_from() has none for other messages.
std::string greeting(const Fingerprint& fingerprint);
std::optional<Fingerprint> greeting_from(const std::string& text);

/// Rank 0 to a worker: there is nothing more to measure here.
inline constexpr std::string_view no_more = "no more";

/// Rank 0 to a worker: measure this.
struct MeasureOrder {
  std::uint64_t number = 0;
  Candidate candidate;
};

/// The worker's answer: a measurement, or what was thrown.
struct MeasureAnswer {
  std::uint64_t number = 0;
  std::variant<Measurement, std::string> result;
};

/// As texts. Numbers come back bit for bit. The readers throw Error for any other text.
std::string to_text(const MeasureOrder& order);
std::string to_text(const MeasureAnswer& answer);
MeasureOrder order_from(const std::string& text);
MeasureAnswer answer_from(const std::string& text);

}  // namespace twofour::nas
