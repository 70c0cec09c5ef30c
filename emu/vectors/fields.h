#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/isa/error.h"

namespace twofour::emu {

/// Without blanks, tabs and carriage returns at both ends.
std::string_view trim(std::string_view text);

/// The trimmed parts between `at`; split at ' ' drops empty parts.
std::vector<std::string_view> split(std::string_view text, char at);

/// The lines of a text file with their numbers. Reads one line at a time, so that it works on a pipe.
class Lines {
 public:
  /// name: for messages. The stream must outlive this.
  Lines(std::string name, std::istream& in) : name_(std::move(name)), in_(in) {}
  /// The next line, trimmed; false at the end of the file. The view holds until the next call.
  bool next(std::string_view* line);
  /// The next call of next() gives the same line again.
  void put_back() { again_ = true; }
  /// Number, from 1, of the line that next() gave last.
  int number() const { return number_; }
  const std::string& name() const { return name_; }
  /// Throws Error: "NAME:LINE: FIELD: WHY", of the line that next() gave last.
  [[noreturn]] void refuse(std::string_view field, std::string_view why) const {
    fail("{}:{}: {}: {}", name_, number_, field, why);
  }

 private:
  std::string name_;
  std::istream& in_;
  std::string line_;
  int number_ = 0;
  bool again_ = false;
};

/// A word of a field, in hex, without a prefix; refuses what is no hex number or has more than `width` bits.
/// type: what has that width, for the message.
std::uint64_t hex_word(const Lines& lines, std::string_view field, std::string_view text, int width,
                       std::string_view type);

}  // namespace twofour::emu
