#include "twofour/nas/scale/measure_order.h"

#include <charconv>

#include "twofour/isa/error.h"
#include "twofour/nas/search/candidate_text.h"

namespace twofour::nas {
namespace {

/// Takes a number and the blank after it.
template <class Number>
Number take(std::string_view& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) fail("a rank sent what no rank sends: \"{}\"", text);
  text.remove_prefix(std::size_t(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

constexpr std::string_view greeting_word = "greeting ";

}  // namespace

std::string greeting(const Fingerprint& fingerprint) {
  return std::string(greeting_word) + to_text(fingerprint);
}

std::optional<Fingerprint> greeting_from(const std::string& text) {
  if (!text.starts_with(greeting_word)) return std::nullopt;
  return from_text(std::string_view(text).substr(greeting_word.size()));
}

std::string to_text(const MeasureOrder& order) {
  return fmt::format("{} {}", order.number, candidate_text(order.candidate));
}

MeasureOrder order_from(const std::string& text) {
  std::string_view rest = text;
  MeasureOrder order;
  order.number = take<std::uint64_t>(rest);
  order.candidate = candidate_from(rest);
  return order;
}

std::string to_text(const MeasureAnswer& answer) {
  if (const auto* error = std::get_if<std::string>(&answer.result))
    return fmt::format("{} error {}", answer.number, *error);
  const auto& m = std::get<Measurement>(answer.result);
  return fmt::format("{} {} {}", answer.number, m.loss, m.accuracy);
}

MeasureAnswer answer_from(const std::string& text) {
  constexpr std::string_view error = "error ";
  std::string_view rest = text;
  MeasureAnswer answer;
  answer.number = take<std::uint64_t>(rest);
  if (rest.starts_with(error)) {
    answer.result = std::string(rest.substr(error.size()));
  } else {
    Measurement m;
    m.loss = take<double>(rest);
    m.accuracy = take<double>(rest);
    answer.result = m;
  }
  return answer;
}

}  // namespace twofour::nas
