#include "twofour/emu/replay/replay.h"

#include <charconv>
#include <vector>

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"

namespace twofour::emu {
namespace {

std::string_view trim(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= s.size();) {
    const std::size_t end = std::min(s.find(at, start), s.size());
    const std::string_view part = trim(s.substr(start, end - start));
    if (at != ' ' || !part.empty()) parts.push_back(part);
    start = end + 1;
  }
  return parts;
}

/// One line, taken apart and checked.
class Line {
 public:
  Line(const std::string& file, int number, std::string_view text, isa::Architecture architecture,
       std::string_view instruction)
      : file_(file), number_(number), architecture_(architecture) {
    auto fields = split(text, '|');
    int products = 0;
    if (fields.size() == 5) {
      products = read_prefix(fields[0], instruction);
      fields.erase(fields.begin());
    } else if (fields.size() != 4) {
      refuse("line",
             fmt::format("{} fields between bars, 4 or 5 are needed: a.. | b.. | c | d", fields.size()));
    }
    if (instruction.empty()) refuse("line", "names no instruction; give --arch and --instruction");
    find(instruction);
    read_words(fields, products);
  }

  /// True if the model gives the recorded word; the computed word in *computed.
  bool agrees(std::uint64_t* computed) const {
    NumericOptions options;
    options.architecture = architecture_;
    *computed = dot(instruction_, a_, b_, c_, options);
    const std::uint64_t magnitude = *computed & ((std::uint64_t(1) << (isa::bits(instruction_.d) - 1)) - 1);
    return any_zero_ ? magnitude == 0 : *computed == d_;
  }

  Mismatch mismatch(std::uint64_t computed) const {
    return {number_, isa::short_name(instruction_), d_, computed, isa::bits(instruction_.d) / 4};
  }

 private:
  [[noreturn]] void refuse(std::string_view field, std::string_view why) const {
    fail("{}:{}: {}: {}", file_, number_, field, why);
  }

  int read_prefix(std::string_view text, std::string_view& instruction) {
    const auto words = split(text, ' ');
    int products = 0;
    if (words.size() != 3 ||
        std::from_chars(words[2].data(), words[2].data() + words[2].size(), products).ec != std::errc() ||
        products < 1)
      refuse("first field", "'ARCH INSTRUCTION K' is needed");
    try {
      architecture_ = isa::parse_architecture(words[0]);
    } catch (const Error& e) {
      refuse("architecture", e.what());
    }
    instruction = words[1];
    return products;
  }

  void find(std::string_view name) {
    try {
      instruction_ = isa::find_instruction(name);
    } catch (const Error& e) {
      refuse("instruction", e.what());
    }
    if (!instruction_.is_mma() || instruction_.is_sparse())
      refuse("instruction", "a dot product has no metadata and no steps: replay takes dense mma instructions");
    try {
      isa::evidence(instruction_, architecture_);
    } catch (const Error& e) {
      refuse("instruction", e.what());
    }
  }

  std::uint64_t word(std::string_view text, std::string_view field, isa::ElementType type) const {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value, 16);
    if (text.empty() || result.ec != std::errc() || result.ptr != end)
      refuse(field, fmt::format("'{}' is not a hex word", text));
    const int width = isa::bits(type);
    if (width < 64 && value >> width != 0)
      refuse(field, fmt::format("{} has more than the {} bits of {}", text, width, isa::name(type)));
    return value;
  }

  std::vector<std::uint64_t> operand(std::string_view text, std::string_view field, isa::ElementType type,
                                     int products) const {
    std::vector<std::uint64_t> out;
    for (const auto part : split(text, ' ')) out.push_back(word(part, field, type));
    const int k = instruction_.shape.k, wanted = products > 0 ? products : k;
    if (int(out.size()) != wanted || wanted > k)
      refuse(field, fmt::format("{} words, but {} takes {}", out.size(), isa::short_name(instruction_),
                                products > 0 ? std::min(products, k) : k));
    out.resize(std::size_t(k), 0);
    return out;
  }

  void read_words(const std::vector<std::string_view>& fields, int products) {
    a_ = operand(fields[0], "a", instruction_.a, products);
    b_ = operand(fields[1], "b", instruction_.b, products);
    c_ = word(fields[2], "c", instruction_.c);
    any_zero_ = fields[3] == "z";
    if (!any_zero_) d_ = word(fields[3], "d", instruction_.d);
  }

  const std::string& file_;
  int number_;
  isa::Architecture architecture_;
  isa::Instruction instruction_{};
  std::vector<std::uint64_t> a_, b_;
  std::uint64_t c_ = 0, d_ = 0;
  bool any_zero_ = false;
};

}  // namespace

ReplayReport replay(const std::string& file_name, std::string_view text, isa::Architecture architecture,
                    std::string_view instruction) {
  ReplayReport report;
  int number = 0;
  for (const auto raw : split(text, '\n')) {
    ++number;
    if (raw.empty() || raw[0] == '#') continue;
    const Line line(file_name, number, raw, architecture, instruction);
    std::uint64_t computed = 0;
    if (line.agrees(&computed)) {
      ++report.agreeing;
    } else if (report.disagreeing++ == 0) {
      report.first = line.mismatch(computed);
    }
  }
  if (report.agreeing + report.disagreeing == 0) fail("{}: holds no vectors", file_name);
  return report;
}

}  // namespace twofour::emu
